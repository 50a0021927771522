// The retry budget and the waits between attempts.
#include "runtime/policy/retry_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr double kSavedFloors = 10;

}  // namespace

std::optional<std::string> validate(const RetryPolicy& policy) {
  if (!(policy.budget_share >= 0 && policy.budget_share <= 1))
    return fmt::format("budget_share is {}; it must be from 0 to 1, usually 0.1 to 0.2", policy.budget_share);
  if (!(policy.budget_floor >= 1 && policy.budget_floor <= 1e6))
    return fmt::format("budget_floor is {}; it must be from 1 to 1000000", policy.budget_floor);
  if (!(policy.budget_per_second >= 0 && policy.budget_per_second <= 1e6))
    return fmt::format("budget_per_second is {}; it must be from 0 to 1000000", policy.budget_per_second);
  if (policy.backoff_base < Duration::zero()) return "backoff_base is negative";
  if (policy.backoff_max < policy.backoff_base) return "backoff_max is less than backoff_base";
  return std::nullopt;
}

void RetryBudget::on_first_attempt() {
  tokens_ = std::min(tokens_ + policy_.budget_share, kSavedFloors * policy_.budget_floor);
}

void RetryBudget::on_time(Duration passed) {
  if (tokens_ >= policy_.budget_floor || passed <= Duration::zero()) return;
  auto earned = policy_.budget_per_second * std::chrono::duration<double>(passed).count();
  tokens_ = std::min(tokens_ + earned, policy_.budget_floor);
}

bool RetryBudget::take() {
  if (!policy_.enabled) return true;
  // Five shares of 0.2 must make one attempt, whatever binary fractions make of them.
  constexpr double slack = 1e-9;
  if (tokens_ + slack < 1) return false;
  tokens_ = std::max(0.0, tokens_ - 1);
  return true;
}

std::optional<Duration> backoff(const RetryPolicy& policy, std::size_t attempt, const Error& error,
                                Duration deadline_left, Rng& rng) {
  if (!error.retryable && !error.failover) return std::nullopt;
  constexpr std::size_t doublings_max = 40;
  auto doublings = static_cast<double>(std::min(attempt > 0 ? attempt - 1 : 0, doublings_max));
  double ceiling = std::min(static_cast<double>(policy.backoff_base.count()) * std::exp2(doublings),
                            static_cast<double>(policy.backoff_max.count()));
  auto jitter = Duration(static_cast<Duration::rep>(std::max(0.0, ceiling) * rng.uniform()));
  auto hint = std::clamp<Duration>(error.retry_after.value_or(Duration::zero()), Duration::zero(),
                                   std::chrono::hours(1));
  auto wait = hint + jitter;
  if (wait >= deadline_left) return std::nullopt;
  return wait;
}

}  // namespace troupe::policy
