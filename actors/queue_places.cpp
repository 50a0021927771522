#include "actors/queue_places.hpp"

#include <algorithm>

namespace troupe::actors {

void QueuePlaces::take(const Roster& roster) {
  auto before = places_;
  for (auto& place : places_) place.actor = EndpointActor();
  leaving_.clear();
  for (const auto& entry : roster) {
    if (entry.leaving) leaving_.push_back(entry.handle);
    if (entry.leaving) continue;
    auto& place = place_of(entry.facts);
    place.facts = entry.facts;
    place.actor = entry.handle;
  }
  // Where another stands now, what was said of the one before says nothing (F14).
  for (std::size_t i = 0; i < before.size(); ++i)
    if (places_[i].actor != before[i].actor) places_[i].health = nullptr;
}

std::optional<std::uint32_t> QueuePlaces::hear(const HealthPtr& view) {
  auto it = numbers_.find(view->endpoint);
  if (it == numbers_.end()) return std::nullopt;
  auto& known = places_[it->second].health;
  if (known && known->version > view->version && known->reachable == view->reachable) return std::nullopt;
  known = view;
  return it->second;
}

bool QueuePlaces::stands(const EndpointActor& endpoint) const {
  return std::ranges::any_of(places_, [&](const Place& place) { return place.actor == endpoint; }) ||
         std::ranges::find(leaving_, endpoint) != leaving_.end();
}

std::vector<policy::FactsPtr> QueuePlaces::facts() const {
  std::vector<policy::FactsPtr> out;
  for (const auto& place : places_) out.push_back(place.facts);
  return out;
}

QueuePlaces::Place& QueuePlaces::place_of(const policy::FactsPtr& facts) {
  auto [it, added] = numbers_.emplace(facts->id, size());
  if (added) places_.push_back({facts, {}, {}});
  return places_[it->second];
}

}  // namespace troupe::actors
