// The breaker's state machine. Evidence is weighed in evidence, baseline and ramp; here it only changes
// state.
#include "runtime/policy/breaker.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/policy/baseline.hpp"
#include "runtime/policy/evidence.hpp"
#include "runtime/policy/outcome_window.hpp"
#include "runtime/policy/ramp.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::policy {
namespace {

/// No endpoint is assumed to have fewer bad outcomes than this when well.
constexpr double kHealthyBadFloor = 0.01;
constexpr double kP90Tail = 0.1;
/// The recent window holds this many times samples_min.
constexpr std::size_t kRecentVolumes = 3;

/// What an outcome says about the endpoint; nothing when it says something about the caller or us (F3).
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

Instant saturating_add(Instant now, Duration d) {
  return d > Instant::max() - now ? Instant::max() : now + d;
}

struct Trip {
  TripReason reason;
  std::string detail;
};

}  // namespace

struct Breaker::Impl {
  explicit Impl(BreakerPolicy p)
      : policy(std::move(p)),
        window(policy.window, std::max(policy.window_samples_max, policy.samples_min)),
        recent(policy.window, kRecentVolumes * policy.samples_min),
        baseline(policy),
        ramp(policy) {}

  const BreakerPolicy policy;
  /// The whole window, and its last few outcomes: hundreds of good calls from before a fault began must not
  /// hide it.
  OutcomeWindow window, recent;
  Baseline baseline;
  Ramp ramp;
  BreakerState state = BreakerState::closed;
  TripReason reason = TripReason::none;
  std::size_t failures_in_row = 0, relapses = 0;
  Instant latest, opened, cool_until, partial_since;
  std::optional<Instant> closed_since, forced_until, throttled_since;

  bool held(Instant now) const { return forced_until && now < *forced_until; }
  double share() const;
  void advance_time(Instant now);
  void remember(const Outcome& outcome, Verdict verdict);
  void forget();

  std::optional<Trip> find_trip(Instant now);
  std::optional<Trip> window_trip(const OutcomeWindow& in) const;
  std::optional<Trip> errors_trip(const OutcomeWindow& in) const;
  std::optional<Trip> slow_trip(TripReason why, const SortedValues& values, const LatencyLimit& limit) const;
  std::optional<Trip> throttle_trip(Instant now);

  BreakerEvent change(BreakerState to, TripReason why, std::string detail);
  BreakerEvent open(Instant now, Trip trip);
  BreakerEvent begin_partial(Instant now);
  void extend_cool_down(Instant now);
  std::optional<BreakerEvent> on_evidence(const Outcome& outcome, Verdict verdict);
  std::optional<BreakerEvent> step_ramp(Instant now);
};

double Breaker::Impl::share() const {
  if (state == BreakerState::partial) return ramp.share();
  return state == BreakerState::closed ? 1 : 0;
}

void Breaker::Impl::advance_time(Instant now) {
  latest = std::max(latest, now);
  bool learning = state == BreakerState::closed && !held(latest);
  for (const auto& sample : window.evict(latest))
    if (learning) baseline.learn(sample, latest);
  recent.evict(latest);
}

void Breaker::Impl::remember(const Outcome& outcome, Verdict verdict) {
  WindowSample sample{latest, verdict, seconds(outcome.ttft), seconds(outcome.total)};
  window.add(sample);
  recent.add(sample);
  // A throttle neither proves nor disproves sickness, so it does not break a row of failures.
  if (verdict == Verdict::failure) ++failures_in_row;
  if (verdict == Verdict::success) failures_in_row = 0;
}

void Breaker::Impl::forget() {
  window.clear();
  recent.clear();
  failures_in_row = 0;
  throttled_since.reset();
}

std::optional<Trip> Breaker::Impl::find_trip(Instant now) {
  if (failures_in_row >= policy.failures_in_row_max)
    return Trip{TripReason::errors, fmt::format("{} failures in a row", failures_in_row)};
  if (auto trip = window_trip(recent)) return trip;
  if (auto trip = window_trip(window)) return trip;
  return throttle_trip(now);
}

std::optional<Trip> Breaker::Impl::window_trip(const OutcomeWindow& in) const {
  if (auto trip = errors_trip(in)) return trip;
  if (auto trip = slow_trip(TripReason::ttft, in.ttft(), baseline.ttft_limit())) return trip;
  return slow_trip(TripReason::latency, in.total(), baseline.total_limit());
}

