// What an outcome says about its endpoint, and the rules by which outcomes trip a breaker (F1-F5).
#include "runtime/base/clock.hpp"
#include "runtime/policy/breaker_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// No endpoint is assumed to have fewer bad outcomes than this when well.
constexpr double kHealthyBadFloor = 0.01;
constexpr double kP90Tail = 0.1;
/// Hanging calls of a healthy endpoint: at least this share is assumed, and no more is believed. Ten times as
/// many is what the detector looks for.
constexpr double kStallsLeast = 0.001, kStallsMost = 0.002, kStallsSick = 10;

struct SlowRule {
  const char* name;
  WindowSample::Latency WindowSample::*sample;
  OutcomeTally::Latency OutcomeTally::*tally;
};

SlowRule slow_rule(TripReason why) {
  if (why == TripReason::ttft) return {"ttft", &WindowSample::ttft, &OutcomeTally::ttft};
  if (why == TripReason::itl) return {"inter-token", &WindowSample::itl, &OutcomeTally::itl};
  return {"total", &WindowSample::total, &OutcomeTally::total};
}

}  // namespace

std::optional<Verdict> verdict_of(const Outcome& outcome) {
  if (!outcome.error) return Verdict::success;
  switch (*outcome.error) {
    case Errc::rate_limited:
    case Errc::quota_exhausted:
    case Errc::model_not_ready: return Verdict::throttled;
    case Errc::bad_request:
    case Errc::context_length_exceeded:
    case Errc::content_filtered:
    case Errc::cancelled:
    case Errc::invalid_input: return std::nullopt;
    default: return outcome.counts ? std::optional(Verdict::failure) : std::nullopt;
  }
}

WindowSample Breaker::Impl::sample_of(const Outcome& outcome, Verdict verdict) const {
  WindowSample sample;
  sample.at = latest;
  sample.verdict = verdict;
  sample.probe = outcome.probe;
  sample.copy = outcome.copy;
  if (outcome.error == Errc::timeout) sample.kind = FailureKind::timeout;
  if (outcome.error == Errc::stream_broken) sample.kind = FailureKind::stream_break;
  auto latency = [](Duration d, const LatencyLimit& limit) {
    double value = seconds(d);
    return WindowSample::Latency{LatencyGrid::bucket_of(value), limit.broken_by(value)};
  };
  sample.ttft = latency(outcome.ttft, baseline.ttft_limit());
  sample.itl = latency(outcome.itl, baseline.itl_limit());
  if (verdict == Verdict::success && !outcome.probe)
    sample.total = latency(outcome.total, baseline.total_limit());
  return sample;
}

bool Breaker::Impl::hangs(const WindowSample& sample) const {
  if (sample.kind == FailureKind::timeout && sample.verdict == Verdict::failure) return true;
  double limit = baseline.stall_limit().seconds;
  return limit > 0 && sample.ttft.bucket != LatencyGrid::none &&
         LatencyGrid::value_of(sample.ttft.bucket) > limit;
}

TwoShares Breaker::Impl::stall_shares() const {
  double usual = std::clamp(baseline.stall_limit().healthy_above, kStallsLeast, kStallsMost);
  return {usual, kStallsSick * usual};
}

TwoShares Breaker::Impl::trial_shares() const {
  constexpr double sick_most = 0.5;
  auto shares = stall_shares();
  return {shares.healthy, std::min(std::max(shares.sick, stall_trial), sick_most)};
}

// Who is called no more was slow the last time; to forget it with the window would send half of all calls
// there to learn it again. Exploration finds out in time that it has become quicker (D7).
void Breaker::Impl::know_latencies(const WindowSample& sample) {
  auto know = [](double& mean, std::uint16_t bucket) {
    if (bucket != LatencyGrid::none) learn(mean, LatencyGrid::value_of(bucket));
  };
  know(known_ttft, sample.ttft.bucket);
  know(known_itl, sample.itl.bucket);
}

void Breaker::Impl::remember(const WindowSample& sample, bool silent) {
  bool learning = state == BreakerState::closed && !held(latest);
  window.add(sample, [&](const WindowSample& gone) {
    if (learning) baseline.learn(gone, latest);
  });
  measured = latest;
  know_latencies(sample);
  probes.heard(sample.verdict == Verdict::failure || sample.slow(), latest);
  // A throttle neither proves nor disproves sickness, so it does not break a row of failures.
  if (sample.verdict == Verdict::throttled) return;
  failures_in_row = sample.verdict == Verdict::failure ? failures_in_row + 1 : 0;
  only_slow = only_slow && failures_in_row == 0;
  if (state != BreakerState::closed || policy.stall_ratio_max == 0 || silent) return;
  stalls.aim(stall_shares());
  if (!sample.excused) stalls.add(hangs(sample));
}

