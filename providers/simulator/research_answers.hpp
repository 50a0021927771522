// What the extractive model answers to the prompts of research: picked by rule, never written.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <optional>
#include <vector>

namespace troupe::providers::simulator {

struct ResearchRules {
  /// Less certain than this it says "not found", and that the findings do not suffice. Where, on the half of
  /// data/research_qa that rules may be tried on, most more is rightly withheld than wrongly
  /// (bench/RESULTS.md).
  double found_min = 0.35;
};

/// The answer's parts when the request is one of research's tasks, known by its answer shape ("research_plan"
/// and its like) or by a tool that takes a "query"; nothing for any other request.
///
/// Plans: one task, or one a name for a comparison. Turns: names first, then the question's words, then names
/// met in what was read together with words not found yet; at most four turns. Findings: the sentences that
/// hold most of the question. Report: those it picked a short answer from. Citations: the source a sentence
/// stands in. Text of sources is compared and copied, so that no instruction in it can be followed. Pure.
std::optional<std::vector<Part>> research_answer(const CompletionRequest& request,
                                                 const ResearchRules& rules = {});

/// What it compares with `found_min` when it is asked for a report. Pure.
double research_certainty(const CompletionRequest& request);

}  // namespace troupe::providers::simulator
