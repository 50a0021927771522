// What the extractive model answers to the prompts of research: picked by rule, never written.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <optional>
#include <vector>

namespace troupe::providers::simulator {

/// The answer's parts when the request is one of research's tasks, known by its answer shape ("research_plan"
/// and its like) or by a tool that takes a "query"; nothing for any other request.
///
/// Plans: one task, or one a name for a comparison. Turns: names first, then the question's words, then names
/// met in what was read together with words not found yet; at most four turns. Findings: the sentences that
/// hold most of the question. Report: those it picked a short answer from. Citations: the source a sentence
/// stands in. Text of sources is compared and copied, so that no instruction in it can be followed. Pure.
std::optional<std::vector<Part>> research_answer(const CompletionRequest& request);

}  // namespace troupe::providers::simulator
