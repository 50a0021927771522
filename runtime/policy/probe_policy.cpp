#include "runtime/policy/probe_policy.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>

namespace troupe::policy {

void ProbeSchedule::heard(bool bad, Instant now) {
  last_ = started_ ? std::max(last_, now) : now;
  if (!started_) refilled_ = now;
  started_ = true;
  bad_ = bad;
}

void ProbeSchedule::refill(Instant now) {
  constexpr double hour = 3600;
  left_ = std::min(policy_.per_hour_max, left_ + policy_.per_hour_max * seconds(now - refilled_) / hour);
  refilled_ = now;
}

bool ProbeSchedule::take(BreakerState state, bool held, Instant now) {
  if (!policy_.enabled) return false;
  if (!started_) heard(false, now);
  bool urgent = state == BreakerState::partial || bad_;
  auto gap = urgent ? policy_.trial_gap : policy_.idle_after;
  if (state == BreakerState::open || held || gap <= Duration::zero() || now - last_ < gap) return false;
  refill(now);
  if (left_ < 1) return false;
  left_ -= 1;
  last_ = now;
  return true;
}

}  // namespace troupe::policy
