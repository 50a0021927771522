// The Breaker actor: one per endpoint, on the node that owns it. Decisions are policy::Breaker's.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"

namespace troupe::actors {

struct BreakerConfig {
  std::string endpoint;
  policy::BreakerPolicy policy;
  /// A cool-down that outlived the last process; 0: none.
  WallTime cool_until;
};

/// `unit` null: CAF's scheduler.
BreakerActor spawn_breaker(caf::actor_system& system, Unit* unit, BreakerConfig config, Clock& clock,
                           LedgerActor ledger);

}  // namespace troupe::actors
