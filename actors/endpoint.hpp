// The Endpoint actor: one provider endpoint, owned by one node in the cluster.
#pragma once

#include "actors/attempt.hpp"
#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/tariff.hpp"

#include <optional>

namespace troupe::actors {

struct EndpointConfig {
  policy::EndpointFacts facts;
  policy::GuardPolicy guard;
  std::shared_ptr<const Wire> wire;
  /// What attempts are booked at. Without one the price of `facts` holds on every day.
  std::optional<policy::Tariff> tariff;
  /// Its breaker's; null: that a call hangs is known when it ends.
  std::shared_ptr<const PatienceCell> patience = {};
};

/// Starts attempts; HttpAttempt in production, a script in tests. Called on the endpoint's thread.
using AttemptStarter = std::function<std::shared_ptr<HttpAttempt>(const RunAttempt&, HttpAttempt::Ended)>;

EndpointActor spawn_endpoint(caf::actor_system& system, Unit* unit, EndpointConfig config,
                             AttemptStarter starter, Clock& clock, BreakerActor breaker);

}  // namespace troupe::actors
