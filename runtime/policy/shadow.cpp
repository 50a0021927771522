#include "runtime/policy/shadow.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {

std::optional<std::string> validate(const ShadowPolicy& policy) {
  if (!(policy.share >= 0 && policy.share <= 1))
    return fmt::format("share is {}; it must be from 0 to 1", policy.share);
  if (!(policy.usd_per_hour >= 0))
    return fmt::format("usd_per_hour is {}; it must not be negative", policy.usd_per_hour);
  bool wants = policy.share > 0;
  if (wants && (policy.tokens_per_hour == 0 || policy.usd_per_hour == 0 || policy.in_flight_max == 0))
    return "a shadow needs a budget of its own: tokens_per_hour, usd_per_hour and in_flight_max above 0";
  return std::nullopt;
}

const char* to_string(ShadowVerdict verdict) {
  switch (verdict) {
    case ShadowVerdict::copy: return "copy";
    case ShadowVerdict::not_sampled: return "not_sampled";
    case ShadowVerdict::barred: return "barred";
    case ShadowVerdict::quota_short: return "quota_short";
    case ShadowVerdict::over_tokens: return "over_tokens";
    case ShadowVerdict::over_usd: return "over_usd";
    case ShadowVerdict::too_many: return "too_many";
  }
  return "?";
}

Shadow::Shadow(ShadowPolicy policy, Instant now)
    : policy_(policy),
      seen_(now),
      tokens_(static_cast<double>(policy.tokens_per_hour)),
      usd_(policy.usd_per_hour) {}

// Full at the start, an hour's worth at most: in any hour at most twice the rate, in the long run the rate.
void Shadow::refill(Instant now) {
  double hours = seconds(now - seen_) / 3600;
  if (hours <= 0) return;
  seen_ = now;
  auto tokens_max = static_cast<double>(policy_.tokens_per_hour);
  tokens_ = std::min(tokens_max, tokens_ + hours * tokens_max);
  usd_ = std::min(policy_.usd_per_hour, usd_ + hours * policy_.usd_per_hour);
}

ShadowVerdict Shadow::decide(const ShadowFacts& facts, Instant now) {
  if (!(facts.draw < policy_.share)) return ShadowVerdict::not_sampled;
  if (facts.barred) return ShadowVerdict::barred;
  if (facts.quota_short) return ShadowVerdict::quota_short;
  if (in_flight_ >= policy_.in_flight_max) return ShadowVerdict::too_many;
  refill(now);
  if (tokens_ < static_cast<double>(facts.tokens)) return ShadowVerdict::over_tokens;
  if (usd_ < facts.usd) return ShadowVerdict::over_usd;
  tokens_ -= static_cast<double>(facts.tokens);
  usd_ -= facts.usd;
  ++in_flight_;
  return ShadowVerdict::copy;
}

// Below 0 when the copy took more than expected: the debt is paid before the next one.
void Shadow::ended(const ShadowFacts& expected, std::uint64_t tokens, double usd) {
  if (in_flight_ > 0) --in_flight_;
  tokens_ += static_cast<double>(expected.tokens) - static_cast<double>(tokens);
  usd_ += expected.usd - usd;
}

}  // namespace troupe::policy
