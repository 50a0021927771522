// How hard a request looks by its text alone, and which of two models leads for it (MECHANISMS E1, E9). Pure.
#pragma once

#include <troupe/error.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// What is counted in a text, in the order of TextFigures. Counts are taken as ln(1 + count), so that a text
/// of twice the length is a step, not another world.
///   words         runs of letters (bytes above 127 are letters)
///   sentences     runs of . ! ? before a blank or the end
///   numbers       runs of digits, with , and . between them
///   magnitude     decimal digits of the largest of them: log10(1 + value)
///   number_words  "three", "dozen", "hundred", ...
///   fractions     "1/3", "half", "quarters", ...
///   commas
///   capitals      words that begin with A-Z: names, mostly
///   variety       share of words that differ, not a count; capitals are the same as small letters. Words are
///                 told apart by their first 32 bytes, hashed to one of 16,384 places
inline constexpr std::array text_figure_names{"words",     "sentences",    "numbers",
                                              "magnitude", "number_words", "fractions",
                                              "commas",    "capitals",     "variety"};
inline constexpr std::size_t text_figure_count = text_figure_names.size();
using TextFigures = std::array<double, text_figure_count>;

/// Of a longer text the beginning is looked at.
inline constexpr std::size_t difficulty_text_max = 64 * 1024;
/// A few microseconds for a few hundred characters (bench/choice_bench.cpp); allocates nothing. Any bytes
/// will do.
TextFigures text_figures(std::string_view text);

/// A logistic regression over the figures: the chance that the weak model fails where the strong one does
/// not. Made by fit_difficulty; immutable once shared.
struct DifficultyModel {
  /// The figure's mean and deviation among the training texts, and what a deviation more adds to the
  /// log-odds.
  struct Term {
    double mean = 0, deviation = 1, weight = 0;
  };
  double intercept = 0;
  std::array<Term, text_figure_count> terms;
  /// Difficulties of the training texts at shares 0, 1/100, ..., 1 of them, ascending.
  std::vector<double> quantiles;
};
/// In (0, 1).
double difficulty_of(const DifficultyModel& model, std::string_view text);
/// From which difficulty on the strong model is called for `strong_share` of texts like those of the
/// training. Other texts have other shares.
double difficulty_threshold(const DifficultyModel& model, double strong_share);

/// A model as a text file: a line a value, named, in a fixed order; numbers in their shortest exact form.
std::string to_text(const DifficultyModel& model);
/// bad_config, with the line, for what to_text would not have written.
Result<DifficultyModel> parse_difficulty(std::string_view text);
inline constexpr std::size_t difficulty_file_max = 64 * 1024;

/// Which of two models leads. Places are indices into the feature's hierarchy.
struct ChoiceRule {
  std::shared_ptr<const DifficultyModel> model;
  std::size_t weak = 0, strong = 0;
  double threshold = 0.5;
};
/// One request's choice, with all it was made from but the text: enough to make it again.
struct Choice {
  std::size_t weak = 0, strong = 0;
  double threshold = 0, difficulty = 0;
  /// Something above it gave another lead: a rollout, an experiment's arm or a budget.
  bool overruled = false;
  std::size_t lead() const { return difficulty >= threshold ? strong : weak; }
  friend bool operator==(const Choice&, const Choice&) = default;
};
Choice choose(const ChoiceRule& rule, std::string_view text);

}  // namespace troupe::policy
