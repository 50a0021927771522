// The Breaker actor: one per endpoint, on the node that owns it. Decisions are policy::Breaker's.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"

namespace troupe::actors {

/// A breaker's last memory and when it was taken, so that a restart is no free pass (F13).
struct BreakerKnown {
  policy::BreakerMemory memory;
  /// 0: nothing is known.
  WallTime at;
};
using BreakerCell = Published<BreakerKnown>;

struct BreakerConfig {
  std::string endpoint;
  policy::BreakerPolicy policy;
  /// What it knew when it was last heard of; shared with those that come after it in this process.
  std::shared_ptr<BreakerCell> cell = {};
  /// Where to say how long a first token may be waited for; null: nobody asks.
  std::shared_ptr<PatienceCell> patience = {};
  /// Where it says how slow its calls are, and reads how those of the others are; null: it knows no others.
  std::shared_ptr<policy::PeerBoard> peers = {};
  std::uint32_t seat = 0;
  /// Of what stands behind the endpoint (policy::target_hash); 0: not known, then a memory of whatever is
  /// taken on.
  std::uint64_t target = 0;
};

/// `unit` null: CAF's scheduler.
BreakerActor spawn_breaker(caf::actor_system& system, Unit* unit, BreakerConfig config, Clock& clock,
                           LedgerActor ledger);

}  // namespace troupe::actors
