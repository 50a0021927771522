// Every option of an endpoint's circuit breaker (MECHANISMS C11, F1-F15).
#pragma once

#include "runtime/policy/probe_policy.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <optional>
#include <string>
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

  /// Absolute limits on the p90 of time to first token, of inter-token latency and of total latency; zero:
  /// only the relative one.
  Duration ttft_p90_max{};
  Duration itl_p90_max{};
  Duration total_p90_max{};
  /// Limits relative to the endpoint's own healthy baseline (its p90 while closed); zero: off.
  double ttft_ratio_max = 3;
  double itl_ratio_max = 3;
  double total_ratio_max = 3;
  /// A call hangs when its first token takes this many times the healthy p90, or when it times out. More than
  /// some 0.7 % of them, over as many calls as that takes to be sure, is sickness although p90 is fine: the
  /// grey failure. A call that hangs counts the moment that is known, not when it ends (Breaker::on_silence).
  /// Zero: off.
  double stall_ratio_max = 10;
  /// After a trip by hanging calls no more than this share until a sequential test over the trial's calls
  /// refutes that half as many hang as did then. The ramp's own test bears more of them than a grey failure
  /// has, so it would let the endpoint back again and again. 1: off.
  double stall_trial_share = 0.5;
  /// Calls that are slow or hang are held against the endpoint only while at least this share of those that
  /// could take its traffic do clearly better (PeerBoard). Where all are slow together the load is too much,
  /// and to leave one endpoint crowds the others: slowness alone closes no more than the rest of them.
  /// Failures count whatever the others do. 0: off.
  double peers_well_min = 0.5;
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

  /// The share of bad ratings has grown by this factor: degradation by feedback (C11). Zero: feedback is not
  /// looked at.
  double feedback_ratio_max = 2;
  /// Ratings before the endpoint's own share of bad ones is taken as known.
  std::size_t feedback_samples_min = 200;
  /// Ratings between false alarms, in the mean, at least.
  double feedback_false_alarm = 1e5;
  /// After a trip by feedback no more than this share until the ratings of the trial are good, or until
  /// `feedback_patience` has passed without enough of them.
  double feedback_trial_share = 0.25;
  Duration feedback_patience = std::chrono::hours(24);

  /// After a trip nothing is admitted for this long; doubles on each relapse up to the maximum (F9). A trip
  /// within five times the maximum after a recovery is a relapse too. More than a minute would buy little: a
  /// first stage costs a handful of calls that fall back, while what is left of the cool-down is lost when
  /// the fault ends.
  Duration cool_down = std::chrono::seconds(5);
  Duration cool_down_max = std::chrono::minutes(1);
  /// Shares of traffic admitted stage by stage (F8). Last must be 1.
  std::vector<double> ramp{0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.0};
  /// A stage is passed after so many outcomes, and so much time, when a sequential test over all outcomes of
  /// the ramp refutes that the endpoint is sick, and ended when one over the stage's own refutes that it is
  /// well (evidence.hpp, log_ratio; either may look after every outcome). An outcome over a latency limit is
  /// as bad as a failure (F5).
  std::size_t stage_samples_min = 5;
  Duration stage_time_min = std::chrono::seconds(2);
  /// Sick, for the test: a share of bad outcomes that puts `ramp_harm_max` of the endpoint's full traffic at
  /// risk in the next stage, `stage_failure_max` at most. And a third of error_share_max at least: a closed
  /// breaker bears the whole of it, so a finer proof would buy nothing but waiting. With the defaults a share
  /// of 50 % takes 32 good calls in a row, and closing 42.
  double stage_failure_max = 0.5;
  double ramp_harm_max = 0.05;
  /// Chance that a stage of a sick endpoint is ever passed, and that one of a healthy endpoint ever relapses.
  double ramp_error_max = 0.05;
  /// A relapse takes at least so many bad outcomes within a stage.
  std::size_t stage_failures_max = 2;

  ProbePolicy probe;
};

/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const BreakerPolicy& policy);

}  // namespace troupe::policy
