// Which of two models leads for a request, by what it asks (E1, E9). Pure.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/difficulty.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <troupe/request.hpp>

#include <optional>
#include <string>

namespace troupe::actors {

/// What the choice goes by: the texts of the last message a user sent, a line each; empty when there is none.
/// What comes before is the same for most calls of a feature.
std::string asked_text(const CompletionRequest& request);

/// Sets the lead of a call that has none; the choice of one that has is overruled. Nothing without a rule.
std::optional<policy::Choice> choose_lead(const std::optional<policy::ChoiceRule>& rule,
                                          const CompletionRequest& request, policy::CallFacts& facts);

/// {"weak", "strong", "difficulty", "threshold", "overruled", "leads"}: models by name, for people.
/// `hierarchy` is the feature's; a place outside it is "?".
Json choice_json(const policy::Choice& choice, const std::vector<std::string>& hierarchy);

}  // namespace troupe::actors
