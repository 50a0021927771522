// How the healthy baseline learns, fades and drifts.
#include "runtime/policy/baseline.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// Below this weight the reference follows the sketch freely: an early estimate of a p90 is too rough to hold
/// on to.
constexpr double kLearnedWeight = 1000;
/// A refresh walks the sketches, some microseconds; once in so many outcomes is often enough, and more seldom
/// when many have been learned, for one hundred more change little then.
constexpr std::size_t kRefreshEvery = 32, kRefreshLearnedEvery = 256;
constexpr double kDaySeconds = 86'400;

}  // namespace

Baseline::Baseline(const BreakerPolicy& policy)
    : samples_min_(static_cast<double>(std::max<std::size_t>(policy.baseline_samples_min, 1))),
      growth_per_day_(std::max(1.0, policy.baseline_growth_per_day)),
      stall_ratio_(policy.stall_ratio_max),
      half_life_(policy.baseline_half_life) {
  ttft_.rule = {policy.ttft_p90_max, policy.ttft_ratio_max};
  itl_.rule = {policy.itl_p90_max, policy.itl_ratio_max};
  total_.rule = {policy.total_p90_max, policy.total_ratio_max};
  set_limits();
}

void Baseline::learn(const WindowSample& sample, Instant now) {
  if (sample.verdict == Verdict::throttled || sample.probe || sample.crowded) return;
  if (!started_) {
    started_ = true;
    refreshed_ = faded_ = now;
  }
  seen_ += 1;
  bad_ += sample.verdict == Verdict::failure || sample.slow();
  ttft_.sketch.add_bucket(sample.ttft.bucket);
  itl_.sketch.add_bucket(sample.itl.bucket);
  total_.sketch.add_bucket(sample.total.bucket);
  auto every = ttft_.sketch.count() < kLearnedWeight ? kRefreshEvery : kRefreshLearnedEvery;
  if (++since_refresh_ >= every) refresh(now);
}

void Baseline::refresh(Instant now) {
  since_refresh_ = 0;
  double days = std::max(0.0, seconds(now - refreshed_)) / kDaySeconds;
  double growth = std::pow(growth_per_day_, days);
  refreshed_ = now;
  fade(now);
  for (auto* signal : {&ttft_, &itl_, &total_}) refresh_signal(*signal, growth);
  set_limits();
}

void Baseline::fade(Instant now) {
  constexpr double fade_step = 3600;
  double passed = seconds(now - faded_);
  if (passed < fade_step || half_life_ <= Duration::zero()) return;
  double kept = std::exp2(-passed / seconds(half_life_));
  for (auto* signal : {&ttft_, &itl_, &total_}) signal->sketch.fade(kept);
  seen_ *= kept;
  bad_ *= kept;
  faded_ = now;
}

void Baseline::refresh_signal(Signal& signal, double growth) const {
  if (signal.sketch.count() < samples_min_) return;
  double p90 = signal.sketch.quantile(0.9);
  signal.learned |= signal.sketch.count() >= kLearnedWeight && signal.reference > 0;
  signal.reference =
      signal.learned ? std::clamp(p90, signal.reference / growth, signal.reference * growth) : p90;
}

void Baseline::set_limits() {
  for (auto* signal : {&ttft_, &itl_, &total_}) set_limit(*signal);
  stall_ = {stall_ratio_ * ttft_.reference, ttft_.reference, 0};
  if (stall_.seconds > 0) stall_.healthy_above = ttft_.sketch.share_above(stall_.seconds);
}

void Baseline::set_limit(Signal& signal) {
  signal.limit = {};
  if (signal.rule.absolute > Duration::zero()) signal.limit.seconds = seconds(signal.rule.absolute);
  double relative = signal.rule.ratio * signal.reference;
  if (relative > 0 && (signal.limit.seconds == 0 || relative < signal.limit.seconds)) {
    signal.limit.seconds = relative;
    signal.limit.healthy = signal.reference;
  }
  if (signal.limit.seconds > 0) signal.limit.healthy_above = signal.sketch.share_above(signal.limit.seconds);
}

HealthyFigures Baseline::figures() const {
  return {ttft_.reference, itl_.reference, total_.reference, bad_share()};
}

void Baseline::restore(const HealthyFigures& figures) {
  auto take = [](Signal& signal, double reference) {
    if (!(reference > 0) || !std::isfinite(reference)) return;
    signal.reference = reference;
    signal.learned = true;
  };
  take(ttft_, figures.ttft_p90);
  take(itl_, figures.itl_p90);
  take(total_, figures.total_p90);
  if (figures.bad_share > 0 && figures.bad_share <= 1) restored_bad_ = figures.bad_share;
  set_limits();
}

}  // namespace troupe::policy
