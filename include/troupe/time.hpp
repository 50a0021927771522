// The two clocks of the project: a monotonic one for decisions, a wall clock for records people read.
#pragma once

#include <chrono>
#include <cstdint>

namespace troupe {

/// Length of time. Nanoseconds, so that token-bucket arithmetic needs no rounding.
using Duration = std::chrono::nanoseconds;

/// A point on the monotonic clock. Never stored, never sent to another node: only differences mean anything.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Milliseconds since 1970-01-01 UTC. What is stored, sent and printed.
struct WallTime {
  std::int64_t ms = 0;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

}  // namespace troupe
