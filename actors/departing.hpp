// Who has left the cast and still sees something through: endpoints with attempts, shadows with copies.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/shadow.hpp"

#include <optional>
#include <vector>

namespace troupe::actors {

/// The supervisor's; not thread-safe. Local ones leave by themselves when they are done (Retire); stand-ins
/// do not know when that is and have a time.
class Departing {
 public:
  void add(RosterEntry endpoint);
  void add_stand_in(RosterEntry endpoint, Instant now);
  void add(ShadowActor shadow) { shadows_.push_back(std::move(shadow)); }
  /// True when it was an endpoint of ours: the roster is another now.
  bool forget(const caf::actor_addr& gone);
  /// Passes the time on. Gives those whose time is over, forgotten.
  std::vector<EndpointActor> tick(Instant now);
  /// Everyone: to be sent away.
  std::vector<caf::strong_actor_ptr> everyone() const;
  void list(Roster& into) const;

 private:
  struct Leaving {
    RosterEntry entry;
    std::optional<Instant> until;
  };
  std::vector<Leaving> endpoints_;
  std::vector<ShadowActor> shadows_;
};

}  // namespace troupe::actors
