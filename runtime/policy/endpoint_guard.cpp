#include "runtime/policy/endpoint_guard.hpp"

#include <algorithm>

namespace troupe::policy {
namespace {

constexpr Duration kThrottlePause = std::chrono::seconds(1);

}  // namespace

EndpointGuard::EndpointGuard(GuardPolicy policy, Instant now) : policy_(policy), quota_(policy.quota, now) {}

EndpointGuard::Admission EndpointGuard::admit(const QuotaNeed& need, Instant now) {
  auto wait = quota_.wait_for(need, now);
  if (wait >= Quota::wait_max) return {false, std::nullopt};
  if (wait > Duration::zero()) return {false, wait};
  quota_.reserve(need, now);
  return {true, Duration::zero()};
}

void EndpointGuard::ended(const QuotaNeed& reserved, const AttemptEnd& end, Instant now, WallTime wall) {
  quota_.settle(reserved, end.actual, now);
  note_throttle(end, wall);
}

void EndpointGuard::note_throttle(const AttemptEnd& end, WallTime wall) {
  if (end.error != Errc::rate_limited) return;
  auto wait = end.retry_after.value_or(kThrottlePause);
  auto until = wall.ms + std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  throttled_until_.ms = std::max(throttled_until_.ms, until);
}

Load EndpointGuard::load(Instant now) const {
  return {quota_.in_flight(), policy_.quota.in_flight_max, quota_.input_headroom(now),
          quota_.output_headroom(now), throttled_until_};
}

}  // namespace troupe::policy
