// The FeatureQueue actor: one per feature and node. Admits, routes, and follows a call to its end.
#pragma once

#include "actors/budgets.hpp"
#include "actors/interfaces.hpp"
#include "actors/rollout.hpp"
#include "actors/shadow.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/policy/difficulty.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/splice.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <map>
#include <string>

namespace troupe::actors {

struct FeatureConfig {
  policy::DispatchPolicy dispatch;
  /// What becomes of a call whose answer breaks off while someone reads it.
  policy::AfterFirstToken after_first_token = policy::AfterFirstToken::restart;
  /// Where a tenant's data may be processed; absent: wherever the feature's may.
  std::shared_ptr<const std::map<std::string, std::string>> tenant_boundaries;
  /// Operators' orders, and what experiments and rollouts say who leads; each may be null.
  std::shared_ptr<const Published<policy::Controls>> controls;
  std::shared_ptr<const policy::LeadRules> leads;
  /// Which of two models leads where those say nothing; none: the hierarchy's first.
  std::optional<policy::ChoiceRule> choice;
  /// Place in the hierarchy of the model that leads for runs short of budget; none: there is no cheaper one.
  std::optional<std::size_t> cheaper;
  /// Hears how calls that count for a rollout ended; may be null.
  RolloutActor rollouts;
  /// The node's shadows by feature, loaded for each offer, since they may have been restarted; null: this
  /// feature has none.
  std::shared_ptr<const Published<ShadowMap>> shadows;
  /// What the node's features may use together; may be null.
  std::shared_ptr<policy::QuotaTree> quota_tree;
  /// Keeps exposures and decisions; may be null, and must outlive the actor.
  journal::Journal* journal = nullptr;
  std::string node;
  std::uint64_t seed = 1;
  /// How the node's budgets stand; may be null.
  std::shared_ptr<const BudgetCell> budgets;
  /// Hears at each tick where the calls are; may be null.
  std::shared_ptr<telemetry::Metrics> metrics;
};

/// `ledger` hears of every attempt. Subscribe the actor to the breakers' health; until a HealthChanged for an
/// endpoint has come, that endpoint is not used.
FeatureQueueActor spawn_feature_queue(caf::actor_system& system, Unit* unit, FeatureConfig config,
                                      Clock& clock, LedgerActor ledger);

}  // namespace troupe::actors
