#include "actors/run_spending.hpp"

#include "actors/run_record.hpp"

namespace troupe::actors {
using policy::operator+;
namespace {

// What a step that failed for good used. A call that may have been billed, nobody knows for how much, used
// all that was set aside for it.
Budget used_in_vain(const RunHistory::Begun& begun, const Error& error) {
  Budget used;
  if (begun.tool) used.tool_calls = 1;
  if (begun.tool || begun.times == 0) return used;
  if (begun.noted || error.maybe_billed) return begun.reserved_last;
  used.calls = 1;
  return used;
}

}  // namespace

Budget used_by_call(const std::vector<AttemptRecord>& attempts) {
  auto spent = spent_on(attempts);
  Budget used;
  used.usd = spent.usd;
  used.tokens = spent.tokens_in + spent.tokens_out;
  used.calls = 1;
  return used;
}

void settle_recorded(policy::RunBudget& budget, const RunHistory& history, const std::string& key,
                     const RunHistory::Recorded& recorded) {
  if (std::holds_alternative<JsonText>(recorded.what)) return;
  auto begun = history.begun(key);
  if (begun.times > 1) {
    budget.reserve(key, begun.reserved_before);
    budget.write_off(key);
  }
  Budget used;
  if (const auto* bought = std::get_if<Answer>(&recorded.what)) used = used_by_call(bought->attempts);
  if (const auto* child = std::get_if<ChildOutcome>(&recorded.what)) used = child->spent;
  if (std::holds_alternative<ToolOutput>(recorded.what)) used.tool_calls = 1;
  if (const auto* error = std::get_if<Error>(&recorded.what)) used = used_in_vain(begun, *error);
  budget.settle(key, used);
}

void settle_open(policy::RunBudget& budget, const RunHistory& history) {
  for (const auto& key : history.open()) {
    auto begun = history.begun(key);
    budget.reserve(key, begun.reserved_before + begun.reserved_last);
    if (!begun.child) budget.write_off(key);
  }
}

Result<BudgetView> standing_of(const journal::RunRow& row, const RunHistory& history, Duration elapsed) {
  auto cap = read_budget(row.budget);
  if (!cap) return std::unexpected(cap.error());
  policy::RunBudget budget(*cap);
  if (const auto& from = history.snapshot()) budget.carry(from->spent, from->refused);
  for (const auto& key : history.keys()) settle_recorded(budget, history, key, *history.find(key));
  settle_open(budget, history);
  return budget.view(elapsed);
}

}  // namespace troupe::actors
