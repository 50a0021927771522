// The Ledger actor: one per node. Live sums for people, durable rows for attempts that no run's journal
// carries.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"

namespace troupe::actors {

/// `journal` may be null (tests): then nothing is kept. It must outlive the actor.
LedgerActor spawn_ledger(caf::actor_system& system, Unit* unit, journal::Journal* journal, std::string node);

}  // namespace troupe::actors
