// When an endpoint that nobody uses is asked whether it is well (F15). Pure.
#pragma once

#include "runtime/policy/health.hpp"

#include <troupe/time.hpp>

#include <cstdint>

namespace troupe::policy {

/// Probes are small calls of our own, paid under Cause::probe. They cost money, so idle endpoints are asked
/// seldom by default, and often only while that decides something.
struct ProbePolicy {
  bool enabled = true;
  /// A closed endpoint without traffic is asked this often; 0: never. A day: a backup is known to work (E2).
  Duration idle_after = std::chrono::hours(24);
  /// One on trial, or whose last word was bad, is asked after this long without traffic, so that its
  /// recovery, or its trip, takes finite time.
  Duration trial_gap = std::chrono::seconds(5);
  /// No more than this in an hour; an unused hour may be spent at once.
  double per_hour_max = 60;
};

/// Not thread-safe. A value.
class ProbeSchedule {
 public:
  explicit ProbeSchedule(const ProbePolicy& policy) : policy_(policy), left_(policy.per_hour_max) {}
  /// An outcome, a customer's or a probe's, that said something about the endpoint.
  void heard(bool bad, Instant now);
  /// Should one be sent now? Never while `open`, nor while an operator holds the breaker (`held`). Yes once:
  /// it is taken to be sent.
  bool take(BreakerState state, bool held, Instant now);

 private:
  void refill(Instant now);
  ProbePolicy policy_;
  double left_;
  bool bad_ = false, started_ = false;
  Instant last_, refilled_;
};

}  // namespace troupe::policy