std::optional<Trip> Breaker::Impl::errors_trip(const OutcomeWindow& in) const {
  double share = in.failure_share();
  if (in.judged() < policy.samples_min || share <= policy.error_share_max) return std::nullopt;
  // Half the limit at most, or an endpoint that was always poor could never trip.
  double usual =
      std::clamp(baseline.bad_share(), kHealthyBadFloor, std::max(policy.error_share_max / 2, 1e-9));
  if (surprise(in.failures(), in.judged(), usual) > policy.trip_chance_max) return std::nullopt;
  return Trip{TripReason::errors, fmt::format("failures {:.0f} % > {:.0f} % over {} outcomes", 100 * share,
                                              100 * policy.error_share_max, in.judged())};
}

std::optional<Trip> Breaker::Impl::slow_trip(TripReason why, const SortedValues& values,
                                             const LatencyLimit& limit) const {
  double p90 = values.quantile(0.9);
  if (values.size() < policy.samples_min || !limit.broken_by(p90)) return std::nullopt;
  double usual = std::clamp(limit.healthy_above, kHealthyBadFloor, kP90Tail / 2);
  if (surprise(values.count_above(limit.seconds), values.size(), usual) > policy.trip_chance_max)
    return std::nullopt;
  auto detail = fmt::format("{} p90 {:.2f}s > {:.2f}s over {} samples",
                            why == TripReason::ttft ? "ttft" : "total", p90, limit.seconds, values.size());
  if (limit.healthy > 0)
    detail += fmt::format(" ({:.1f}x the healthy {:.2f}s)", p90 / limit.healthy, limit.healthy);
  return Trip{why, std::move(detail)};
}

std::optional<Trip> Breaker::Impl::throttle_trip(Instant now) {
  double share = window.throttle_share();
  if (share <= policy.throttle_share_max) {
    throttled_since.reset();
    return std::nullopt;
  }
  // Routers turn away from a throttled endpoint, so volume shrinks; it is asked for only when the clock
  // starts.
  if (!throttled_since && window.size() >= policy.samples_min) throttled_since = now;
  if (!throttled_since || now - *throttled_since < policy.throttle_sustained) return std::nullopt;
  return Trip{TripReason::throttled,
              fmt::format("{:.0f} % throttled > {:.0f} % for {}", 100 * share,
                          100 * policy.throttle_share_max, to_human(now - *throttled_since))};
}

BreakerEvent Breaker::Impl::change(BreakerState to, TripReason why, std::string detail) {
  BreakerEvent event;
  event.from = state;
  event.to = state = to;
  event.reason = reason = why;
  event.share = share();
  event.detail = std::move(detail);
  return event;
}

BreakerEvent Breaker::Impl::open(Instant now, Trip trip) {
  // A trip soon after a recovery is the same sickness: the cool-down goes on growing, or an endpoint that is
  // well just long enough to pass the ramp would be tried at its own rhythm for ever (F9).
  bool again =
      trip.reason == TripReason::relapse || (closed_since && now - *closed_since < policy.cool_down_max);
  relapses = again ? std::min<std::size_t>(relapses + 1, 32) : 0;
  double factor = static_cast<double>(1ULL << relapses);
  double most = seconds(policy.cool_down_max);
  auto cool = from_seconds(std::min(seconds(policy.cool_down) * factor, most));
  opened = now;
  cool_until = saturating_add(now, cool);
  forget();
  trip.detail += fmt::format("; cooling down for {}", to_human(cool_until - now));
  return change(BreakerState::open, trip.reason, std::move(trip.detail));
}

void Breaker::Impl::extend_cool_down(Instant now) {
  auto cool = std::min(policy.cool_down, policy.cool_down_max);
  auto wanted = std::min(saturating_add(now, cool), saturating_add(opened, policy.cool_down_max));
  cool_until = std::max(cool_until, wanted);
}

BreakerEvent Breaker::Impl::begin_partial(Instant now) {
  partial_since = now;
  forget();
  ramp.begin(now);
  return change(BreakerState::partial, TripReason::cooled_down,
                fmt::format("cooled down for {}; {:.3g} % of traffic on trial", to_human(now - opened),
                            100 * ramp.share()));
}

