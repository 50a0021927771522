#include "actors/departing.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {

namespace {

/// No call lasts longer.
constexpr Duration kStandInLife = std::chrono::minutes(15);

}  // namespace

void Departing::add(RosterEntry endpoint) {
  endpoint.leaving = true;
  endpoints_.push_back({std::move(endpoint), std::nullopt});
}

void Departing::add_stand_in(RosterEntry endpoint, Instant now) {
  endpoint.leaving = true;
  endpoints_.push_back({std::move(endpoint), now + kStandInLife});
}

bool Departing::forget(const caf::actor_addr& gone) {
  std::erase_if(shadows_, [&](const auto& shadow) { return shadow == gone; });
  return std::erase_if(endpoints_, [&](const auto& each) { return each.entry.handle == gone; }) > 0;
}

std::vector<EndpointActor> Departing::tick(Instant now) {
  std::vector<EndpointActor> over;
  std::erase_if(endpoints_, [&](const auto& each) {
    bool late = each.until && *each.until <= now;
    if (late) over.push_back(each.entry.handle);
    return late;
  });
  for (const auto& each : endpoints_) caf::anon_send(each.entry.handle, Tick{});
  for (const auto& shadow : shadows_) caf::anon_send(shadow, Tick{});
  return over;
}

std::vector<caf::strong_actor_ptr> Departing::everyone() const {
  std::vector<caf::strong_actor_ptr> out;
  for (const auto& each : endpoints_)
    out.push_back(caf::actor_cast<caf::strong_actor_ptr>(each.entry.handle));
  for (const auto& shadow : shadows_) out.push_back(caf::actor_cast<caf::strong_actor_ptr>(shadow));
  return out;
}

void Departing::list(Roster& into) const {
  for (const auto& each : endpoints_) into.push_back(each.entry);
}

}  // namespace troupe::actors
