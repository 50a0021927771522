// A breaker's memory over a restart, and the digest of its state.
#include "runtime/policy/breaker_impl.hpp"

#include <algorithm>
#include <bit>

namespace troupe::policy {
namespace {

Duration span_left(Instant until, Instant now) { return std::max(until - now, Duration::zero()); }
// Ten years is for ever, and sums of it do not overflow.
Duration span_kept(Duration span) {
  return std::clamp<Duration>(span, Duration::zero(), std::chrono::hours(24 * 3650));
}

struct Digest {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  void mix(std::uint64_t word) {
    value ^= word;
    value *= 0x9E3779B97F4A7C15ULL;
    value ^= value >> 29;
  }
  void mix(Duration d) { mix(static_cast<std::uint64_t>(d.count())); }
  void mix(double x) { mix(std::bit_cast<std::uint64_t>(x)); }
  void mix(bool b) { mix(std::uint64_t{b}); }
  // What is past is all the same to rules that only ask whether a moment has come.
  void ahead(Instant then, Instant now) { mix(span_left(then, now)); }
  void since(const std::optional<Instant>& then, Instant now, Duration most) {
    mix(then ? std::min(now - *then, most) : Duration(-1));
  }
};

}  // namespace

BreakerMemory Breaker::save(Instant now) const {
  const auto& self = *impl_;
  now = std::max(now, self.latest);
  BreakerMemory memory;
  memory.state = self.state, memory.reason = self.reason;
  if (self.state == BreakerState::open) {
    memory.open_for = now - self.opened;
    memory.cool_left = span_left(self.cool_until, now);
  }
  if (self.forced_until) memory.held_left = span_left(*self.forced_until, now);
  if (self.state == BreakerState::partial) {
    memory.stage = self.ramp.stage();
    memory.ramp_seen = self.ramp.seen();
    memory.ramp_bad = self.ramp.bad();
  }
  memory.relapses = self.relapses;
  if (self.closed_since) memory.recovered_for = now - *self.closed_since;
  memory.feedback_trial = self.feedback_trial;
  memory.only_slow = self.only_slow;
  memory.stall_trial = self.stall_trial;
  memory.healthy = self.baseline.figures();
  memory.healthy_feedback = self.feedback.healthy();
  memory.proof = std::max(self.proof.evidence(), 0.0);
  return memory;
}

void Breaker::restore(const BreakerMemory& memory, Instant now, Duration away) {
  auto& self = *impl_;
  away = span_kept(away);
  self.latest = std::max(self.latest, now);
  self.baseline.restore(memory.healthy);
  self.feedback.restore(memory.healthy_feedback);
  self.proof.restore(memory.proof);
  self.relapses = std::min<std::size_t>(memory.relapses, 32);
  if (memory.recovered_for) self.closed_since = now - span_kept(*memory.recovered_for) - away;
  auto held = span_kept(span_kept(memory.held_left) - away);
  if (held > Duration::zero()) self.forced_until = saturating_add(now, held);
  if (!self.policy.enabled && held <= Duration::zero()) return;
  self.state = memory.state;
  self.reason = memory.reason;
  self.feedback_trial = memory.feedback_trial;
  self.only_slow = memory.only_slow;
  self.stall_trial = std::clamp(memory.stall_trial, 0.0, 1.0);
  self.opened = now - span_kept(memory.open_for) - away;
  self.cool_until = saturating_add(now, span_kept(span_kept(memory.cool_left) - away));
  self.partial_since = now;
  self.ramp.resume(memory.stage, memory.ramp_seen, memory.ramp_bad, now);
}

std::uint64_t Breaker::digest(Instant now) const {
  const auto& self = *impl_;
  Digest d;
  d.mix(static_cast<std::uint64_t>(self.state));
  d.mix(std::uint64_t{self.feedback_trial});
  d.mix(self.stall_trial);
  d.mix(self.only_slow && self.peers != nullptr);
  d.mix(std::uint64_t{self.failures_in_row});
  d.mix(std::uint64_t{self.relapses});
  d.since(self.closed_since, now, self.same_sickness());
  d.since(self.throttled_since, now, self.policy.throttle_sustained);
  d.ahead(self.forced_until.value_or(now), now);
  if (self.state == BreakerState::open) {
    d.ahead(self.cool_until, now);
    d.since(self.opened, now, self.policy.cool_down_max);
  }
  if (self.state == BreakerState::partial) {
    for (auto n : {self.ramp.stage(), self.ramp.seen(), self.ramp.bad(), self.ramp.stage_seen(),
                   self.ramp.stage_bad(), self.ramp.bad_in_row(), self.trial_calls, self.trial_hung})
      d.mix(std::uint64_t{n});
    for (auto began : self.trial_excused) d.mix(now - began);
    d.since(self.ramp.stage_since(), now, self.policy.stage_time_min);
    d.since(self.partial_since, now, std::max(self.policy.window, self.policy.feedback_patience));
  }
  auto figure = [&d](double x) { d.mix(x); };
  self.baseline.each_figure(figure);
  self.feedback.each_figure(figure);
  figure(self.stalls.sum());
  self.window.each([&](const WindowSample& sample) {
    d.mix(now - sample.at);
    d.mix(std::uint64_t{static_cast<std::uint64_t>(sample.verdict)} | std::uint64_t{sample.slow()} << 8 |
          std::uint64_t{sample.ttft.bucket} << 16 | std::uint64_t{sample.total.bucket} << 32 |
          std::uint64_t{sample.itl.bucket} << 48);
  });
  return d.value;
}

}  // namespace troupe::policy
