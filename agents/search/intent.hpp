// What a query is after, by its words alone: an answer, a place to go to, or something else (MECHANISMS K4).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::search {

/// navigational: the asker knows of a page and wants to be there. informational: wants to know something.
/// other: wants to do or have something, or the words do not tell. The order is that of the weights.
enum class IntentKind { navigational, informational, other };
const char* to_string(IntentKind kind);
/// `otherwise` for any other word.
IntentKind intent_from(std::string_view word, IntentKind otherwise);

struct Intent {
  IntentKind kind = IntentKind::other;
  /// Of `kind`, 0 to 1. Of a rule: our estimate. Of the words: the fitted model's probability.
  double confidence = 0;
  /// Who said so: "rule", "words", "model" or "asked" (a setting).
  std::string by;
};

struct IntentPolicy {
  /// Less sure than this a cheap model is asked. Not fitted: being taken to links wrongly costs the asker
  /// more than a cheap call does.
  double sure_min = 0.6;
  /// A query of more words is a sentence: the fitted words say nothing of it.
  std::size_t words_max = 8;
};

/// Free and quick: no model, no look-up. Rules for addresses, questions and commands ("open the …") go
/// first, then a logistic regression over words. Pure.
Intent classify_query(std::string_view query, const IntentPolicy& policy = {});
/// "other" is never sure: whether to answer or to show the way then needs more than words.
bool is_sure(const Intent& intent, const IntentPolicy& policy = {});

/// The query without a command at its beginning: "go to the duty roster" looks up "duty roster". Pure.
std::string_view without_command(std::string_view query);

/// The second half of classify_query: the probability of each kind, in their order. Pure.
std::array<double, 3> intent_chances(std::string_view query);
/// What it looks at: words without plural endings; "#one", "#two" or "#many" for how many; "#number",
/// "#place" and
/// "#fact" for a number or a cue among them. tools/fit_intent.py does the same.
std::vector<std::string> intent_features(std::string_view query);

/// What a feature adds to each kind's score.
struct WordWeights {
  std::string_view feature;
  std::array<double, 3> weights;
};
/// Sorted by feature. Made by tools/fit_intent.py (agents/search/intent_weights.cpp).
std::span<const WordWeights> intent_words();
std::array<double, 3> intent_bias();
/// Words written down by hand: ways to a place on the web; what one knows of a thing.
bool is_place_cue(std::string_view word);
bool is_fact_cue(std::string_view word);

}  // namespace troupe::search
