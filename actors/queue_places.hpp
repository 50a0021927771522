// The endpoints a queue sends to, and how each was last heard of.
#pragma once

#include "actors/interfaces.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

/// An endpoint keeps its number for good, so that plans made before a change of the roster stay true. Not
/// thread-safe.
class QueuePlaces {
 public:
  struct Place {
    policy::FactsPtr facts;
    EndpointActor actor;  ///< null: not in the roster
    HealthPtr health;     ///< what was said of this actor; null: nothing yet
  };

  void take(const Roster& roster);
  /// Its number; nothing when the view is of an unknown endpoint or older than what is known.
  std::optional<std::uint32_t> hear(const HealthPtr& view);
  /// Does somebody still answer there, leaving or not?
  bool stands(const EndpointActor& endpoint) const;
  /// By number.
  std::vector<policy::FactsPtr> facts() const;
  const Place& operator[](std::uint32_t number) const { return places_[number]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(places_.size()); }

 private:
  Place& place_of(const policy::FactsPtr& facts);

  std::vector<Place> places_;
  std::vector<EndpointActor> leaving_;                      // still answer what they were sent
  std::unordered_map<std::string, std::uint32_t> numbers_;  // of places_
};

}  // namespace troupe::actors
