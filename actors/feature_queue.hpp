// The FeatureQueue actor: one per feature and node. Admits, routes, and follows a call to its end.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/retry_budget.hpp"
#include "runtime/telemetry/metrics.hpp"

namespace troupe::actors {

struct FeatureConfig {
  std::string name;
  /// Models, best first.
  std::vector<std::string> hierarchy;
  policy::WorkClass work_class = policy::WorkClass::interactive;
  std::string boundary;
  policy::RoutePolicy route;
  policy::RetryPolicy retry;
  policy::AdmissionPolicy admission;
  /// Waiting for capacity is looked at again after at most this long.
  Duration recheck = std::chrono::milliseconds(100);
  std::uint64_t seed = 1;
  /// Hears at each tick where the calls are; may be null.
  std::shared_ptr<telemetry::Metrics> metrics;
};

/// `ledger` hears of every attempt. Subscribe the actor to the breakers' health; until a HealthChanged for an
/// endpoint has come, that endpoint is not used.
FeatureQueueActor spawn_feature_queue(caf::actor_system& system, Unit* unit, FeatureConfig config,
                                      Clock& clock, LedgerActor ledger);

}  // namespace troupe::actors
