#include "actors/departing.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {

void Departing::add(RosterEntry endpoint) {
  endpoint.leaving = true;
  endpoints_.push_back(std::move(endpoint));
}

bool Departing::forget(const caf::actor_addr& gone) {
  std::erase_if(shadows_, [&](const auto& shadow) { return shadow == gone; });
  return std::erase_if(endpoints_, [&](const auto& each) { return each.handle == gone; }) > 0;
}

void Departing::tick() const {
  for (const auto& each : endpoints_) caf::anon_send(each.handle, Tick{});
  for (const auto& shadow : shadows_) caf::anon_send(shadow, Tick{});
}

std::vector<caf::strong_actor_ptr> Departing::everyone() const {
  std::vector<caf::strong_actor_ptr> out;
  for (const auto& each : endpoints_) out.push_back(caf::actor_cast<caf::strong_actor_ptr>(each.handle));
  for (const auto& shadow : shadows_) out.push_back(caf::actor_cast<caf::strong_actor_ptr>(shadow));
  return out;
}

void Departing::list(Roster& into) const {
  for (const auto& each : endpoints_) into.push_back(each);
}

}  // namespace troupe::actors
