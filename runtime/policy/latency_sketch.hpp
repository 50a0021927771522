// Quantiles of very many latencies in a few kilobytes, with a stated relative error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::policy {

/// The geometric grid both kinds of sketch share (Masson, Rim, Lee 2019, "DDSketch: a fast and
/// fully-mergeable quantile sketch with relative-error guarantees"). A bucket's number is all that is kept of
/// a latency; its value is within `relative_error` of what was put in, as long as that lies in [value_min,
/// value_max]; outside it is the nearer end. Seconds throughout.
struct LatencyGrid {
  static constexpr double relative_error = 0.02;
  static constexpr double value_min = 1e-4;
  static constexpr double value_max = 1e5;
  // ceil(log(1e5 / 1e-4) / log(1.02 / 0.98)) = 519 buckets between the ends, and one for each end.
  static constexpr std::size_t buckets_max = 521;
  /// Not a latency: zero, negative or no number.
  static constexpr std::uint16_t none = 0xffff;

  static std::uint16_t bucket_of(double seconds);
  static double value_of(std::size_t bucket);
};

/// Latencies that fade, for what is learned over days. A value: copy it freely. Not thread-safe.
class LatencySketch {
 public:
  static constexpr double relative_error = LatencyGrid::relative_error;
  static constexpr double value_min = LatencyGrid::value_min;
  static constexpr double value_max = LatencyGrid::value_max;

  /// Values that are not positive numbers are not latencies and are left out.
  void add(double seconds) { add_bucket(LatencyGrid::bucket_of(seconds)); }
  void add_bucket(std::uint16_t bucket);
  /// Nearest rank: the smallest value with at least `q` of the weight at or below it. 0 when empty.
  double quantile(double q) const;
  /// Share of the weight above `seconds`, to within one bucket; 0 when empty.
  double share_above(double seconds) const;
  void merge(const LatencySketch& other);
  /// Multiplies all weight by `factor` in [0, 1]: how the past fades.
  void fade(double factor);
  /// Every bucket that holds weight, as place + weight.
  template <class Visit>
  void each_weight(Visit&& visit) const {
    if (count_ <= 0) return;
    for (std::size_t i = 0; i < weight_.size(); ++i)
      if (weight_[i] > 0) visit(static_cast<double>(i) * 1e9 + weight_[i]);
  }
  /// Weight held: values added, less what has faded.
  double count() const { return count_; }

 private:
  std::array<double, LatencyGrid::buckets_max> weight_{};
  double count_ = 0;
};

/// Latencies that come and go, for sliding windows: one can be taken out again. A quantile costs some fifty
/// additions. A value. Not thread-safe.
class LatencyCounts {
 public:
  /// `LatencyGrid::none` is left out.
  void add(std::uint16_t bucket);
  /// It must have been added.
  void remove(std::uint16_t bucket);
  void clear();
  std::size_t size() const { return size_; }
  /// Nearest rank, within LatencyGrid's error of the exact quantile; 0 when empty.
  double quantile(double q) const;

 private:
  static constexpr std::size_t block = 32;
  static constexpr std::size_t blocks = (LatencyGrid::buckets_max + block - 1) / block;
  std::array<std::uint32_t, blocks * block> counts_{};
  std::array<std::uint32_t, blocks> sums_{};
  std::size_t size_ = 0;
};

}  // namespace troupe::policy
