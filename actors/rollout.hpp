// The Rollout actor: one per node. Counts what the two sides of each rollout show here; at a rollout's home
// it adds up what all nodes show and moves the share (B7, B8). Decisions are policy::judge_stage's.
#pragma once

#include "actors/controls.hpp"

#include "runtime/policy/judge.hpp"
#include "runtime/policy/rollout.hpp"

#include <set>

namespace troupe::actors {

/// By what a rollout deals its units, and to which model: evidence gathered under one deal says nothing of
/// another.
std::uint64_t deal_of(const policy::RolloutRule& rule);

/// A finished call that counts for a rollout.
struct RolloutOutcome {
  std::string rollout;
  std::uint64_t deal = 0;
  bool new_side = false;
  policy::CallFigures figures;
};
/// What another node has counted.
struct RolloutHeard {
  std::string peer;
  std::string body;
};
/// start, advance, halt and resume are heard at the rollout's home only; rollback and status anywhere. A
/// rollback is a stop of the rollout: at once, and above whatever the home may do. `reply` hears JSON once.
struct RolloutCommand {
  std::string rollout, action, who, why;
  std::function<void(Result<std::string>)> reply;
};

struct RolloutPlace {
  policy::RolloutRule rule;
  std::string home;
  /// What this node's shadow of the feature has shown, for one that begins after copies, and for the quality
  /// of any; null: there is none.
  std::shared_ptr<const Published<policy::TwoSides>> copies = {};
  /// What its judge has done here; null: there is none.
  std::shared_ptr<const Published<policy::JudgeTally>> judged = {};
};
/// The rollouts there are from now on. Those of the same name go on with what they have counted, unless they
/// are in `redealt`.
struct RolloutsChanged {
  std::vector<RolloutPlace> places;
  std::set<std::string> redealt;
};

using RolloutActor =
    caf::typed_actor<caf::reacts_to<RolloutOutcome>, caf::reacts_to<RolloutHeard>,
                     caf::reacts_to<RolloutCommand>, caf::reacts_to<RolloutsChanged>, caf::reacts_to<Tick>>;

struct RolloutActorConfig {
  std::string node;
  std::vector<RolloutPlace> rollouts;
  /// How often counts go to the homes, and a home judges.
  Duration interval = std::chrono::seconds(1);
};
struct RolloutActorStage {
  Clock* clock = nullptr;
  std::shared_ptr<const Published<policy::Controls>> board;
  ControlsActor controls;
  /// As ControlsStage::send.
  std::function<void(const std::string& peer, std::string body)> send;
};

RolloutActor spawn_rollouts(caf::actor_system& system, Unit* unit, RolloutActorConfig config,
                            RolloutActorStage stage);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RolloutOutcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RolloutHeard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RolloutCommand)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RolloutsChanged)
