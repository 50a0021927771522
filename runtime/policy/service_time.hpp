// How long a feature's calls take from being sent to a whole answer, by how much they are expected to write.
// Pure.
#pragma once

#include "runtime/policy/latency_sketch.hpp"

#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace troupe::policy {

/// Of the last thousand or so calls of each size (sizes a factor of four apart); older ones fade. A call that
/// was cut off counts as one of those that took longer (the self-consistent estimate of Efron 1967, one
/// sample at a time), else only the quick ones would be seen when time is short. Not thread-safe; allocates
/// nothing.
class ServiceTime {
 public:
  /// Calls of a size seen before anything is said of it.
  static constexpr double samples_min = 20;
  static constexpr double memory = 1000;

  void finished(std::uint64_t output_tokens, Duration took);
  /// It had not finished after so long.
  void cut(std::uint64_t output_tokens, Duration after);
  /// In which this share of calls that are expected to write so much is done.
  std::optional<Duration> quantile(std::uint64_t output_tokens, double share);

 private:
  struct Size {
    LatencySketch took;
    /// The quantile asked for last; negative: not known.
    double share = 0, known = -1;
  };
  Size& size_of(std::uint64_t output_tokens);
  void learn(Size& size, double took);

  std::array<Size, 8> sizes_;
};

}  // namespace troupe::policy