std::optional<BreakerEvent> Breaker::Impl::step_ramp(Instant now) {
  auto usual = baseline.bad_share();
  if (ramp.stage_failed(usual)) return open(now, {TripReason::relapse, "relapse: " + ramp.figures()});
  if (!ramp.stage_passed(now, usual)) return std::nullopt;
  auto figures = ramp.figures();
  if (ramp.advance(now)) return change(BreakerState::partial, TripReason::ramped, std::move(figures));
  closed_since = now;
  throttled_since.reset();
  return change(BreakerState::closed, TripReason::recovered, std::move(figures));
}

std::optional<BreakerEvent> Breaker::Impl::on_evidence(const Outcome& outcome, Verdict verdict) {
  bool free = !held(latest);
  if (state == BreakerState::open) {
    if (free && verdict == Verdict::failure) extend_cool_down(latest);
    return std::nullopt;
  }
  if (state == BreakerState::partial) {
    bool fresh = outcome.trickle || outcome.at - outcome.total >= partial_since;
    if (!fresh || verdict == Verdict::throttled) return std::nullopt;
    bool slow = baseline.ttft_limit().broken_by(seconds(outcome.ttft)) ||
                (verdict == Verdict::success && baseline.total_limit().broken_by(seconds(outcome.total)));
    ramp.add(verdict == Verdict::failure || slow);
    return free ? step_ramp(latest) : std::nullopt;
  }
  if (!free) return std::nullopt;
  auto trip = find_trip(latest);
  return trip ? std::optional(open(latest, std::move(*trip))) : std::nullopt;
}

Breaker::Breaker(BreakerPolicy policy) : impl_(std::make_unique<Impl>(std::move(policy))) {}
Breaker::~Breaker() = default;
Breaker::Breaker(Breaker&&) noexcept = default;
Breaker& Breaker::operator=(Breaker&&) noexcept = default;

std::optional<BreakerEvent> Breaker::on_outcome(const Outcome& outcome) {
  auto verdict = verdict_of(outcome);
  if (!verdict) return std::nullopt;
  impl_->advance_time(outcome.at);
  impl_->remember(outcome, *verdict);
  return impl_->policy.enabled ? impl_->on_evidence(outcome, *verdict) : std::nullopt;
}

std::optional<BreakerEvent> Breaker::on_tick(Instant now) {
  auto& self = *impl_;
  self.advance_time(now);
  if (self.held(self.latest)) return std::nullopt;
  self.forced_until.reset();
  if (!self.policy.enabled) {
    if (self.state == BreakerState::closed) return std::nullopt;
    return self.change(BreakerState::closed, TripReason::forced,
                       "the override ended and this breaker is off");
  }
  if (self.state == BreakerState::partial) return self.step_ramp(self.latest);
  if (self.state == BreakerState::open) {
    if (self.latest < self.cool_until) return std::nullopt;
    return self.begin_partial(self.latest);
  }
  auto trip = self.throttle_trip(self.latest);
  return trip ? std::optional(self.open(self.latest, std::move(*trip))) : std::nullopt;
}

BreakerEvent Breaker::force(BreakerState state, Instant now, Duration ttl) {
  auto& self = *impl_;
  self.advance_time(now);
  now = self.latest;
  auto until = saturating_add(now, std::max(ttl, Duration::zero()));
  if (state == BreakerState::open) {
    self.opened = now;
    self.cool_until = until;
  }
  if (state == BreakerState::partial && self.state != BreakerState::partial) {
    self.partial_since = now;
    self.ramp.begin(now);
  }
  if (state != self.state) self.forget();
  self.forced_until = until;
  return self.change(state, TripReason::forced,
                     fmt::format("held {} for {}", to_string(state), to_human(until - now)));
}

BreakerState Breaker::state() const { return impl_->state; }
double Breaker::share() const { return impl_->share(); }

std::optional<Instant> Breaker::cool_until() const {
  if (impl_->state != BreakerState::open) return std::nullopt;
  return impl_->cool_until;
}

void Breaker::fill(HealthView& view, Instant now) const {
  auto window = impl_->window;
  window.evict(std::max(now, impl_->latest));
  view.state = impl_->state;
  view.reason = impl_->reason;
  view.share = impl_->share();
  view.ttft_p50 = window.ttft().quantile(0.5);
  view.ttft_p90 = window.ttft().quantile(0.9);
  view.total_p50 = window.total().quantile(0.5);
  view.total_p90 = window.total().quantile(0.9);
  view.error_share = window.failure_share();
  view.throttle_share = window.throttle_share();
  view.samples = window.size();
}

}  // namespace troupe::policy
