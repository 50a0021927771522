// The breaker's state machine. Evidence is weighed in breaker_trips, baseline, feedback_trend and ramp; here
// it only changes state, and looks whether slowness is the endpoint's own.
#include "runtime/policy/breaker.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/policy/breaker_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// The recent outcomes judged by themselves are this many times samples_min: hundreds of good calls from
/// before a fault began must not hide it.
constexpr std::size_t kRecentVolumes = 3;
constexpr std::size_t kRelapsesMost = 32;
/// Hanging calls are too seldom to be judged on less, whatever trip_chance_max allows.
constexpr double kStallChanceMost = 1e-3;
/// Weight of the newest call in a moving mean.
constexpr double kNewest = 1.0 / 16;

bool proves_nothing(const WindowSample& sample) {
  return sample.verdict == Verdict::throttled || (sample.verdict == Verdict::success && sample.excused);
}

bool for_slowness(TripReason why) {
  return why == TripReason::ttft || why == TripReason::itl || why == TripReason::latency ||
         why == TripReason::stalls;
}

std::string order_words(const OrderNote& note) {
  std::string words;
  if (!note.who.empty()) words += " by " + note.who;
  if (!note.why.empty()) words += ": " + note.why;
  return words;
}

}  // namespace

void learn(double& mean, double value) { mean += mean == 0 ? value : kNewest * (value - mean); }

Instant saturating_add(Instant now, Duration d) {
  return d > Instant::max() - now ? Instant::max() : now + d;
}

Breaker::Impl::Impl(BreakerPolicy p)
    : policy(std::move(p)),
      window(policy.window, std::max(policy.window_samples_max, policy.samples_min),
             kRecentVolumes * policy.samples_min),
      baseline(policy),
      stalls_alarm(-std::log(std::min(policy.trip_chance_max, kStallChanceMost))),
      feedback(policy),
      ramp(policy),
      probes(policy.probe) {}

double Breaker::Impl::share() const {
  if (state == BreakerState::partial) return ramp.share();
  return state == BreakerState::closed ? 1 : 0;
}

void Breaker::Impl::advance_time(Instant now) {
  latest = std::max(latest, now);
  bool learning = state == BreakerState::closed && !held(latest);
  window.evict(latest, [&](const WindowSample& gone) {
    if (learning) baseline.learn(gone, latest);
  });
}

