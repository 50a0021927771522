// Retries are a budget, not a reflex: a share of recent first attempts, so that overload cannot feed itself (E11).
#pragma once

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include "runtime/base/rng.hpp"

#include <optional>

namespace troupe::policy {

struct RetryPolicy {
  bool enabled = true;
  /// Extra attempts allowed as a share of first attempts.
  double budget_share = 0.2;
  /// Always allowed, so that small volumes can retry at all.
  double budget_floor = 10;
  Duration backoff_base = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(10);
};

/// One per feature and node. Not thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(RetryPolicy policy) : policy_(policy), tokens_(policy.budget_floor) {}
  void on_first_attempt();
  /// Takes one extra attempt from the budget, or says no.
  bool take();
  double left() const { return tokens_; }

 private:
  RetryPolicy policy_;
  double tokens_;
};

/// How long to wait before extra attempt number `attempt` (1 = first retry): full jitter over an exponential, never
/// less than the provider's hint. Nothing when the wait would outlast `deadline_left`.
std::optional<Duration> backoff(const RetryPolicy& policy, std::size_t attempt, const Error& error,
                                Duration deadline_left, Rng& rng);

}  // namespace troupe::policy
