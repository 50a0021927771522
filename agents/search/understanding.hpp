// What a question means for looking it up: core, variants, time, kinds of documents, people (MECHANISMS K3).
#pragma once

#include "agents/search/input.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::search {

/// The name of the answer's shape: what a simulated model knows the task by.
inline constexpr std::string_view kUnderstandingShape = "search_understanding";
/// {intent, core, variants, time_range {from, to}, content_types, people}; empty texts and lists where the
/// question says nothing.
extern const std::string_view kUnderstandingSchema;

struct Understanding {
  /// The words to look up, and other wordings of them or of parts of the question.
  std::string core;
  std::vector<std::string> variants;
  Filters filters;
  /// What a model takes the asker to be after; other: it could not say, or was not asked.
  IntentKind intent = IntentKind::other;
  /// "model", or "rule" where none was asked or none could answer.
  std::string by = "rule";
};

/// Without a model: the question as it stands, less a command at its beginning. Pure, as all here.
Understanding plain_understanding(const SearchInput& input);
/// From a model's answer, which fits the schema. Bounded and cleaned: an empty core is the question, days
/// that are none and empty or repeated variants are left out.
Understanding understanding_from(const Json& answer, const SearchInput& input);
Json to_json(const Understanding& understanding);

/// The core first, then the variants that ask for other words.
std::vector<std::string> queries_of(const Understanding& understanding);

}  // namespace troupe::search
