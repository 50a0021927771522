// The endpoints of other nodes as this one's actors know them: a stand-in each, by the name of its home.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

struct RemotePeer {
  std::string id;
  /// Its endpoints that we may use.
  std::vector<policy::EndpointFacts> endpoints;
};

/// The supervisor's; not thread-safe but for what `owned` gives.
class StandIns {
 public:
  using Names = std::set<std::string>;
  StandIns(caf::actor_system& system, Unit* unit, Clock& clock)
      : system_(system), unit_(unit), clock_(clock) {}

  /// What the peer may speak of (F14); the same for all actors that stand for it one after the other.
  const std::shared_ptr<Published<Names>>& owned(const std::string& peer);
  /// A new actor stands for the peer: its endpoints' stand-ins are new as well.
  void begin(const RemotePeer& peer, const PeerActor& actor);
  /// The peer's endpoints are others now. Those that stay keep their stand-in. Gives those that went, still
  /// standing, since they are the way back for what they have passed on.
  std::vector<RosterEntry> change(const RemotePeer& peer, const PeerActor& actor);
  const std::map<std::string, RosterEntry>& all() const { return all_; }

 private:
  void own(const RemotePeer& peer);

  caf::actor_system& system_;
  Unit* unit_;
  Clock& clock_;
  std::map<std::string, std::shared_ptr<Published<Names>>> owned_;
  std::map<std::string, RosterEntry> all_;
};

}  // namespace troupe::actors
