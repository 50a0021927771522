// Retries are a budget, not a reflex: a share of recent first attempts, so that overload cannot feed itself
// (E11).
#pragma once

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include "runtime/base/rng.hpp"

#include <optional>

namespace troupe::policy {

struct RetryPolicy {
  /// Off: every extra attempt is allowed. For showing what the budget is worth.
  bool enabled = true;
  /// Extra attempts allowed as a share of first attempts.
  double budget_share = 0.2;
  /// Allowed from the start, so that small volumes can retry at all. What first attempts earn is kept up to
  /// ten times this: a quiet day must not pay for a storm of retries.
  double budget_floor = 10;
  /// Earned by time alone, up to the floor: when no new work comes, what is left of the old may still be
  /// tried again.
  double budget_per_second = 1;
  Duration backoff_base = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(10);
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const RetryPolicy& policy);

/// One per feature and node. Not thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(RetryPolicy policy) : policy_(policy), tokens_(policy.budget_floor) {}
  /// A request's first attempt begins: earns `budget_share` of an extra one.
  void on_first_attempt();
  /// Time has passed since the last call of this.
  void on_time(Duration passed);
  /// Takes one extra attempt from the budget, or says no.
  bool take();
  double left() const { return tokens_; }

 private:
  RetryPolicy policy_;
  double tokens_;
};

/// How long to wait before extra attempt number `attempt` (1 = first retry): full jitter over an exponential
/// (Brooker 2015, "Exponential backoff and jitter"), on top of the provider's hint, so that all who got the
/// same hint do not come back at once. Nothing when the wait would outlast `deadline_left`, or when the error
/// says that neither this nor another endpoint could do better (E11).
std::optional<Duration> backoff(const RetryPolicy& policy, std::size_t attempt, const Error& error,
                                Duration deadline_left, Rng& rng);

}  // namespace troupe::policy
