// What a run has used of its budget, by its record. Pure.
#pragma once

#include "actors/run_history.hpp"
#include "runtime/policy/run_budget.hpp"

#include <string>

namespace troupe::actors {

/// Tokens and money of all attempts of one call.
Budget used_by_call(const std::vector<AttemptRecord>& attempts);

/// Books what the record says of this step, that of its earlier attempts included.
void settle_recorded(policy::RunBudget& budget, const RunHistory& history, const std::string& key,
                     const RunHistory::Recorded& recorded);
/// Steps that were begun and have come to nothing: what nobody knows counts as spent, what a note knows is
/// spent, and children that may still go keep their slice.
void settle_open(policy::RunBudget& budget, const RunHistory& history);

/// How the budget of a run stands whose record is this. `elapsed`: since its first start. Fails with
/// invalid_input when the row's caps cannot be read.
Result<BudgetView> standing_of(const journal::RunRow& row, const RunHistory& history, Duration elapsed);

}  // namespace troupe::actors
