// Who has left the cast and still sees something through: endpoints with attempts, shadows with copies.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/shadow.hpp"

#include <vector>

namespace troupe::actors {

/// The supervisor's; not thread-safe. They leave by themselves when they are done (Retire).
class Departing {
 public:
  void add(RosterEntry endpoint);
  void add(ShadowActor shadow) { shadows_.push_back(std::move(shadow)); }
  /// True when it was an endpoint: the roster is another now.
  bool forget(const caf::actor_addr& gone);
  /// Passes the time on.
  void tick() const;
  /// Everyone: to be sent away.
  std::vector<caf::strong_actor_ptr> everyone() const;
  void list(Roster& into) const;

 private:
  std::vector<RosterEntry> endpoints_;
  std::vector<ShadowActor> shadows_;
};

}  // namespace troupe::actors
