// The budgets of a node between the ledger, which keeps them, and the queues, which heed them (I6).
#pragma once

#include "runtime/base/published.hpp"
#include "runtime/policy/budget.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace troupe::journal {
class Journal;
}

namespace troupe::actors {

/// The ledger stores, everyone loads: a queue that was restarted finds it at once, with no message to wait
/// for.
using BudgetCell = Published<policy::BudgetState>;

/// To be called for each call before it is admitted: while money is short `facts.lead` becomes the cheaper
/// model; when there is none left the answer is the refusal, with Retry-After until the day ends. `cell` may
/// be null: no budgets. A budget's lead goes before an experiment's or a rollout's.
std::optional<Error> apply_budget(const BudgetCell* cell, std::string_view feature, WallTime now,
                                  policy::CallFacts& facts);

/// Enters what the journal's ledger knows of the last days. When it cannot be read, that is logged and the
/// day begins at 0.
void remember_spending(journal::Journal& journal, policy::BudgetBook& book, WallTime now);

}  // namespace troupe::actors
