// The Peer actor: one per remote node, on the gateway's thread. And the stand-in for an endpoint that lives
// there.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"

#include <map>
#include <set>

namespace troupe::actors {

using EndpointMap = std::map<std::string, EndpointActor>;

struct PeerActorConfig {
  std::string id;
  /// Endpoints of ours the peer may use; loaded anew for each attempt, since they may have been restarted.
  std::shared_ptr<const Published<EndpointMap>> serves;
  /// The peer's endpoints, read anew each time, since a reload may change them; what it says of others is not
  /// its to say. Never null.
  std::shared_ptr<const Published<std::set<std::string>>> owns;
  /// Who hears of the peer's endpoints' health.
  std::vector<HealthSubscriber> subscribers;
  /// Attempts the peer may have running here; more are refused unsent.
  std::size_t serving_max = 4096;
};

/// When the link goes down every attempt there ends with `unreachable` (it may have been billed), what runs
/// here for the peer is cancelled, and the peer's endpoints are published as not reachable until it is heard
/// again.
PeerActor spawn_peer(caf::actor_system& system, Unit* unit, PeerActorConfig config, Clock& clock,
                     transport::Gateway& gateway);

/// An EndpointActor whose attempts run on the peer's node. Callers cannot tell the difference. It does not
/// hear how they end: one that is retired leaves when the last of them must have.
EndpointActor spawn_remote_endpoint(caf::actor_system& system, Unit* unit, std::string endpoint,
                                    PeerActor peer, Clock& clock);

}  // namespace troupe::actors
