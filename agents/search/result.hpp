// search.json and answer.md.
#pragma once

#include "agents/research/spend.hpp"
#include "agents/search/grounding.hpp"
#include "agents/search/rank.hpp"
#include "agents/search/understanding.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe::search {

/// One link.
struct Listed {
  std::string doc, title, url;
  double score = 0;
};

struct SearchResult {
  /// "answer", "links" (asked for, or all there was time or money for) or "nothing".
  std::string served = "nothing";
  /// The asker wanted to be led somewhere: links are what was asked for.
  bool links_wanted = false;
  Intent intent;
  Understanding understood;
  std::vector<Listed> results;
  /// What the answer was written from, by number.
  std::vector<research::Passage> sources;
  Grounding grounding;
  /// Cited spans that did not hold the same bytes any more, or not for this asker.
  std::size_t unresolved = 0;
  research::Spend spend;
  /// As the model that wrote the answer calls itself.
  std::string model;
  /// For readers, one sentence each.
  std::vector<std::string> notes;

  void note(std::string text);
  /// An answer with at least one statement that stands; for links asked for: that there are any.
  bool found() const;
  /// The statements with their numbers: "… [1][3]".
  std::string answer() const;
};

/// {"question", "answer", "found", "served", "intent": {kind, confidence, by}, "understanding": {…},
/// "results":
/// [{doc, title, url, score}], "claims": [{text, citations: [{doc, start, end}]}], "sources": [{number, doc,
/// title, url}], "calls", "tool_calls", "tokens", "usage", "cost", "checks", "model", "notes", "report"}.
/// Pure.
Json search_json(const SearchInput& input, const SearchResult& result);

/// answer.md: all text of sources is escaped, so that none of it can become a heading, an image, a link or
/// HTML; an address is a link only if it is a plain http one. Pure.
std::string search_markdown(const SearchInput& input, const SearchResult& result);

}  // namespace troupe::search
