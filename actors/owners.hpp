// The Owners actor: one per node that has neighbours. Sees to it that an endpoint which the files of two
// nodes both give to themselves is served by one (F14). Decisions are policy::Ownership's.
#pragma once

#include "actors/supervisor.hpp"
#include "runtime/policy/ownership.hpp"

#include <functional>
#include <set>

namespace troupe::actors {

/// Another configuration: what is to become of the cast, and whose home the file names this node. Passed on
/// to the supervisor but for endpoints that another node still serves: these follow when it has let them go.
struct OwnersChanged {
  std::shared_ptr<const CastChange> change;
  std::set<std::string> named;
};
/// What another node says of its endpoints.
struct OwnersHeard {
  std::string peer;
  std::string body;
};
/// The supervisor has let these go: from the actor to itself.
struct OwnersLeft {
  std::vector<std::string> endpoints;
};

using OwnersActor =
    caf::typed_actor<caf::reacts_to<OwnersChanged>, caf::reacts_to<OwnersHeard>, caf::reacts_to<OwnersLeft>,
                     caf::reacts_to<LinkChanged>, caf::reacts_to<Tick>>;

struct OwnersConfig {
  std::string node;
  /// Those that the supervisor began with. Nobody is heard then, so all of them are served at once.
  std::vector<LocalEndpoint> endpoints;
  std::set<std::string> named;
  /// How often a word is said again that was not answered.
  Duration interval = std::chrono::milliseconds(500);
};
struct OwnersStage {
  Clock* clock = nullptr;
  SupervisorActor supervisor;
  /// As ControlsStage::send.
  std::function<void(const std::string& peer, std::string body)> send;
};

OwnersActor spawn_owners(caf::actor_system& system, Unit* unit, OwnersConfig config, OwnersStage stage);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::OwnersChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::OwnersHeard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::OwnersLeft)
