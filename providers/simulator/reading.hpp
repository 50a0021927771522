// Reading comprehension by rule: which sentences speak of a question, and which words in them answer it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

/// A source as prompts show it: "[S3] Title | text".
struct NumberedSource {
  std::string id, title, text;
};
/// The lines between <sources> and </sources>, however often they open. At most 2,000.
std::vector<NumberedSource> numbered_sources(std::string_view prompt);

/// Lower-case content words cut to six letters, so that "directed" meets "director". Numbers of any length.
std::vector<std::string> reading_words(std::string_view text);
/// Runs of capitalised words ("University of Bath"), and what stands in quotation marks, each once, in order;
/// a lone capital that begins the text is none.
std::vector<std::string> names_in(std::string_view text);
/// Ends at '.', '!' or '?' before a blank, not after initials.
std::vector<std::string_view> reading_sentences(std::string_view text);

/// A sentence and how well it fits the question, 0 to about 1.3: the share of the question's word weights
/// (rarer among the sources: heavier) in it and its title, and more when its title is named by a sentence
/// that fits.
struct RankedSentence {
  /// Position among the sources.
  std::size_t source = 0;
  std::string text;
  double score = 0;
};
/// Best first; ties go to the earlier. Pure; quadratic only in the few best.
std::vector<RankedSentence> rank_sentences(std::string_view question,
                                           const std::vector<NumberedSource>& sources);

/// What the question asks for, by its words.
enum class AnswerKind { yes_no, choice, year, number, person, place, thing };
AnswerKind answer_kind(std::string_view question);

struct ShortAnswer {
  std::string text;
  /// How well the sentence it is from fits; 0 when there is none.
  double score = 0;
  /// Position of that sentence in `ranked`.
  std::size_t from = 0;
};
/// The stretch of the best sentences that is of the asked kind, is not in the question itself and stands
/// nearest to the question's words. Not understanding: it is often wrong. Pure.
ShortAnswer short_answer(std::string_view question, const std::vector<NumberedSource>& sources,
                         const std::vector<RankedSentence>& ranked);

}  // namespace troupe::providers::simulator
