#include "runtime/policy/feedback_trend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// From so many learned ratings on the healthy share moves slowly: doubling takes kDoubling ratings, so that
/// a drift teaches us less quickly than the detector finds it.
constexpr double kSettled = 1000, kDoubling = 20'000;
/// Beyond this the past fades.
constexpr double kWeightMax = 10'000;
constexpr double kLeastBad = 0.01;
/// Either may alarm, so each has its part of the errors allowed.
constexpr double kDetectors = 2;
/// The healthy share is taken one standard error high: too low a figure is what false alarms come from.
constexpr double kCaution = 1;

}  // namespace

FeedbackTrend::FeedbackTrend(const BreakerPolicy& policy)
    : ratio_(policy.feedback_ratio_max),
      alarm_(std::log(kDetectors * std::max(policy.feedback_false_alarm, 2.0))),
      error_max_(policy.ramp_error_max),
      samples_min_(policy.feedback_samples_min) {}

TwoShares FeedbackTrend::aim(std::size_t detector) const {
  double healthy = std::clamp(healthy_, kLeastBad, 0.95), ratio = detector == 0 ? ratio_ : ratio_ * ratio_;
  return {healthy, std::min(healthy * ratio, (1 + healthy) / 2)};
}

bool FeedbackTrend::rated(bool good) {
  if (ratio_ <= 1) return false;
  if (waiting_count_ == late)
    learn(waiting_[waiting_at_]);
  else
    ++waiting_count_;
  waiting_[waiting_at_] = !good;
  waiting_at_ = (waiting_at_ + 1) % late;
  if (healthy_ <= 0) return false;
  for (std::size_t i = 0; i < grown_.size(); ++i) {
    grown_[i].aim(aim(i));
    grown_[i].add(!good);
  }
  const auto& surest = std::ranges::max(grown_, {}, &ShareCusum::sum);
  if (surest.sum() < alarm_) return false;
  figures_ = fmt::format("{} of the last {} ratings bad ({:.1f} %), {:.1f} % when well", surest.hits(),
                         surest.seen(), 100 * surest.share(), 100 * healthy_);
  for (auto& each : grown_) each.reset();
  waiting_count_ = 0;
  return true;
}

void FeedbackTrend::learn(bool bad) {
  if (learned_ >= kWeightMax) {
    learned_bad_ *= 1 - 1 / kWeightMax;
    learned_ *= 1 - 1 / kWeightMax;
  }
  learned_ += 1;
  learned_bad_ += bad;
  if (learned_ >= static_cast<double>(samples_min_)) refresh();
}

void FeedbackTrend::refresh() {
  double share = learned_bad_ / learned_;
  double upper = share + kCaution * std::sqrt(std::max(share * (1 - share), kLeastBad / 4) / learned_);
  static const double step = std::exp2(1 / kDoubling);
  healthy_ = settled_ ? std::clamp(upper, healthy_ / step, healthy_ * step) : upper;
  settled_ = settled_ || learned_ >= kSettled;
}

void FeedbackTrend::restore(double healthy) {
  if (!(healthy > 0 && healthy < 1)) return;
  healthy_ = healthy;
  settled_ = true;
}

void FeedbackTrend::begin_trial() { trial_seen_ = trial_bad_ = 0; }

void FeedbackTrend::rated_on_trial(bool good) {
  ++trial_seen_;
  trial_bad_ += !good;
}

bool FeedbackTrend::trial_well() const {
  return log_ratio(trial_bad_, trial_seen_, aim(0)) <= std::log(error_max_);
}

bool FeedbackTrend::trial_sick() const {
  auto sure = [&](std::size_t detector) {
    return log_ratio(trial_bad_, trial_seen_, aim(detector)) >= -std::log(error_max_ / kDetectors);
  };
  return sure(0) || sure(1);
}

std::string FeedbackTrend::figures() const { return figures_; }

std::string FeedbackTrend::trial_figures() const {
  return fmt::format("{} of {} ratings on trial bad, {:.1f} % when well", trial_bad_, trial_seen_,
                     100 * healthy_);
}

}  // namespace troupe::policy
