#include "runtime/policy/latency_sketch.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr double kGamma = (1 + LatencySketch::relative_error) / (1 - LatencySketch::relative_error);
const double kLogGamma = std::log(kGamma);

double sketch_bucket_value(std::size_t bucket) {
  // The point of (gamma^(i-1), gamma^i] that is equally far, relatively, from both ends.
  double upper = LatencySketch::value_min * std::pow(kGamma, static_cast<double>(bucket));
  return std::clamp(2 * upper / (kGamma + 1), LatencySketch::value_min, LatencySketch::value_max);
}

}  // namespace

std::size_t LatencySketch::bucket_of(double seconds) {
  if (seconds <= value_min) return 0;
  double index = std::ceil(std::log(seconds / value_min) / kLogGamma);
  return static_cast<std::size_t>(std::min(index, static_cast<double>(buckets_max - 1)));
}

void LatencySketch::add(double seconds) {
  if (!std::isfinite(seconds) || seconds <= 0) return;
  weight_[bucket_of(seconds)] += 1;
  count_ += 1;
}

double LatencySketch::quantile(double q) const {
  if (count_ <= 0) return 0;
  double wanted = std::clamp(q, 0.0, 1.0) * count_;
  double seen = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < buckets_max; ++i) {
    if (weight_[i] <= 0) continue;
    seen += weight_[i];
    last = i;
    // The slack absorbs rounding of faded weights, so that q = 1 finds the last bucket and q = 0.5 of two the
    // first.
    if (seen >= wanted - 1e-6 * count_) break;
  }
  return sketch_bucket_value(last);
}

double LatencySketch::share_above(double seconds) const {
  if (count_ <= 0) return 0;
  double above = 0;
  for (std::size_t i = bucket_of(seconds) + 1; i < buckets_max; ++i) above += weight_[i];
  return std::min(1.0, above / count_);
}

void LatencySketch::merge(const LatencySketch& other) {
  for (std::size_t i = 0; i < buckets_max; ++i) weight_[i] += other.weight_[i];
  count_ += other.count_;
}

void LatencySketch::fade(double factor) {
  double kept = std::clamp(factor, 0.0, 1.0);
  count_ = 0;
  for (auto& weight : weight_) {
    weight *= kept;
    count_ += weight;
  }
}

}  // namespace troupe::policy
