// The Prober actor: one per node. Sends endpoints that nobody calls a small call of our own, so that what is
// known of them stays true and a recovery takes finite time (F15, E2).
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/policy/controls.hpp"

namespace troupe::actors {

/// What stands in the books where a customer's call has its feature and tenant.
inline constexpr const char* kProbes = "(probes)";

using ProberActor = caf::typed_actor<caf::reacts_to<ProbeDue>, caf::reacts_to<AttemptEnded>,
                                     caf::reacts_to<RosterChanged>, caf::reacts_to<Tick>>;

/// When to probe is the breaker's decision (policy::ProbeSchedule); this actor carries it out. At most one
/// probe is out per endpoint; a wish for another meanwhile is passed over, and so is one for what operators
/// have stopped (`controls` may be null). Each is a row of the ledger under
/// cause `probe`. What comes of it the endpoint tells its breaker itself. `unit` null: CAF's scheduler.
ProberActor spawn_prober(caf::actor_system& system, Unit* unit, Clock& clock, LedgerActor ledger,
                         std::shared_ptr<const Published<policy::Controls>> controls = nullptr);

}  // namespace troupe::actors
