// What the reader of a search sees on a terminal: the answer as it comes, its sources and links beneath it.
#pragma once

#include "agents/summary/live.hpp"
#include "runtime/json/json.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe::search {

/// "[3] Title, address" for each cited source, then the links: "- Title, address". Control characters of
/// sources are blanks.
std::string printed_links(const Json& search);
/// For stderr, one sentence a line: what was withdrawn, and the notes.
std::string printed_notes(const Json& search);

/// Prints a search of `troupe run search`. The hook is called while the run goes, on one thread; `finish`
/// when it is over, on the same or after it was joined.
class SearchPrinter {
 public:
  using Print = std::function<void(std::string_view)>;
  /// `out` gets what the reader wants (stdout), `notes` what is said about it (stderr).
  SearchPrinter(Print out, Print notes) : out_(out), notes_(std::move(notes)), live_(std::move(out)) {}

  summary::OnText hook() { return live_.hook(); }
  /// The answer if it was not shown whole while it came or parts of it were withdrawn, then sources and
  /// links.
  void finish(const Json& search);

 private:
  Print out_, notes_;
  summary::LiveSummary live_;
};

}  // namespace troupe::search
