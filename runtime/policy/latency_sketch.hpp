// Quantiles of very many latencies in a few kilobytes, with a stated relative error.
#pragma once

#include <array>
#include <cstddef>

namespace troupe::policy {

/// A DDSketch (Masson, Rim, Lee 2019, "DDSketch: a fast and fully-mergeable quantile sketch with
/// relative-error guarantees"): buckets grow geometrically, so every answer is within `relative_error` of an
/// exact quantile of what was added, as long as that lies in [value_min, value_max]; outside it answers the
/// nearer end. Seconds throughout. A value: copy it freely. Not thread-safe.
class LatencySketch {
 public:
  static constexpr double relative_error = 0.02;
  static constexpr double value_min = 1e-4;
  static constexpr double value_max = 1e5;

  /// Values that are not positive numbers are not latencies and are left out.
  void add(double seconds);
  /// Nearest rank: the smallest value with at least `q` of the weight at or below it. 0 when empty.
  double quantile(double q) const;
  /// Share of the weight above `seconds`, to within one bucket; 0 when empty.
  double share_above(double seconds) const;
  void merge(const LatencySketch& other);
  /// Multiplies all weight by `factor` in [0, 1]: how the past fades.
  void fade(double factor);
  /// Weight held: values added, less what has faded.
  double count() const { return count_; }

 private:
  // ceil(log(1e5 / 1e-4) / log(1.02 / 0.98)) = 519 buckets between the ends, and one for each end.
  static constexpr std::size_t buckets_max = 521;
  static std::size_t bucket_of(double seconds);
  std::array<double, buckets_max> weight_{};
  double count_ = 0;
};

}  // namespace troupe::policy
