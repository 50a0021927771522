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
  /// No trip by share or quantile with fewer outcomes than this in the window (F1). The last three times as
  /// many are also judged by themselves, so that a fault is found at the same speed however busy the endpoint
  /// was before it.
  std::size_t samples_min = 10;

  /// Absolute limits; zero: only the relative one.
  Duration ttft_p90_max{};
  Duration total_p90_max{};
  /// Limits relative to the endpoint's own healthy baseline (median of quantiles while closed); zero: off.
  double ttft_ratio_max = 3;
  double total_ratio_max = 3;
  /// Share of counting failures (5xx, timeouts, broken streams) that trips (F2).
  double error_share_max = 0.3;
  /// A trip by share or quantile also needs evidence less likely than this if the endpoint were as healthy as
  /// its baseline (Chernoff bound, at least 1 % of outcomes assumed bad). Guards small windows: 2 of 10 slow
  /// calls put a p90 over its limit but happen to the healthy many times a day (F2).
  double trip_chance_max = 1e-6;
  /// So many counting failures in a row trip without waiting for samples_min.
  std::size_t failures_in_row_max = 5;

  /// Healthy outcomes before the baseline is trusted; until then only absolute limits apply.
  std::size_t baseline_samples_min = 50;
  /// How fast the past of the baseline fades.
  Duration baseline_half_life = std::chrono::hours(24);
  /// Once learned, the baseline moves at most by this factor per day either way, so that a sickness creeping
  /// in below the limits cannot teach us that sick is normal, and a quiet night not that the morning is sick.
  double baseline_growth_per_day = 1.25;

  /// Throttling above this share for `throttle_sustained` is degradation, not just capacity (F4).
  double throttle_share_max = 0.5;
  Duration throttle_sustained = std::chrono::seconds(60);

  /// After a trip nothing is admitted for this long; doubles on each relapse up to the maximum (F9).
  Duration cool_down = std::chrono::seconds(5);
  Duration cool_down_max = std::chrono::minutes(5);
  /// Shares of traffic admitted stage by stage (F8). Last must be 1.
  std::vector<double> ramp{0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.0};
  /// A stage is passed after so many outcomes, and so much time, with the Wilson upper bound (95 %) of the
  /// share of bad outcomes since the ramp began below what the next stage allows: `stage_failure_max`, and
  /// less where `ramp_harm_max` / next share is less. An outcome over a latency limit is as bad as a failure
  /// (F5). Rule of three: 5 good calls in a row still allow a failure share of 43 %, 30 allow 11 %. That is
  /// why small shares need little evidence and full traffic needs 73 good calls in a row (F8).
  std::size_t stage_samples_min = 5;
  Duration stage_time_min = std::chrono::seconds(2);
  double stage_failure_max = 0.5;
  /// Largest share of the endpoint's full traffic that a stage may put at risk, at 95 % confidence. 1: no
  /// such bound.
  double ramp_harm_max = 0.05;
  /// Bad outcomes within a stage that end it at once, unless its length makes them the endpoint's usual
  /// share.
  std::size_t stage_failures_max = 2;
};

/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const BreakerPolicy& policy);

/// How one attempt ended, as far as health is concerned.
struct Outcome {
  /// When it ended.
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

/// One endpoint's breaker. Not thread-safe: its actor owns it. Every method takes the present; state changes
/// come back as events whose `endpoint` and `at` are left for the caller to fill.
///
///     closed --trip--> open --cool-down over--> partial --whole ramp passed--> closed
///                       ^------- relapse ----------'        (partial --stage passed--> partial)
///
/// Nothing else happens but an operator's `force`. What is *not* evidence: mistakes of the caller, cancelled
/// calls (F3); throttles count only for the throttling rule (F4). An endpoint with fewer than `samples_min`
/// outcomes per window is judged by failures in a row alone. The baseline learns only from outcomes that left
/// the window while the breaker was closed and not forced: what led to a trip is forgotten with the window.
/// An endpoint that was sick from its first call has a sick baseline; absolute limits are there for that.
class Breaker {
 public:
  explicit Breaker(BreakerPolicy policy);
  ~Breaker();
  Breaker(Breaker&&) noexcept;
  Breaker& operator=(Breaker&&) noexcept;

  /// While open, a failure that counts extends the cool-down and never shortens it (at most to cool_down_max
  /// after the trip). While partial, attempts that began before the cool-down ended prove nothing and are
  /// left out.
  std::optional<BreakerEvent> on_outcome(const Outcome& outcome);
  /// Lets time act: cool-downs end, windows empty. Call at least once a second, and before `admit`.
  std::optional<BreakerEvent> on_tick(Instant now);
  /// Operator override (F13): holds `state` for `ttl`, then the machine goes on from there. Holding `partial`
  /// freezes the ramp where it is. The latest order wins, also over a longer one.
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
