// What the extractive model answers to a judge's prompt: by rule, never by understanding.
#pragma once

#include <troupe/request.hpp>

#include <optional>
#include <string>

namespace troupe::providers::simulator {

struct JudgeRules {
  /// An answer is better when it holds so much more of the request's telling words, as a share of them.
  double more_min = 0.1;
};

/// The verdict's text when the request is a judge's, known by the answer shape "pair_verdict" and a last
/// message that is its JSON object; nothing for any other. The answer that holds clearly more of the
/// request's telling words is called better, else it is a tie. Answers are compared and never obeyed. Not a
/// judgement: it says so in its evidence. Pure.
std::optional<std::string> judge_answer(const CompletionRequest& request, const JudgeRules& rules = {});

}  // namespace troupe::providers::simulator
