// Timers and bounds of one link, and the two clocks it is told.
#pragma once

#include <troupe/time.hpp>

#include <cstddef>

namespace troupe::transport {

struct LinkConfig {
  Duration heartbeat_interval = std::chrono::milliseconds(500);
  Duration heartbeat_timeout = std::chrono::milliseconds(2000);
  /// First wait for an acknowledgement; doubles up to eight times this.
  Duration resend_after = std::chrono::milliseconds(500);
  /// How long an acknowledgement waits for something to travel with.
  Duration ack_delay = std::chrono::milliseconds(5);
  std::size_t credit_window = 4096;
  std::size_t waiting_max = 65536;
  std::size_t waiting_bytes_max = 256u << 20;
  std::size_t flight_bytes_max = 4u << 20;
  bool credit_on_consume = false;
  /// Off only to show what they are for.
  bool dedup = true, resend = true;
};

/// Now, on both clocks: timers run on the monotonic one, deadlines that cross nodes on the wall's.
struct Moment {
  Instant now;
  WallTime wall;
};

/// A deadline of 0 never passes.
inline bool has_passed(std::int64_t deadline_ms, WallTime wall) {
  return deadline_ms != 0 && deadline_ms < wall.ms;
}

}  // namespace troupe::transport
