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
/// A refresh walks both sketches, about a microsecond; once in so many outcomes is often enough.
constexpr std::size_t kRefreshEvery = 32;
constexpr double kDaySeconds = 86'400;

}  // namespace

Baseline::Baseline(const BreakerPolicy& policy)
    : samples_min_(static_cast<double>(std::max<std::size_t>(policy.baseline_samples_min, 1))),
      growth_per_day_(std::max(1.0, policy.baseline_growth_per_day)),
      half_life_(policy.baseline_half_life),
      ttft_rule_{policy.ttft_p90_max, policy.ttft_ratio_max},
      total_rule_{policy.total_p90_max, policy.total_ratio_max} {
  refresh_signal(ttft_, ttft_rule_, 1);
  refresh_signal(total_, total_rule_, 1);
}

void Baseline::learn(const WindowSample& sample, Instant now) {
  if (sample.verdict == Verdict::throttled) return;
  if (!started_) {
    started_ = true;
    refreshed_ = faded_ = now;
  }
  bool success = sample.verdict == Verdict::success;
  bool slow = ttft_.limit.broken_by(sample.ttft) || (success && total_.limit.broken_by(sample.total));
  seen_ += 1;
  bad_ += !success || slow;
  ttft_.sketch.add(sample.ttft);
  if (success) total_.sketch.add(sample.total);
  if (++since_refresh_ >= kRefreshEvery) refresh(now);
}

void Baseline::refresh(Instant now) {
  since_refresh_ = 0;
  double days = std::max(0.0, seconds(now - refreshed_)) / kDaySeconds;
  double growth = std::pow(growth_per_day_, days);
  refreshed_ = now;
  fade(now);
  refresh_signal(ttft_, ttft_rule_, growth);
  refresh_signal(total_, total_rule_, growth);
}

void Baseline::fade(Instant now) {
  constexpr double fade_step = 3600;
  double passed = seconds(now - faded_);
  if (passed < fade_step || half_life_ <= Duration::zero()) return;
  double kept = std::exp2(-passed / seconds(half_life_));
  ttft_.sketch.fade(kept);
  total_.sketch.fade(kept);
  seen_ *= kept;
  bad_ *= kept;
  faded_ = now;
}

void Baseline::refresh_signal(Signal& signal, const Rule& rule, double growth) const {
  double p90 = signal.sketch.quantile(0.9);
  if (signal.sketch.count() >= kLearnedWeight && signal.reference > 0)
    signal.reference = std::clamp(p90, signal.reference / growth, signal.reference * growth);
  else if (signal.sketch.count() >= samples_min_ || signal.reference == 0)
    signal.reference = signal.sketch.count() >= samples_min_ ? p90 : 0;
  signal.limit = {};
  if (rule.absolute > Duration::zero()) signal.limit.seconds = seconds(rule.absolute);
  double relative = rule.ratio * signal.reference;
  if (relative > 0 && (signal.limit.seconds == 0 || relative < signal.limit.seconds)) {
    signal.limit.seconds = relative;
    signal.limit.healthy = signal.reference;
  }
  if (signal.limit.seconds > 0) signal.limit.healthy_above = signal.sketch.share_above(signal.limit.seconds);
}

}  // namespace troupe::policy