void Breaker::Impl::forget() {
  proof.reset();
  window.clear();
  stalls.reset();
  failures_in_row = 0;
  known_ttft = known_itl = 0;
  throttled_since.reset();
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

BreakerEvent Breaker::Impl::open(Instant now, BreakerTrip trip) {
  // A trip soon after a recovery is the same sickness: the cool-down goes on growing, or an endpoint that is
  // well just long enough to pass the ramp would be tried at its own rhythm for ever (F9).
  bool again = trip.reason == TripReason::relapse || (closed_since && now - *closed_since < same_sickness());
  relapses = again ? std::min(relapses + 1, kRelapsesMost) : 0;
  double factor = static_cast<double>(1ULL << relapses);
  auto cool = from_seconds(std::min(seconds(policy.cool_down) * factor, seconds(policy.cool_down_max)));
  opened = now;
  cool_until = saturating_add(now, cool);
  if (trip.reason == TripReason::feedback) feedback_trial = true;
  if (trip.reason != TripReason::relapse) only_slow = for_slowness(trip.reason);
  if (trip.reason == TripReason::stalls && policy.stall_trial_share < 1) stall_trial = stalls.share() / 2;
  forget();
  trip.detail += fmt::format("; cooling down for {}", to_human(cool_until - now));
  return change(BreakerState::open, trip.reason, std::move(trip.detail));
}

void Breaker::Impl::extend_cool_down(Instant now) {
  auto cool = std::min(policy.cool_down, policy.cool_down_max);
  auto wanted = std::min(saturating_add(now, cool), saturating_add(opened, policy.cool_down_max));
  cool_until = std::max(cool_until, wanted);
}

void Breaker::Impl::begin_trial(Instant now) {
  partial_since = now;
  ramp.begin(now);
  feedback.begin_trial();
  trial_calls = trial_hung = 0;
  trial_excused.clear();
}

bool Breaker::Impl::take_excused(const Outcome& outcome) {
  auto it = std::ranges::find(trial_excused, outcome.began);
  if (it == trial_excused.end()) return false;
  trial_excused.erase(it);
  return true;
}

void Breaker::Impl::weigh(bool bad, bool hung) {
  ramp.add(bad);
  ++trial_calls;
  trial_hung += hung;
}

BreakerEvent Breaker::Impl::begin_partial(Instant now) {
  forget();
  begin_trial(now);
  return change(BreakerState::partial, TripReason::cooled_down,
                fmt::format("cooled down for {}; {:.3g} % of traffic on trial", to_human(now - opened),
                            100 * ramp.share()));
}

BreakerEvent Breaker::Impl::close(Instant now, std::string detail) {
  closed_since = now;
  throttled_since.reset();
  feedback_trial = only_slow = false;
  stall_trial = 0;
  return change(BreakerState::closed, TripReason::recovered, std::move(detail));
}

// Nobody is slow at first: the share of slow calls begins at 0, which the first call does not replace.
void Breaker::Impl::strain(bool slow, double ttft) {
  of_late = strain_at(latest);
  of_late.slow += kNewest * ((slow ? 1 : 0) - of_late.slow);
  if (ttft > 0) learn(of_late.ttft, ttft);
  strained = latest;
}

bool Breaker::Impl::slow_together() const {
  if (!peers || policy.peers_well_min == 0) return false;
  auto around = peers->around(seat, strain_at(latest), baseline.ttft_limit().seconds);
  return around.well < policy.peers_well_min * around.others;
}

// Where all are slow there is nowhere better to go, and what is too much for all is too much for fewer.
void Breaker::Impl::look_around(WindowSample& sample, bool slow) const {
  constexpr double strained_by = 0.03;
  if (!slow && strain_at(latest).slow < strained_by) return;
  sample.crowded = slow_together();
  sample.excused = slow && sample.crowded;
  if (!sample.excused) return;
  sample.ttft.over = sample.itl.over = sample.total.over = false;
}

// The rest are slow without it: what it can do is missing there, however slowly it does it.
bool Breaker::Impl::needed() const { return only_slow && !feedback_trial && slow_together(); }

bool Breaker::Impl::feedback_allows(Instant now) const {
  if (!feedback_trial || ramp.share() < policy.feedback_trial_share) {
    if (!feedback_trial || ramp.next_share() <= policy.feedback_trial_share) return true;
  }
  return feedback.trial_well() || now - partial_since >= policy.feedback_patience;
}

std::optional<BreakerEvent> Breaker::Impl::step_ramp(Instant now) {
  if (needed()) return close(now, "the others have become slow without it");
  auto usual = baseline.bad_share();
  if (ramp.stage_failed(usual)) return open(now, {TripReason::relapse, "relapse: " + ramp.figures()});
  if (stalls_go_on()) return open(now, {TripReason::relapse, "relapse: " + stall_figures()});
  if (!ramp.stage_passed(now, usual) || !feedback_allows(now) || !stalls_allow()) return std::nullopt;
  auto figures = ramp.figures();
  if (ramp.advance(now)) return change(BreakerState::partial, TripReason::ramped, std::move(figures));
  return close(now, std::move(figures));
}

std::optional<BreakerEvent> Breaker::Impl::on_evidence(const Outcome& outcome, const WindowSample& sample,
                                                       bool excused) {
  bool free = !held(latest);
  if (state == BreakerState::open) {
    if (free && sample.verdict == Verdict::failure) extend_cool_down(latest);
    return std::nullopt;
  }
  if (state == BreakerState::partial) {
    bool fresh = outcome.trickle || outcome.at - outcome.total >= partial_since;
    if (!fresh || proves_nothing(sample)) return std::nullopt;
    // That it hung has been weighed, or excused by a crowd: then only that it failed as well counts now.
    if (outcome.silent && (!excused || sample.verdict != Verdict::failure)) return std::nullopt;
    weigh(sample.verdict == Verdict::failure || sample.slow(), hangs(sample));
    return free ? step_ramp(latest) : std::nullopt;
  }
  if (!free) return std::nullopt;
  auto trip = find_trip(latest);
  return trip ? std::optional(open(latest, std::move(*trip))) : std::nullopt;
}

std::optional<BreakerEvent> Breaker::Impl::on_trial_silence(const Silence& silence) {
  if (!silence.trickle && silence.began < partial_since) return std::nullopt;
  if (slow_together()) {
    trial_excused.push_back(silence.began);
    return std::nullopt;
  }
  weigh(true, true);
  return held(latest) ? std::nullopt : step_ramp(latest);
}

BreakerEvent Breaker::Impl::ordered(BreakerState to, Instant until, const OrderNote& note) {
  forced_until = until;
  auto left = until == Instant::max() ? std::string("good") : to_human(until - latest);
  return change(to, TripReason::forced,
                fmt::format("held {} for {}{}", to_string(to), left, order_words(note)));
}

Breaker::Breaker(BreakerPolicy policy) : impl_(std::make_unique<Impl>(std::move(policy))) {}
Breaker::~Breaker() = default;
Breaker::Breaker(Breaker&&) noexcept = default;
Breaker& Breaker::operator=(Breaker&&) noexcept = default;
Breaker::Breaker(const Breaker& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Breaker& Breaker::operator=(const Breaker& other) {
  impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}

std::optional<BreakerEvent> Breaker::on_outcome(const Outcome& outcome) {
  auto verdict = verdict_of(outcome);
  bool excused = outcome.silent && impl_->take_excused(outcome);
  if (!verdict) {
    // Another endpoint took the same request, so it is no mistake of the caller's.
    if (outcome.copy && outcome.error != Errc::cancelled) impl_->proof.add(true);
    return std::nullopt;
  }
  impl_->advance_time(outcome.at);
  auto sample = impl_->sample_of(outcome, *verdict);
  bool slow = sample.slow() || impl_->hangs(sample), for_proof = outcome.copy && impl_->customers_speak();
  if (*verdict != Verdict::throttled && !outcome.silent && !for_proof)
    impl_->strain(slow, seconds(outcome.ttft));
  impl_->look_around(sample, slow);
  if (!proves_nothing(sample)) impl_->proof.add(*verdict == Verdict::failure || sample.slow());
  if (for_proof) return std::nullopt;
  impl_->remember(sample, outcome.silent);
  return impl_->policy.enabled ? impl_->on_evidence(outcome, sample, excused) : std::nullopt;
}

Duration Breaker::patience() const { return from_seconds(impl_->baseline.stall_limit().seconds); }

std::optional<BreakerEvent> Breaker::on_silence(const Silence& silence) {
  auto& self = *impl_;
  self.advance_time(silence.at);
  if (!self.hears(silence)) return std::nullopt;
  self.strain(true, seconds(silence.at - silence.began));
  if (self.state == BreakerState::partial) return self.on_trial_silence(silence);
  if (self.state == BreakerState::open || self.slow_together()) return std::nullopt;
  self.stalls.aim(self.stall_shares());
  self.stalls.add(true);
  auto trip = self.held(self.latest) ? std::nullopt : self.stalls_trip();
  return trip ? std::optional(self.open(self.latest, std::move(*trip))) : std::nullopt;
}

std::optional<BreakerEvent> Breaker::on_feedback(bool good, Instant now) {
  auto& self = *impl_;
  self.advance_time(now);
  if (!self.policy.enabled || self.held(self.latest)) return std::nullopt;
  if (self.state == BreakerState::closed && self.feedback.rated(good))
    return self.open(self.latest, {TripReason::feedback, self.feedback.figures()});
  if (self.state != BreakerState::partial || !self.feedback_trial) return std::nullopt;
  self.feedback.rated_on_trial(good);
  if (self.feedback.trial_sick())
    return self.open(self.latest, {TripReason::relapse, "relapse: " + self.feedback.trial_figures()});
  return self.step_ramp(self.latest);
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

BreakerEvent Breaker::force(BreakerState state, Instant now, Duration ttl, const OrderNote& note) {
  auto& self = *impl_;
  self.advance_time(now);
  now = self.latest;
  auto until = saturating_add(now, std::max(ttl, Duration::zero()));
  if (state == BreakerState::open) {
    self.opened = now;
    self.cool_until = until;
  }
  if (state == BreakerState::partial && self.state != BreakerState::partial) self.begin_trial(now);
  // What it holds now is the operator's word, not slowness.
  self.only_slow = false;
  if (state == BreakerState::closed) {
    self.feedback_trial = false;
    self.stall_trial = 0;
  }
  if (state != self.state) self.forget();
  return self.ordered(state, until, note);
}

BreakerEvent Breaker::freeze(Instant now, Duration ttl, const OrderNote& note) {
  auto& self = *impl_;
  self.advance_time(now);
  return self.ordered(self.state, saturating_add(self.latest, std::max(ttl, Duration::zero())), note);
}

bool Breaker::take_probe(Instant now) {
  auto& self = *impl_;
  self.latest = std::max(self.latest, now);
  return self.policy.enabled && self.probes.take(self.state, self.held(self.latest), self.latest);
}

void Breaker::set_peers(std::shared_ptr<const PeerBoard> peers, std::uint32_t self) {
  impl_->peers = std::move(peers);
  impl_->seat = self;
}

Strain Breaker::strain(Instant now) const { return impl_->strain_at(now); }

BreakerState Breaker::state() const { return impl_->state; }
double Breaker::share() const { return impl_->share(); }
std::optional<Instant> Breaker::measured() const { return impl_->measured; }

std::optional<Instant> Breaker::cool_until() const {
  if (impl_->state != BreakerState::open) return std::nullopt;
  return impl_->cool_until;
}

void Breaker::fill(HealthView& view, Instant now) {
  impl_->advance_time(now);
  const auto& window = impl_->window;
  const auto& counts = window.customers();
  view.state = impl_->state;
  view.reason = impl_->reason;
  view.share = impl_->share();
  auto quantile = [](const auto& latencies, double q, double known) {
    auto seconds = latencies.quantile(q);
    return seconds > 0 ? seconds : known;
  };
  view.ttft_p50 = quantile(window.ttft(), 0.5, impl_->known_ttft);
  view.ttft_p90 = quantile(window.ttft(), 0.9, impl_->known_ttft);
  view.ttft_slow = impl_->baseline.ttft_limit().seconds;
  view.itl_p50 = quantile(window.itl(), 0.5, impl_->known_itl);
  view.itl_p90 = quantile(window.itl(), 0.9, impl_->known_itl);
  view.total_p50 = window.total().quantile(0.5);
  view.total_p90 = window.total().quantile(0.9);
  view.error_share = counts.share(counts.failures);
  view.timeout_share = counts.share(counts.timeouts);
  view.break_share = counts.share(counts.breaks);
  view.throttle_share = counts.throttle_share();
  view.samples = counts.all;
  view.proven = impl_->proof.stands();
  view.probes = window.size() - counts.all;
}

}  // namespace troupe::policy
