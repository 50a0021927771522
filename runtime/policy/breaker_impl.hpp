// What a breaker holds and how its parts are cut: trip rules, state machine, memory. Private to breaker*.cpp.
#pragma once

#include "runtime/policy/baseline.hpp"
#include "runtime/policy/breaker.hpp"
#include "runtime/policy/change_detector.hpp"
#include "runtime/policy/feedback_trend.hpp"
#include "runtime/policy/outcome_window.hpp"
#include "runtime/policy/proof.hpp"
#include "runtime/policy/ramp.hpp"

namespace troupe::policy {

struct BreakerTrip {
  TripReason reason;
  std::string detail;
};

struct Breaker::Impl {
  explicit Impl(BreakerPolicy p);

  BreakerPolicy policy;
  OutcomeWindow window;
  Baseline baseline;
  /// Hanging calls, over the long run: too seldom for any window.
  ShareCusum stalls;
  double stalls_alarm;
  FeedbackTrend feedback;
  Ramp ramp;
  ProbeSchedule probes;
  Proof proof;
  BreakerState state = BreakerState::closed;
  TripReason reason = TripReason::none;
  std::size_t failures_in_row = 0, relapses = 0;
  Instant latest, opened, cool_until, partial_since;
  std::optional<Instant> closed_since, forced_until, throttled_since, measured;
  /// Feedback opened it and has not yet said that it is well.
  bool feedback_trial = false;
  /// Seconds to the first token, and for each after it: moving means, for while nobody calls.
  double known_ttft = 0, known_itl = 0;
  /// How the others fare; null: nobody else is known.
  std::shared_ptr<const PeerBoard> peers;
  std::uint32_t seat = 0;
  /// Moving means, and when they last moved.
  Strain of_late;
  /// Slowness opened it, and it has not failed since.
  bool only_slow = false;
  Instant strained;
  /// Hanging calls opened it: the share of them that the trial must refute, 0 when it need not. Calls of this
  /// trial so far, and how many of them hung.
  double stall_trial = 0;
  std::size_t trial_calls = 0, trial_hung = 0;
  /// When those calls of this trial began that hung in a crowd, which proves nothing, and have not ended.
  std::vector<Instant> trial_excused;

  // The state machine, breaker.cpp.
  /// A trip so soon after a recovery is the same sickness.
  Duration same_sickness() const { return 5 * policy.cool_down_max; }
  bool held(Instant now) const { return forced_until && now < *forced_until; }
  double share() const;
  void advance_time(Instant now);
  void forget();
  BreakerEvent change(BreakerState to, TripReason why, std::string detail);
  BreakerEvent open(Instant now, BreakerTrip trip);
  BreakerEvent begin_partial(Instant now);
  BreakerEvent close(Instant now, std::string detail);
  bool needed() const;
  void extend_cool_down(Instant now);
  /// `excused`: nothing was made of its silence.
  std::optional<BreakerEvent> on_evidence(const Outcome& outcome, const WindowSample& sample, bool excused);
  std::optional<BreakerEvent> on_trial_silence(const Silence& silence);
  std::optional<BreakerEvent> step_ramp(Instant now);
  /// May the next stage be given, as far as feedback is concerned?
  bool feedback_allows(Instant now) const;
  void begin_trial(Instant now);
  /// Was nothing made of its silence (it hung in a crowd)? Asked once.
  bool take_excused(const Outcome& outcome);
  /// Evidence from a call of the trial.
  void weigh(bool bad, bool hung);
  BreakerEvent ordered(BreakerState to, Instant until, const OrderNote& note);

  // Outcomes and the rules on them, breaker_trips.cpp.
  WindowSample sample_of(const Outcome& outcome, Verdict verdict) const;
  void remember(const WindowSample& sample, bool silent);
  void know_latencies(const WindowSample& sample);
  /// Customers' calls speak for the endpoint, so copies need not and do not (B5).
  bool customers_speak() const { return window.customers().all > 0; }
  bool hears(const Silence& silence) const {
    return policy.enabled && policy.stall_ratio_max > 0 && !(silence.copy && customers_speak());
  }
  void strain(bool slow, double ttft);
  /// Nothing when it is older than the window.
  Strain strain_at(Instant now) const { return now - strained > policy.window ? Strain{} : of_late; }
  bool slow_together() const;
  void look_around(WindowSample& sample, bool slow) const;
  bool hangs(const WindowSample& sample) const;
  TwoShares stall_shares() const;
  TwoShares trial_shares() const;
  bool stalls_allow() const;
  bool stalls_go_on() const;
  std::string stall_figures() const;
  std::optional<BreakerTrip> find_trip(Instant now);
  std::optional<BreakerTrip> window_trip(const OutcomeTally& in) const;
  std::optional<BreakerTrip> errors_trip(const OutcomeTally& in) const;
  std::optional<BreakerTrip> slow_trip(TripReason why, const OutcomeTally& in) const;
  std::optional<BreakerTrip> stalls_trip() const;
  std::optional<BreakerTrip> throttle_trip(Instant now);
};

/// A moving mean of the last sixteen or so, in seconds; the first is taken as it is, 0 is none yet.
void learn(double& mean, double value);
/// What an outcome says about the endpoint; nothing when it says something about the caller or us (F3).
std::optional<Verdict> verdict_of(const Outcome& outcome);
/// `now` + `d`, at the end of time when that is later.
Instant saturating_add(Instant now, Duration d);

}  // namespace troupe::policy
