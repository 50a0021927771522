// What a judge has done, for people and programs.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/judge.hpp"

namespace troupe::actors {

/// Counts as in JudgeTally, `agreement` between the orders, `first_place` (the share of verdicts for the
/// answer shown first: a half when the place does not matter), and `stopped_until_ms` while the money is
/// spent.
Json judge_json(const policy::JudgeTally& tally, WallTime wall);

}  // namespace troupe::actors
