// The Ledger actor: one per node. Live sums for people, durable rows for attempts that no run's journal
// carries.
#pragma once

#include "actors/budgets.hpp"
#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <map>

namespace troupe::actors {

struct EndpointPlace {
  std::string provider, region;
};
/// By endpoint; a reload changes it.
using PlaceCell = Published<std::map<std::string, EndpointPlace>>;
struct LedgerMetrics {
  /// Hears what is booked; may be null.
  std::shared_ptr<telemetry::Metrics> metrics;
  /// May be null.
  std::shared_ptr<const PlaceCell> places;
  /// Said aloud when one provider, or one region, serves more than this share of an hour's tokens (C9).
  double provider_share_max = 1, region_share_max = 1;
};

/// The node's budgets; without a cell there are none.
struct LedgerBudgets {
  policy::BudgetRules rules;
  /// Where it is published how they stand: at each change of a level, else at most once a second.
  std::shared_ptr<BudgetCell> cell;
  /// Must outlive the actor.
  Clock* clock = nullptr;
};

/// `journal` may be null (tests): then nothing is kept. It must outlive the actor.
/// Budgets begin with what the journal knows of the last days: they survive restarts.
LedgerActor spawn_ledger(caf::actor_system& system, Unit* unit, journal::Journal* journal, std::string node,
                         LedgerMetrics metrics = {}, LedgerBudgets budgets = {});

}  // namespace troupe::actors
