// What a reader of a summary sees on a terminal: the text as it comes, and its sources beneath it.
#pragma once

#include "agents/summary/live.hpp"
#include "runtime/json/json.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe::summary {

/// What stands beneath a summary's text: "[3] ann, 2019-03-05 14:02: the quoted line" for each mark, a line
/// for each line it names.
std::string printed_sources(const Json& summary);

/// For stderr, one sentence a line: statements that were withdrawn, doubtful names, what could not be read,
/// and what wrote the text if that was no language model. Empty when there is nothing to say.
std::string printed_notes(const Json& summary);

/// Prints a summary of `troupe run summary`. The hook is called while the run goes, on one thread; `finish`
/// when it is over, on the same or after it was joined.
class SummaryPrinter {
 public:
  using Print = std::function<void(std::string_view)>;
  /// `out` gets what the reader wants (stdout), `notes` what is said about it (stderr).
  SummaryPrinter(Print out, Print notes) : out_(out), notes_(std::move(notes)), live_(std::move(out)) {}

  OnText hook() { return live_.hook(); }
  /// The text if it was not shown whole while it came or statements of it were withdrawn, then its sources.
  void finish(const Json& summary);

 private:
  Print out_, notes_;
  LiveSummary live_;
};

}  // namespace troupe::summary
