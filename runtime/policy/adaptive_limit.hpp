// How many calls an endpoint of unknown capacity takes at once, learned from how it answers (F12).
#pragma once

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::policy {

struct ConcurrencyPolicy {
  /// Off: only the configured in_flight_max limits.
  bool enabled = false;
  std::uint32_t limit_min = 4;
  std::uint32_t limit_start = 32;
  std::uint32_t limit_max = 1024;
  /// Answers looked at together, from 1 to 64.
  std::uint32_t samples_min = 10;
  /// A median first token later than this many times the unloaded one is queueing.
  double ttft_tolerance = 2;
  /// What is kept of the limit after a throttle or an overload.
  double decrease = 0.7;
  /// Times this the limit grows per round of calls, until something was seen to suffer.
  double growth = 1.25;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const ConcurrencyPolicy& policy);

/// Slow increase, multiplicative decrease (Chiu, Jain 1989, "Analysis of the increase and decrease algorithms
/// for congestion avoidance in computer networks"), with latency as the early sign of queueing: the ratio of
/// the time to first token to that of an unloaded endpoint, as TCP Vegas compares round trips (Brakmo,
/// Peterson 1995). A cold limit grows by a factor per round, until the first token is seen to come later (as
/// Ha, Rhee 2011, "Taming the elephants: new TCP slow start", leave slow start); after that by a twentieth.
/// It grows only while it is in use, so that a backup which idles has not promised more than it has shown.
/// Calls that were out at a change are not judged: they speak of the load before it. Not thread-safe;
/// allocates nothing.
class AdaptiveLimit {
 public:
  explicit AdaptiveLimit(ConcurrencyPolicy policy);
  /// Calls that may run at once; at most limit_max, and limit_max always when not enabled.
  std::uint32_t limit() const;
  bool enabled() const { return policy_.enabled; }
  /// A call ended; `in_flight` counts it still. `ttft` zero: not known.
  void on_end(std::optional<Errc> error, Duration ttft, std::uint32_t in_flight);
  /// Median seconds to first token of the unloaded endpoint; 0: not known yet.
  double unloaded_ttft() const { return unloaded_; }

 private:
  static constexpr std::size_t samples_most = 64;
  void on_sample(double ttft, std::uint32_t in_flight);
  void judge(double median, std::uint32_t in_flight);
  void shrink(double factor, std::uint32_t in_flight);

  ConcurrencyPolicy policy_;
  double limit_;
  double unloaded_ = 0;
  bool cold_ = true;
  bool shrunk_ = false;           ///< the last change was a decrease
  std::uint32_t peak_ = 0;        ///< most in flight since the last judgement
  std::uint32_t out_before_ = 0;  ///< calls that were out at the last change
  std::size_t samples_ = 0;
  std::array<float, samples_most> ttft_{};
};

}  // namespace troupe::policy