std::optional<BreakerTrip> Breaker::Impl::find_trip(Instant now) {
  if (failures_in_row >= policy.failures_in_row_max)
    return BreakerTrip{TripReason::errors, fmt::format("{} failures in a row", failures_in_row)};
  if (auto trip = window_trip(window.recent())) return trip;
  if (auto trip = window_trip(window.whole())) return trip;
  if (auto trip = stalls_trip()) return trip;
  return throttle_trip(now);
}

std::optional<BreakerTrip> Breaker::Impl::window_trip(const OutcomeTally& in) const {
  if (in.counts.judged() < policy.samples_min) return std::nullopt;
  if (auto trip = errors_trip(in)) return trip;
  for (auto why : {TripReason::ttft, TripReason::itl, TripReason::latency})
    if (auto trip = slow_trip(why, in)) return trip;
  return std::nullopt;
}

std::optional<BreakerTrip> Breaker::Impl::errors_trip(const OutcomeTally& in) const {
  const auto& counts = in.counts;
  double share = counts.share(counts.failures);
  if (share <= policy.error_share_max) return std::nullopt;
  // Half the limit at most, or an endpoint that was always poor could never trip.
  double usual = std::clamp(baseline.bad_share(), kHealthyBadFloor,
                            std::max(policy.error_share_max / 2, kHealthyBadFloor));
  if (surprise(counts.failures, counts.judged(), usual) > policy.trip_chance_max) return std::nullopt;
  auto detail = fmt::format("failures {:.0f} % > {:.0f} % over {} outcomes", 100 * share,
                            100 * policy.error_share_max, counts.judged());
  if (counts.timeouts + counts.breaks > 0)
    detail += fmt::format(" ({} timeouts, {} broken streams)", counts.timeouts, counts.breaks);
  return BreakerTrip{TripReason::errors, std::move(detail)};
}

std::optional<BreakerTrip> Breaker::Impl::slow_trip(TripReason why, const OutcomeTally& in) const {
  auto rule = slow_rule(why);
  const auto& tally = in.*rule.tally;
  if (tally.seen < policy.samples_min || !tally.p90_over()) return std::nullopt;
  const auto& limit = why == TripReason::ttft  ? baseline.ttft_limit()
                      : why == TripReason::itl ? baseline.itl_limit()
                                               : baseline.total_limit();
  double usual = std::clamp(limit.healthy_above, kHealthyBadFloor, kP90Tail / 2);
  if (surprise(tally.over, tally.seen, usual) > policy.trip_chance_max) return std::nullopt;
  const auto& counts = why == TripReason::ttft  ? window.ttft()
                       : why == TripReason::itl ? window.itl()
                                                : window.total();
  double p90 = &in == &window.recent() ? window.recent_quantile(rule.sample, 0.9) : counts.quantile(0.9);
  auto detail =
      fmt::format("{} p90 {:.3g}s > {:.3g}s over {} samples", rule.name, p90, limit.seconds, tally.seen);
  if (limit.healthy > 0)
    detail += fmt::format(" ({:.1f}x the healthy {:.3g}s)", p90 / limit.healthy, limit.healthy);
  return BreakerTrip{why, std::move(detail)};
}

std::optional<BreakerTrip> Breaker::Impl::stalls_trip() const {
  if (stalls.sum() < stalls_alarm) return std::nullopt;
  return BreakerTrip{TripReason::stalls, fmt::format("{} of {} calls hang, {:.2g} % when well", stalls.hits(),
                                                     stalls.seen(), 100 * stalls.aimed_at().healthy)};
}

bool Breaker::Impl::stalls_allow() const {
  if (stall_trial == 0 || ramp.next_share() <= policy.stall_trial_share) return true;
  return log_ratio(trial_hung, trial_calls, trial_shares()) <= std::log(policy.ramp_error_max);
}

bool Breaker::Impl::stalls_go_on() const {
  if (stall_trial == 0 || trial_hung < policy.stage_failures_max) return false;
  return log_ratio(trial_hung, trial_calls, trial_shares()) >= -std::log(policy.ramp_error_max);
}

std::string Breaker::Impl::stall_figures() const {
  return fmt::format("{} of {} calls on trial hang, {:.2g} % when well", trial_hung, trial_calls,
                     100 * stall_shares().healthy);
}

std::optional<BreakerTrip> Breaker::Impl::throttle_trip(Instant now) {
  double share = window.whole().counts.throttle_share();
  if (share <= policy.throttle_share_max) {
    throttled_since.reset();
    return std::nullopt;
  }
  // Routers turn away from a throttled endpoint, so volume shrinks; it is asked for only when the clock
  // starts.
  if (!throttled_since && window.size() >= policy.samples_min) throttled_since = now;
  if (!throttled_since || now - *throttled_since < policy.throttle_sustained) return std::nullopt;
  return BreakerTrip{TripReason::throttled,
                     fmt::format("{:.0f} % throttled > {:.0f} % for {}", 100 * share,
                                 100 * policy.throttle_share_max, to_human(now - *throttled_since))};
}

}  // namespace troupe::policy
