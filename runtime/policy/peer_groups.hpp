// Which models' endpoints stand in for each other (PeerBoard): those that calls may be diverted to.
#pragma once

#include "runtime/policy/rollout.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// `hierarchy` without the models that `leads` (null: none) has on trial for the feature, by a rollout or a
/// shadow: calls are not diverted to those, so how well they are must not say whether an endpoint that
/// customers use is sick (B5). Its first model always stays. Also when the rollout is done, until the
/// configuration says so: then its endpoints are judged alone. Pure.
std::vector<std::string> peer_group(std::string_view feature, const std::vector<std::string>& hierarchy,
                                    const LeadRules* leads);

}  // namespace troupe::policy
