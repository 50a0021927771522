#include "replay/cloud_endpoint.hpp"

#include "replay/luck.hpp"
#include "replay/trace.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace troupe::replay {
namespace {

using config::FaultKind;

/// A refusal's way there and back.
constexpr Duration kRefusalTime = std::chrono::milliseconds(50);
constexpr Duration kCacheLife = std::chrono::minutes(5);
constexpr double kSecondsMax = 3600;
constexpr std::uint64_t kFaultSalt = 11, kTailSalt = 12, kTtftSalt = 13, kTokenSalt = 14;

// Box-Muller, one value.
double luck_normal(std::uint64_t hash) {
  double u = 1.0 - luck_uniform(hash);
  double v = luck_uniform(luck_mix(hash));
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

Duration log_normal(double median, double sigma, double z) {
  return from_seconds(std::clamp(median * std::exp(sigma * z), 0.0, kSecondsMax));
}

bool in_window(const config::Fault& fault, Duration since_start, std::uint64_t call) {
  auto since = since_start - fault.from;
  if (fault.every > Duration{} && since > Duration{}) since %= fault.every;
  bool in_time = since >= Duration{} && (fault.to == Duration{} || since < fault.to - fault.from);
  return in_time && call >= fault.call_from && (fault.call_to == 0 || call <= fault.call_to);
}

Duration times(Duration d, double factor) { return from_seconds(std::min(seconds(d) * factor, kSecondsMax)); }

}  // namespace

CloudEndpoint::CloudEndpoint(const config::SimulatedEndpoint& model, const config::TimeoutsConfig& timeouts,
                             double scale, Instant start)
    : model_(model),
      timeouts_(timeouts),
      scale_(scale),
      start_(start),
      name_hash_(stable_hash(model.name)),
      capacity_(model.capacity, model.limits, start),
      places_(model.replay.slots, start) {}

std::uint64_t CloudEndpoint::luck_at(const CloudAsk& ask) const {
  return luck_of(ask.luck, name_hash_, ask.nth);
}

CloudEndpoint::Struck CloudEndpoint::strike(std::uint64_t luck, Instant now) const {
  Struck struck;
  for (std::size_t i = 0; i < model_.faults.size(); ++i) {
    const auto& fault = model_.faults[i];
    if (!in_window(fault, now - start_, calls_)) continue;
    if (fault.share < 1 && luck_uniform(luck_of(luck, kFaultSalt, i)) >= fault.share) continue;
    switch (fault.kind) {
      case FaultKind::down:
      case FaultKind::half_open:
      case FaultKind::model_error:
      case FaultKind::throttle:
      case FaultKind::errors:
      case FaultKind::unavailable:
        if (struck.refusal == nullptr) struck.refusal = &fault;
        break;
      case FaultKind::slow: struck.slow *= fault.factor; break;
      case FaultKind::late_first_token: struck.late += fault.delay; break;
      case FaultKind::slow_head: struck.head_late += fault.delay; break;
      case FaultKind::poor_quality: struck.poor = true; break;
      default:
        if (struck.breakage == nullptr) struck.breakage = &fault;
    }
  }
  return struck;
}

CloudEndpoint::Pace CloudEndpoint::draw(std::uint64_t luck, double input_tokens) const {
  const auto& law = model_.latency;
  double z = luck_normal(luck_of(luck, kTtftSalt));
  double median = seconds(law.ttft_median) + seconds(law.ttft_per_1k_input) * input_tokens / 1000;
  double sigma = law.ttft_sigma;
  const auto& tail = model_.replay;
  if (tail.tail_share > 0 && luck_uniform(luck_of(luck, kTailSalt)) < tail.tail_share) {
    median = seconds(tail.tail_ttft_median);
    sigma = tail.tail_ttft_sigma;
  }
  double token_z = luck_normal(luck_of(luck, kTokenSalt));
  return {log_normal(median * scale_, sigma, z),
          log_normal(seconds(law.inter_token_median) * scale_, law.inter_token_sigma, token_z)};
}

Fate CloudEndpoint::refused(Errc code, std::optional<Duration> retry_after) const {
  Fate fate;
  fate.end = kRefusalTime;
  fate.error = code;
  fate.retry_after = retry_after;
  return fate;
}

Fate CloudEndpoint::struck_down(const config::Fault& fault, const CloudAsk& ask, Instant now) const {
  Fate fate = refused(Errc::transient_server, {});
  if (fault.kind == FaultKind::throttle) {
    fate.error = Errc::rate_limited;
    if (fault.retry_after > Duration{}) fate.retry_after = fault.retry_after;
  }
  if (fault.kind == FaultKind::unavailable) fate.error = Errc::overloaded;
  if (fault.kind == FaultKind::half_open) {
    fate.error = Errc::timeout;
    fate.end = timeouts_.header;
    // Nobody knows whether it was read: the books count it, to be on the safe side.
    fate.input = ask.input_tokens;
    apply_timers(ask, now, fate);
  }
  return fate;
}

// Places are given in order of arrival; the time of each is known when it begins, so a heap of ends suffices.
Duration CloudEndpoint::wait_for_place(Duration service, Instant now) {
  if (places_.empty()) return {};
  std::ranges::pop_heap(places_, std::greater<>());
  auto begins = std::max(places_.back(), now);
  places_.back() = begins + service;
  std::ranges::push_heap(places_, std::greater<>());
  return begins - now;
}

std::uint32_t CloudEndpoint::cached_tokens(const CloudAsk& ask, Instant now) {
  if (ask.blocks.empty()) return 0;
  std::uint32_t known = 0;
  bool unbroken = true;
  if (block_used_.size() + ask.blocks.size() > blocks_max)
    std::erase_if(block_used_, [&](const auto& entry) { return now - entry.second > kCacheLife; });
  if (block_used_.size() + ask.blocks.size() > blocks_max) block_used_.clear();
  for (auto block : ask.blocks) {
    auto [it, fresh] = block_used_.try_emplace(block, now);
    unbroken = unbroken && !fresh && now - it->second <= kCacheLife;
    known += unbroken ? 1 : 0;
    it->second = now;
  }
  return std::min(known * block_tokens, ask.input_tokens);
}

void CloudEndpoint::break_off(const config::Fault& fault, Fate& fate) const {
  fate.end = fate.first_token + (fate.end - fate.first_token) / 2;
  fate.output /= 2;
  fate.error = fault.kind == FaultKind::in_stream_error ? Errc::transient_server : Errc::stream_broken;
  if (fault.kind == FaultKind::stall) fate.end += timeouts_.idle;
}

void CloudEndpoint::apply_timers(const CloudAsk& ask, Instant now, Fate& fate) const {
  auto cut = [&](Duration at, Errc code) {
    if (at <= Duration{} || fate.end <= at) return;
    bool begun = fate.first_token > Duration{} && fate.first_token <= at;
    if (begun && fate.end > fate.first_token) {
      double part = seconds(at - fate.first_token) / seconds(fate.end - fate.first_token);
      fate.output = static_cast<std::uint32_t>(fate.output * part);
    } else {
      fate.first_token = {};
      fate.output = 0;
    }
    fate.end = at;
    fate.error = code;
  };
  bool late = fate.first_token == Duration{} || fate.first_token > timeouts_.first_byte;
  if (late) cut(timeouts_.first_byte, Errc::timeout);
  cut(timeouts_.total, Errc::timeout);
  cut(ask.deadline - now, Errc::deadline_exceeded);
}

void CloudEndpoint::set_calm(Fate& fate, const Pace& pace, const CloudAsk& ask) {
  fate.calm_first = pace.ttft;
  fate.calm_end = pace.ttft + pace.per_token * std::max<std::int64_t>(std::int64_t(ask.output_tokens) - 1, 0);
}

Fate CloudEndpoint::begin(const CloudAsk& ask, Instant now) {
  ++calls_;
  auto luck = luck_at(ask);
  auto struck = strike(luck, now);
  if (struck.refusal != nullptr) return struck_down(*struck.refusal, ask, now);
  if (now - start_ < model_.ready_after) return refused(Errc::model_not_ready, {});
  if (ask.input_tokens > model_.context_tokens_max) return refused(Errc::context_length_exceeded, {});

  Fate fate;
  auto cached = cached_tokens(ask, now);
  auto input = ask.input_tokens - cached;
  CapacityNeed need{double(input), double(cached), double(ask.output_tokens_max)};
  if (auto refusal = capacity_.admit(need, now, fate.hold))
    return refused(refusal->code, refusal->retry_after);
  fate.admitted = true;
  fate.input = input;
  fate.cached = cached;
  fate.output = ask.output_tokens;
  fate.poor = struck.poor;
  auto pace = draw(luck, input);
  if (cached == 0) set_calm(fate, pace, ask);
  fate.per_token = times(pace.per_token, struck.slow);
  auto served = times(pace.ttft, struck.slow) + struck.late + struck.head_late;
  auto rest = fate.per_token * std::max<std::int64_t>(std::int64_t(ask.output_tokens) - 1, 0);
  fate.first_token = std::max<Duration>(served + wait_for_place(served + rest, now), Duration(1));
  fate.end = fate.first_token + rest;
  if (struck.breakage != nullptr) break_off(*struck.breakage, fate);
  apply_timers(ask, now, fate);
  return fate;
}

Fate CloudEndpoint::unhurried(const CloudAsk& ask) const {
  Fate fate;
  set_calm(fate, draw(luck_at(ask), ask.input_tokens), ask);
  fate.first_token = fate.calm_first;
  fate.end = fate.calm_end;
  return fate;
}

void CloudEndpoint::end(const Fate& fate, std::uint32_t output, Instant now) {
  if (fate.admitted)
    capacity_.settle(fate.hold, {double(fate.input), double(fate.cached), double(output)}, now);
}

}  // namespace troupe::replay
