#include "actors/warmth.hpp"

namespace troupe::actors {

Warmth::Places Warmth::places() const {
  Places out;
  for (const auto& [endpoint, wish] : wishes_) out[{wish.client, wish.origin}] += wish.count;
  return out;
}

std::vector<Warmth::Wish> Warmth::since(const Warmth& before) const {
  auto told = before.places(), wanted = places();
  for (const auto& [place, unused] : told) wanted.try_emplace(place, 0);
  std::vector<Wish> out;
  for (const auto& [place, count] : wanted) {
    auto known = told.find(place);
    if (count != (known != told.end() ? known->second : 0)) out.push_back({place.first, place.second, count});
  }
  return out;
}

}  // namespace troupe::actors
