// One token bucket with continuous refill: the arithmetic that every limit here shares.
#pragma once

#include <troupe/time.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::policy {

/// A value. `per_second` 0 and `capacity` infinite: no limit. The level may go below zero: a debt is
/// remembered. A clock that seems to go back refills nothing. Here in the header: a call asks a dozen of
/// them.
struct TokenBucket {
  double per_second = 0, capacity = std::numeric_limits<double>::infinity(), level = capacity;
  Instant at;

  /// Full. `per_minute` not positive: without limit.
  static TokenBucket of(double per_minute, double burst_minutes, Instant now) {
    TokenBucket bucket;
    bucket.at = now;
    if (!(per_minute > 0)) return bucket;
    bucket.per_second = per_minute / 60;
    bucket.capacity = bucket.level = per_minute * burst_minutes;
    return bucket;
  }
  bool limited() const { return per_second > 0; }
  double level_at(Instant now) const {
    if (!limited() || now <= at) return level;
    return std::min(capacity, level + per_second * (static_cast<double>((now - at).count()) / 1e9));
  }
  /// Negative amounts give back.
  void take(double amount, Instant now) {
    if (!limited()) return;
    level = std::min(capacity, level_at(now) - amount);
    at = std::max(at, now);
  }
  /// Seconds until `amount` would fit without other use; an amount above a full bucket fits when it is full,
  /// or it could never be served at all.
  double wait_seconds(double amount, Instant now) const {
    if (!limited()) return 0;
    double target = std::min(amount, capacity), present = level_at(now);
    // A nano-token of slack: a wait that was slept in full must not come out one rounding error short.
    constexpr double slack = 1e-6;
    return present + slack >= target ? 0 : (target - present) / per_second;
  }
};

/// Rounded up: a wait cut short by a nanosecond would be asked for again. At most `wait_max`.
inline Duration whole_wait(double wait_seconds, Duration wait_max) {
  double nanoseconds = wait_seconds * 1e9;
  if (nanoseconds >= static_cast<double>(wait_max.count())) return wait_max;
  return Duration(static_cast<Duration::rep>(std::ceil(nanoseconds)));
}

}  // namespace troupe::policy
