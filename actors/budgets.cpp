#include "actors/budgets.hpp"

#include "runtime/base/log.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/policy/charges.hpp"

namespace troupe::actors {

std::optional<Error> apply_budget(const BudgetCell* cell, std::string_view feature, WallTime now,
                                  policy::CallFacts& facts) {
  if (cell == nullptr) return std::nullopt;
  auto state = cell->load();
  auto verdict = policy::judge_budget(state.get(), feature, facts.tenant, now);
  if (verdict.lead) facts.lead = verdict.lead;
  return std::move(verdict.refusal);
}

void remember_spending(journal::Journal& journal, policy::BudgetBook& book, WallTime now) {
  constexpr std::int64_t day_ms = 86'400'000;
  auto days = static_cast<std::int64_t>(policy::BudgetMeter::days_kept) + 1;
  journal::UsageFilter filter;
  filter.since.ms = now.ms / day_ms * day_ms - days * day_ms;
  auto rows = journal.cost("hour,feature,tenant", filter);
  if (!rows) {
    log::error("ledger", "budgets begin at 0, since the books cannot be read: " + rows.error().what);
    return;
  }
  for (const auto& row : *rows)
    if (auto hour = policy::hour_of(row.keys.at(0)))
      book.book(row.keys.at(1), row.keys.at(2), row.usd, *hour);
}

}  // namespace troupe::actors
