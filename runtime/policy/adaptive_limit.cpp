#include "runtime/policy/adaptive_limit.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

/// Later than this many times the unloaded first token: no longer cold.
constexpr double kFirstSign = 1.2;
/// In use: so much of the limit was taken.
constexpr double kInUse = 0.8;
constexpr double kWarmGrowth = 1.05;

bool tells_of_overload(Errc code) {
  return code == Errc::rate_limited || code == Errc::overloaded || code == Errc::timeout;
}

}  // namespace

std::optional<std::string> validate(const ConcurrencyPolicy& policy) {
  if (policy.limit_min == 0 || policy.limit_start < policy.limit_min || policy.limit_max < policy.limit_start)
    return fmt::format("limits are {}, {}, {}; they must grow from limit_min (1 or more) to limit_max",
                       policy.limit_min, policy.limit_start, policy.limit_max);
  if (policy.samples_min == 0 || policy.samples_min > 64)
    return fmt::format("samples_min is {}; it must be from 1 to 64", policy.samples_min);
  if (!(policy.ttft_tolerance > 1 && policy.ttft_tolerance <= 100))
    return fmt::format("ttft_tolerance is {}; it must be above 1, usually 2", policy.ttft_tolerance);
  if (!(policy.decrease > 0 && policy.decrease < 1))
    return fmt::format("decrease is {}; it must lie between 0 and 1, usually 0.7", policy.decrease);
  if (!(policy.growth >= 1 && policy.growth <= 4))
    return fmt::format("growth is {}; it must be from 1 to 4, usually 1.25", policy.growth);
  return std::nullopt;
}

AdaptiveLimit::AdaptiveLimit(ConcurrencyPolicy policy) : policy_(policy), limit_(policy.limit_start) {
  policy_.samples_min = std::clamp<std::uint32_t>(policy.samples_min, 1, samples_most);
}

std::uint32_t AdaptiveLimit::limit() const {
  return policy_.enabled ? static_cast<std::uint32_t>(limit_) : policy_.limit_max;
}

void AdaptiveLimit::on_end(std::optional<Errc> error, Duration ttft, std::uint32_t in_flight) {
  if (!policy_.enabled) return;
  peak_ = std::max(peak_, in_flight);
  bool old = out_before_ > 0;
  if (old) --out_before_;
  bool known = old && shrunk_;
  if (error && tells_of_overload(*error) && !known) return shrink(policy_.decrease, in_flight);
  if (!error && ttft > Duration::zero() && !old) on_sample(seconds(ttft), in_flight);
}

void AdaptiveLimit::on_sample(double ttft, std::uint32_t in_flight) {
  ttft_[samples_++] = static_cast<float>(ttft);
  if (samples_ < policy_.samples_min) return;
  auto middle = ttft_.begin() + static_cast<std::ptrdiff_t>(samples_ / 2);
  std::nth_element(ttft_.begin(), middle, ttft_.begin() + static_cast<std::ptrdiff_t>(samples_));
  judge(*middle, in_flight);
  samples_ = 0;
  peak_ = 0;
}

void AdaptiveLimit::judge(double median, std::uint32_t in_flight) {
  if (unloaded_ <= 0) unloaded_ = median;
  double ratio = median / unloaded_;
  cold_ = cold_ && ratio <= kFirstSign;
  // At the floor it is not our load that makes it slow: this is how it is now.
  if (limit_ <= policy_.limit_min) unloaded_ = std::max(unloaded_, median);
  if (ratio > policy_.ttft_tolerance) return shrink(std::max(0.5, policy_.ttft_tolerance / ratio), peak_);
  // Down at once, up slowly and only when idle: a lasting load must not pass for the unloaded state.
  if (median < unloaded_) unloaded_ += 0.5 * (median - unloaded_);
  if (peak_ < kInUse * limit_ && ratio <= kFirstSign) unloaded_ += 0.01 * std::max(0.0, median - unloaded_);
  if (peak_ < kInUse * limit_) return;
  double grown = cold_ ? limit_ * policy_.growth : std::max(limit_ + 1, limit_ * kWarmGrowth);
  limit_ = std::min<double>(grown, policy_.limit_max);
  shrunk_ = false;
  out_before_ = in_flight > 0 ? in_flight - 1 : 0;
}

void AdaptiveLimit::shrink(double factor, std::uint32_t in_flight) {
  // What was not even in use is not what was too much.
  limit_ = std::min(limit_, std::max<double>(in_flight, policy_.limit_min));
  limit_ = std::max<double>(limit_ * factor, policy_.limit_min);
  cold_ = false;
  shrunk_ = true;
  out_before_ = in_flight > 0 ? in_flight - 1 : 0;
  samples_ = 0;
  peak_ = 0;
}

}  // namespace troupe::policy
