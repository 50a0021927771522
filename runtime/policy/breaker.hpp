// The circuit breaker's decision: facts in, state and admitted share out (MECHANISMS F1-F13). Pure.
#pragma once

#include "runtime/policy/health.hpp"

#include <troupe/error.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace troupe::policy {

struct BreakerPolicy {
  /// Off: never trips, always admits everything. For showing what the breaker is worth.
  bool enabled = true;
  /// Sliding window of facts, by time and by count.
  Duration window = std::chrono::seconds(30);
  std::size_t window_samples_max = 512;
  /// No trip by share or quantile with fewer outcomes than this in the window (F1).
  std::size_t samples_min = 10;

  /// Absolute limits; zero: only the relative one.
  Duration ttft_p90_max{};
  Duration total_p90_max{};
  /// Limits relative to the endpoint's own healthy baseline (median of quantiles while closed); zero: off.
  double ttft_ratio_max = 3;
  double total_ratio_max = 3;
  /// Share of counting failures (5xx, timeouts, broken streams) that trips (F2).
  double error_share_max = 0.3;
  /// So many counting failures in a row trip without waiting for samples_min.
  std::size_t failures_in_row_max = 5;
  /// Throttling above this share for `throttle_sustained` is degradation, not just capacity (F4).
  double throttle_share_max = 0.5;
  Duration throttle_sustained = std::chrono::seconds(60);

  /// After a trip nothing is admitted for this long; doubles on each relapse up to the maximum (F9).
  Duration cool_down = std::chrono::seconds(5);
  Duration cool_down_max = std::chrono::minutes(5);
  /// Shares of traffic admitted stage by stage (F8). Last must be 1.
  std::vector<double> ramp{0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.0};
  /// A stage is passed after so many outcomes with the Wilson upper bound (95 %) of its failure share below
  /// `stage_failure_max`, and no latency limit broken.
  std::size_t stage_samples_min = 5;
  double stage_failure_max = 0.5;
  /// Failures within a stage that end it at once.
  std::size_t stage_failures_max = 2;
};

/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const BreakerPolicy& policy);

/// How one attempt ended, as far as health is concerned.
struct Outcome {
  Instant at;
  /// Absent on success.
  std::optional<Errc> error;
  /// From Error::counts_for_breaker.
  bool counts = false;
  /// Zero when no token came.
  Duration ttft{};
  Duration total{};
  /// Was this attempt let through by a partial-open trickle?
  bool trickle = false;
};

/// One endpoint's breaker. Not thread-safe: its actor owns it. Every method takes the present; state changes come
/// back as events whose `at` is left for the caller to fill with wall time.
class Breaker {
 public:
  explicit Breaker(BreakerPolicy policy);
  ~Breaker();
  Breaker(Breaker&&) noexcept;

  std::optional<BreakerEvent> on_outcome(const Outcome& outcome);
  /// Lets time act: cool-downs end, windows empty. Call at least once a second, and before `admit`.
  std::optional<BreakerEvent> on_tick(Instant now);
  /// Operator override (F13): holds `state` until `until`, then the machine goes on from there.
  BreakerEvent force(BreakerState state, Instant now, Duration ttl);

  BreakerState state() const;
  /// Share of traffic admitted now: 1, 0, or the ramp's stage.
  double share() const;
  /// When the present cool-down ends; nothing while not open.
  std::optional<Instant> cool_until() const;
  /// Fills the health fields this breaker knows (state, reason, share, quantiles, shares, samples).
  void fill(HealthView& view, Instant now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::policy
