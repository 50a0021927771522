// Which candidates may serve a request at all, and how the rest stands: the first half of routing. Pure.
#pragma once

#include "runtime/policy/route.hpp"

namespace troupe::policy {

/// How good a place a candidate has. Smaller is better.
enum class Standing {
  fit,      ///< can serve now
  crowded,  ///< full, without headroom, or too slow for the deadline: only when all else failed
  trial,    ///< partial-open
};

/// One candidate that may serve.
struct Option {
  std::size_t index = 0;
  const EndpointFacts* facts = nullptr;
  const HealthView* health = nullptr;
  /// Place of its model in the hierarchy, from 0.
  std::size_t rank = 0;
  Standing standing = Standing::fit;
  /// Why it is crowded; empty otherwise.
  std::string note;
  /// Expected seconds, with load; lower is better.
  double score = 0;
};

struct Screened {
  std::vector<Option> options;
  std::vector<PassedOver> passed_over;
  /// Best rank among reserved capacity left for headroom, or because it is throttled.
  std::optional<std::size_t> spilled_rank;
  /// Best rank among those that are sick, unreachable or throttled.
  std::optional<std::size_t> sick_rank;
  /// Until the first of the excluded may serve again.
  std::optional<Duration> wait;
};

Screened screen_candidates(const RouteRequest& request, std::span<const Candidate> candidates, WallTime wall,
                           const RoutePolicy& policy);

}  // namespace troupe::policy
