// Quota, upstream pace and concurrency asked in one place, with hysteresis between leaving and returning.
#include "runtime/policy/endpoint_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr Duration kThrottlePause = std::chrono::seconds(1);

}  // namespace

std::optional<std::string> validate(const SpillPolicy& policy) {
  if (!(policy.return_factor >= 1 && policy.return_factor <= 1000))
    return fmt::format("return_factor is {}; it must be from 1 to 1000, usually 4", policy.return_factor);
  if (policy.return_refill < Duration::zero() || policy.return_refill > std::chrono::minutes(1))
    return "return_refill must be from 0 to 1m, usually 2s";
  return std::nullopt;
}

std::optional<std::string> validate(const GuardPolicy& policy) {
  if (auto wrong = validate(policy.estimate)) return "estimate: " + *wrong;
  if (auto wrong = validate(policy.spill)) return "spill: " + *wrong;
  if (auto wrong = validate(policy.pacing)) return "pacing: " + *wrong;
  if (auto wrong = validate(policy.concurrency)) return "concurrency: " + *wrong;
  return std::nullopt;
}

EndpointGuard::EndpointGuard(GuardPolicy policy, Instant now)
    : policy_(policy),
      quota_(policy.quota, now),
      pace_(policy.pacing),
      limit_(policy.concurrency),
      estimator_(policy.estimate) {}

QuotaNeed EndpointGuard::need_of(std::uint64_t workload, double input_tokens,
                                 double output_tokens_max) const {
  return {input_tokens, estimator_.estimate(workload, input_tokens, output_tokens_max), output_tokens_max};
}

EndpointGuard::Admission EndpointGuard::admit(const QuotaNeed& need, Instant now) {
  auto wait = quota_.wait_for(need, now);
  if (wait >= Quota::wait_max) return {false, std::nullopt};
  if (limit_.enabled() && quota_.in_flight() >= limit_.limit()) return {false, std::nullopt};
  if (left_for_) {
    auto ease = ease_wait(now);
    if (ease > Duration::zero()) return {false, std::max(wait, ease)};
    left_for_.reset();
  }
  if (wait > Duration::zero() && policy_.spill.hysteresis) {
    left_for_ = need;
    wait = std::max(wait, ease_wait(now));
  }
  wait = std::max(wait, pace_.wait_for(need, now));
  if (wait > Duration::zero()) return {false, wait};
  quota_.reserve(need, now);
  pace_.reserve(need, now);
  return {true, Duration::zero()};
}

Duration EndpointGuard::ease_wait(Instant now) const {
  return quota_.wait_for_ease(*left_for_, policy_.spill.return_factor, policy_.spill.return_refill, now);
}

void EndpointGuard::ended(const QuotaNeed& reserved, const AttemptEnd& end, Instant now, WallTime wall) {
  limit_.on_end(end.error, end.ttft, quota_.in_flight());
  quota_.settle(reserved, end.actual, now);
  pace_.settle(reserved, end.actual, now);
  if (end.workload != 0 && !end.error && end.actual.output_tokens > 0)
    estimator_.learn(end.workload, reserved.input_tokens, end.actual.output_tokens);
  note_throttle(end, wall);
}

void EndpointGuard::note_throttle(const AttemptEnd& end, WallTime wall) {
  if (end.error != Errc::rate_limited) return;
  auto wait = end.retry_after.value_or(kThrottlePause);
  auto until = wall.ms + std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  throttled_until_.ms = std::max(throttled_until_.ms, until);
}

Load EndpointGuard::load(Instant now) const {
  Load load;
  load.in_flight = quota_.in_flight();
  load.in_flight_max = policy_.quota.in_flight_max;
  if (limit_.enabled() && (load.in_flight_max == 0 || limit_.limit() < load.in_flight_max))
    load.in_flight_max = limit_.limit();
  load.input_headroom = std::min(quota_.input_headroom(now), pace_.input_headroom(now));
  load.output_headroom = std::min(quota_.output_headroom(now), pace_.output_headroom(now));
  if (left_for_ && ease_wait(now) > Duration::zero()) {
    load.input_headroom = std::min(load.input_headroom, 0.0);
    load.output_headroom = std::min(load.output_headroom, 0.0);
  }
  load.throttled_until = throttled_until_;
  return load;
}

}  // namespace troupe::policy
