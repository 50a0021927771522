// The Ledger actor: one per node. Live sums for people, durable rows for attempts that no run's journal
// carries.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <map>

namespace troupe::actors {

struct LedgerMetrics {
  /// Hears what is booked; may be null.
  std::shared_ptr<telemetry::Metrics> metrics;
  /// Endpoint -> provider, for the metrics' labels.
  std::map<std::string, std::string> providers;
};

/// `journal` may be null (tests): then nothing is kept. It must outlive the actor.
LedgerActor spawn_ledger(caf::actor_system& system, Unit* unit, journal::Journal* journal, std::string node,
                         LedgerMetrics metrics = {});

}  // namespace troupe::actors
