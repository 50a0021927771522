// What everyone may know of an endpoint's health: an immutable snapshot its breaker publishes.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <string>

namespace troupe::policy {

enum class BreakerState {
  closed,   ///< healthy: all traffic
  open,     ///< tripped and cooling down: no traffic
  partial,  ///< a growing trickle of real traffic proves it well again (F7, F8)
};
const char* to_string(BreakerState state);

/// Why a breaker changed. Each signal of F2, and feedback (C11), trips alone.
enum class TripReason {
  none,
  ttft,         ///< time to first token over its limit
  errors,       ///< share of failures that count
  latency,      ///< p90 of total latency over its limit: slow is broken (F5)
  throttled,    ///< throttling sustained beyond the capacity signal (F4)
  relapse,      ///< failed during the ramp (F9)
  cooled_down,  ///< cool-down over, trickle begins
  ramped,       ///< one more ramp stage passed
  recovered,    ///< the whole ramp passed
  forced,       ///< an operator said so (F13)
  itl,          ///< p90 of inter-token latency over its limit
  stalls,       ///< too many calls hang although p90 is fine: the grey failure
  feedback,     ///< customers' ratings have become worse (C11)
};
inline constexpr TripReason kLastTripReason = TripReason::feedback;
const char* to_string(TripReason reason);

/// A value; published by the owner with a growing version, readers keep a pointer. Latencies in seconds, 0:
/// unknown.
struct HealthView {
  std::string endpoint;
  std::uint64_t version = 0;
  BreakerState state = BreakerState::closed;
  TripReason reason = TripReason::none;
  /// Share of traffic admitted, cluster-wide: 1 when closed, 0 when open, the ramp's stage between (F10).
  double share = 1;
  double ttft_p50 = 0, ttft_p90 = 0, total_p50 = 0, total_p90 = 0;
  /// Over the sliding window, of customers' outcomes that count.
  double error_share = 0, throttle_share = 0;
  std::uint64_t samples = 0;
  /// A first token later than this is slow (the breaker's limit); 0: not known.
  double ttft_slow = 0;
  /// Time per token after the first, and the parts of error_share that timed out or broke off mid-stream.
  double itl_p50 = 0, itl_p90 = 0;
  double timeout_share = 0, break_share = 0;
  /// Probes and copies in the window, which `samples` and the shares leave out (F15, B5).
  std::uint64_t probes = 0;
  /// Enough good outcomes of whatever kind have been seen since it last tripped (proof.hpp).
  bool proven = false;
  /// When the newest outcome ended, a customer's or a probe's; 0: none yet. Old: worth exploring.
  WallTime measured;
  /// When the state last changed, and when a cool-down ends (0: none).
  WallTime since, cool_until;
  /// Attempts running now and the endpoint's limit (0: none).
  std::uint32_t in_flight = 0, in_flight_max = 0;
  /// Tokens that could be taken now without waiting, estimated; negative when over. Infinity when unlimited.
  double input_headroom = 1e18, output_headroom = 1e18;
  /// The provider told us to wait until then.
  WallTime throttled_until;
  /// False while the node that owns it cannot be heard.
  bool reachable = true;
};

/// One change of a breaker's state, for history and audit.
struct BreakerEvent {
  std::string endpoint;
  WallTime at;
  BreakerState from = BreakerState::closed, to = BreakerState::closed;
  TripReason reason = TripReason::none;
  double share = 1;
  /// The figures behind it, for people: "ttft p90 4.2s > 3.0s over 40 samples".
  std::string detail;
};

}  // namespace troupe::policy
