// What the extractive model answers to the two prompts of a search: by rule, never written.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

struct SearchRules {
  /// A best sentence that holds less of the question than this answers nothing ("NOT FOUND"); further
  /// sentences are given from `also_min` on. As for research, not fitted anew.
  double found_min = 0.35;
  double also_min = 0.5;
};

/// The answer's text when the request is one of search's, known by the answer shape "search_understanding" or
/// by a text that begins "Search question: " and holds sources; nothing for any other.
///
/// Understanding: the question's telling words; its names, and each of its clauses, as variants; days, kinds
/// of documents and "written by NAME" where they stand in it; "other" as intent, unless it names a place to
/// go to. Answer: the sentences that hold most of the question, with their sources. Text of sources is
/// compared and copied, so that no instruction in it can be followed. Pure.
std::optional<std::string> search_answer(const CompletionRequest& request, const SearchRules& rules = {});

/// Looking up by rule, apart from the request: what the understanding above consists of.
struct SearchWords {
  std::string core;
  std::vector<std::string> variants;
};
SearchWords search_words(std::string_view question, std::size_t variants_max);

}  // namespace troupe::providers::simulator
