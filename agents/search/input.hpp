// What a search is asked, with every setting and its bounds.
#pragma once

#include "agents/search/intent.hpp"
#include "agents/search/rank.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/time.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::search {

/// Which documents may be found, of those that say so of themselves. Empty parts ask for nothing.
struct Filters {
  /// "YYYY-MM-DD", inclusive.
  std::string from, to;
  std::vector<std::string> types, people;
  bool empty() const { return from.empty() && to.empty() && types.empty() && people.empty(); }
  friend bool operator==(const Filters&, const Filters&) = default;
};

/// "YYYY-MM-DD" of a month and day that exist in some year.
bool is_day(const std::string& text);

struct SearchInput {
  std::string question;
  std::string tenant = "default";
  /// Whose rights decide what may be found (J4).
  std::string principal;
  /// Set by the asker; else it is guessed.
  std::optional<IntentKind> intent;
  /// Set by the asker: kept to. Those a model reads out of the question give way when nothing fits them.
  Filters filters;
  std::size_t results_max = 8;
  /// Passages one answer is written from.
  std::size_t sources_max = 6;
  std::size_t statements_max = 5;
  /// Further wordings of the question that are looked up beside its core.
  std::size_t variants_max = 3;
  /// From the start until the asker wants something, if only links.
  Duration deadline = std::chrono::seconds(30);
  std::string feature = "search";
  RankPolicy rank;
  /// The whole input, for whoever opens the tools.
  JsonText given;
};

/// From {"question", "input"?, "tenant"?, "principal"?, "intent"? (auto|navigational|informational), "from"?,
/// "to"? (YYYY-MM-DD), "types"?, "people"? (names by comma), "results_max"?, "sources_max"?,
/// "statements_max"?, "variants_max"?, "deadline_s"?}; numbers may be text, as `--set` gives them.
/// invalid_input naming the key and what would be right; a question is 1 to 2,000 bytes.
Result<SearchInput> read_search_input(const JsonText& input);

}  // namespace troupe::search
