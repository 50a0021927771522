// A rollout's evidence and standing as JSON: between nodes and for people.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/rollout.hpp"

namespace troupe::actors {

Json to_json(const policy::SideEvidence& side);
/// Figures that are no numbers, negative counts or spreads: nothing.
std::optional<policy::SideEvidence> side_from(const Json* json);

/// Share, state, stop, and for the home its gates.
Json rollout_json(const policy::RolloutRule& rule, const policy::Controls& controls, WallTime wall);
Json gates_json(const std::vector<policy::GateReading>& gates);

}  // namespace troupe::actors
