// Token buckets: continuous refill, reservation and settlement.
#include "runtime/policy/quota.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

double sane_tokens(double tokens) { return std::isfinite(tokens) && tokens > 0 ? tokens : 0; }

}  // namespace

std::optional<std::string> validate(const QuotaPolicy& policy) {
  for (double limit :
       {policy.input_tokens_per_minute, policy.output_tokens_per_minute, policy.requests_per_minute})
    if (!std::isfinite(limit) || limit < 0)
      return fmt::format("a per-minute limit is {}; 0 means unlimited", limit);
  if (!std::isfinite(policy.output_burndown) || policy.output_burndown <= 0)
    return fmt::format("output_burndown is {}; it must be above 0, usually 1 or 5", policy.output_burndown);
  if (!std::isfinite(policy.burst_minutes) || policy.burst_minutes <= 0)
    return fmt::format("burst_minutes is {}; it must be above 0, usually 1", policy.burst_minutes);
  return std::nullopt;
}

Quota::Quota(QuotaPolicy policy, Instant now)
    : policy_(policy),
      input_(TokenBucket::of(policy.input_tokens_per_minute, policy.burst_minutes, now)),
      output_(TokenBucket::of(policy.output_from_input ? 0 : policy.output_tokens_per_minute,
                              policy.burst_minutes, now)),
      requests_(TokenBucket::of(policy.requests_per_minute, policy.burst_minutes, now)) {}

Quota::Draw Quota::draw_of(const QuotaNeed& need) const {
  double output = sane_tokens(need.output_tokens);
  if (policy_.reserve_output_max) output = std::max(output, sane_tokens(need.output_tokens_max));
  output *= policy_.output_burndown;
  if (policy_.output_from_input) return {sane_tokens(need.input_tokens) + output, 0};
  return {sane_tokens(need.input_tokens), output};
}

Duration Quota::wait_for(const QuotaNeed& need, Instant now) const {
  if (policy_.in_flight_max > 0 && in_flight_ >= policy_.in_flight_max) return wait_max;
  auto draw = draw_of(need);
  double wait = std::max({input_.wait_seconds(draw.input, now), output_.wait_seconds(draw.output, now),
                          requests_.wait_seconds(1, now)});
  return whole_wait(wait, wait_max);
}

Duration Quota::wait_for_ease(const QuotaNeed& need, double factor, Duration refill, Instant now) const {
  auto draw = draw_of(need);
  auto wait = [&](const TokenBucket& bucket, double amount) {
    if (!bucket.limited()) return 0.0;
    double ease = std::max(factor * amount, bucket.per_second * seconds(refill));
    return bucket.wait_seconds(std::max(amount, std::min(ease, bucket.capacity / 4)), now);
  };
  return whole_wait(std::max(wait(input_, draw.input), wait(output_, draw.output)), wait_max);
}

void Quota::take(const Draw& draw, double requests, Instant now) {
  input_.take(draw.input, now);
  output_.take(draw.output, now);
  requests_.take(requests, now);
}

void Quota::reserve(const QuotaNeed& need, Instant now) {
  take(draw_of(need), 1, now);
  ++in_flight_;
}

void Quota::settle(const QuotaNeed& reserved, const QuotaNeed& actual, Instant now) {
  auto before = draw_of(reserved);
  auto after = draw_of(actual);
  bool never_made = after.input == 0 && after.output == 0;
  take({after.input - before.input, after.output - before.output}, never_made ? -1 : 0, now);
  if (in_flight_ > 0) --in_flight_;
}

double Quota::input_headroom(Instant now) const { return input_.level_at(now); }

double Quota::output_headroom(Instant now) const {
  const auto& bucket = policy_.output_from_input ? input_ : output_;
  return bucket.level_at(now) / policy_.output_burndown;
}

}  // namespace troupe::policy
