#include "runtime/policy/latency_sketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace troupe::policy {
namespace {

constexpr double kGamma = (1 + LatencySketch::relative_error) / (1 - LatencySketch::relative_error);
const double kLogGamma = std::log(kGamma);

/// Buckets without a logarithm: the top bits of a double name a cell narrower than a bucket, so that its
/// first bucket or the one after it is right, and one comparison says which.
struct BucketTable {
  static constexpr int mantissa_bits = 6, dropped_bits = 52 - mantissa_bits;
  std::uint64_t first_cell = cell_of(LatencyGrid::value_min);
  std::array<double, LatencyGrid::buckets_max> upper_ends{};
  std::vector<std::uint16_t> first_buckets;

  static std::uint64_t cell_of(double seconds) {
    return std::bit_cast<std::uint64_t>(seconds) >> dropped_bits;
  }
  static double cell_begin(std::uint64_t cell) { return std::bit_cast<double>(cell << dropped_bits); }

  BucketTable() {
    for (std::size_t i = 0; i < upper_ends.size(); ++i)
      upper_ends[i] = LatencyGrid::value_min * std::exp(kLogGamma * static_cast<double>(i));
    for (auto cell = first_cell; cell <= cell_of(upper_ends.back()); ++cell) {
      auto bucket = std::ranges::lower_bound(upper_ends, cell_begin(cell)) - upper_ends.begin();
      first_buckets.push_back(static_cast<std::uint16_t>(bucket));
    }
  }
  std::uint16_t find(double seconds) const {
    auto bucket = first_buckets[cell_of(seconds) - first_cell];
    return static_cast<std::uint16_t>(bucket + (seconds > upper_ends[bucket]));
  }
};
const BucketTable kBuckets;

}  // namespace

std::uint16_t LatencyGrid::bucket_of(double seconds) {
  if (!(seconds > 0) || !std::isfinite(seconds)) return none;
  if (seconds <= value_min) return 0;
  if (seconds >= kBuckets.upper_ends[buckets_max - 2]) return buckets_max - 1;
  return kBuckets.find(seconds);
}

double LatencyGrid::value_of(std::size_t bucket) {
  // The point of (gamma^(i-1), gamma^i] that is equally far, relatively, from both ends.
  return std::clamp(2 * kBuckets.upper_ends[bucket] / (kGamma + 1), value_min, value_max);
}

void LatencySketch::add_bucket(std::uint16_t bucket) {
  if (bucket >= LatencyGrid::buckets_max) return;
  weight_[bucket] += 1;
  count_ += 1;
}

double LatencySketch::quantile(double q) const {
  if (count_ <= 0) return 0;
  double wanted = std::clamp(q, 0.0, 1.0) * count_;
  double seen = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weight_.size(); ++i) {
    if (weight_[i] <= 0) continue;
    seen += weight_[i];
    last = i;
    // The slack absorbs rounding of faded weights, so that q = 1 finds the last bucket and q = 0.5 of two the
    // first.
    if (seen >= wanted - 1e-6 * count_) break;
  }
  return LatencyGrid::value_of(last);
}

double LatencySketch::share_above(double seconds) const {
  if (count_ <= 0 || !(seconds > 0)) return 0;
  double above = 0;
  for (std::size_t i = LatencyGrid::bucket_of(seconds) + std::size_t{1}; i < weight_.size(); ++i)
    above += weight_[i];
  return std::min(1.0, above / count_);
}

void LatencySketch::merge(const LatencySketch& other) {
  for (std::size_t i = 0; i < weight_.size(); ++i) weight_[i] += other.weight_[i];
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

void LatencyCounts::add(std::uint16_t bucket) {
  if (bucket == LatencyGrid::none) return;
  ++counts_[bucket];
  ++sums_[bucket / block];
  ++size_;
}

void LatencyCounts::remove(std::uint16_t bucket) {
  if (bucket == LatencyGrid::none) return;
  --counts_[bucket];
  --sums_[bucket / block];
  --size_;
}

void LatencyCounts::clear() { *this = {}; }

double LatencyCounts::quantile(double q) const {
  if (size_ == 0) return 0;
  double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(size_) - 1e-9);
  auto left = static_cast<std::size_t>(std::max(rank, 1.0));
  std::size_t at = 0;
  while (left > sums_[at]) left -= sums_[at++];
  at *= block;
  while (left > counts_[at]) left -= counts_[at++];
  return LatencyGrid::value_of(at);
}

}  // namespace troupe::policy
