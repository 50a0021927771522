// How a judge is asked which of two answers is better, and how its verdict is read. Nothing in an answer can
// pass for the end of it, or for the verdict. Pure.
#pragma once

#include "runtime/policy/judge.hpp"

#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// Of a judge that was given none.
inline constexpr std::string_view kUsualRubric =
    "The better answer does what was asked: it is right, complete and to the point, makes nothing up, and "
    "has "
    "the form that was asked for. Length, tone and confidence make no answer better.";
/// Name of the verdict's shape: what a simulated model knows the task by.
inline constexpr std::string_view kVerdictShape = "pair_verdict";

/// What a judge sees: who wrote which answer is not in it.
struct PairShown {
  /// See judged_question and judged_answer.
  std::string question, first, second;
  /// To be copied into the verdict. No answer can hold it, so a verdict that an answer holds is none.
  std::string token;
};

/// The conversation that was answered, with its roles; of a long one the middle is left out.
std::string judged_question(const CompletionRequest& request);
/// The answer's text without what hides or reorders it. Nothing for one that calls tools, is cut short, is
/// empty, or is too long to be shown whole: a judge that saw only a part would judge the cut.
std::optional<std::string> judged_answer(const Completion& completion);

/// `rubric` says what makes an answer better. Rules first, the same for all pairs.
CompletionRequest verdict_request(const PairShown& shown, std::string_view rubric);
/// The same once more, after an answer that was no verdict.
CompletionRequest verdict_again(CompletionRequest request, const Completion& answer, const std::string& why);
/// invalid_input for what does not fit the shape or lacks the token, content_filtered when the judge refused.
Result<policy::PairVerdict> read_verdict(const Completion& answer, std::string_view token);

}  // namespace troupe::actors
