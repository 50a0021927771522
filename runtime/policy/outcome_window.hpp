// The last outcomes of one endpoint, by count and by time, with exact quantiles (F1).
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <deque>
#include <vector>

namespace troupe::policy {

/// What one attempt says about its endpoint. Throttled is about capacity, not sickness (F4).
enum class Verdict { success, failure, throttled };

/// One remembered outcome; seconds, 0: none.
struct WindowSample {
  Instant at;
  Verdict verdict = Verdict::success;
  double ttft = 0;
  double total = 0;
};

/// Numbers kept sorted: any quantile at once, one insertion a short memmove. Not thread-safe.
class SortedValues {
 public:
  void add(double value);
  void remove(double value);
  void clear() { values_.clear(); }
  std::size_t size() const { return values_.size(); }
  std::size_t count_above(double limit) const;
  /// Nearest rank, exact; 0 when empty.
  double quantile(double q) const;

 private:
  std::vector<double> values_;
};

/// Total latency is counted for successes only (a quick failure is not a quick answer); TTFT wherever a token
/// came. Not thread-safe. A value.
class OutcomeWindow {
 public:
  OutcomeWindow(Duration age_max, std::size_t samples_max) : age_max_(age_max), samples_max_(samples_max) {}
  void add(const WindowSample& sample);
  /// Forgets what is too old or too much; gives what was forgotten, oldest first.
  std::vector<WindowSample> evict(Instant now);
  void clear();

  std::size_t size() const { return samples_.size(); }
  std::size_t failures() const { return failures_; }
  std::size_t throttled() const { return throttled_; }
  /// Successes and failures: those that count for health.
  std::size_t judged() const { return samples_.size() - throttled_; }
  double failure_share() const;
  double throttle_share() const;
  const SortedValues& ttft() const { return ttft_; }
  const SortedValues& total() const { return total_; }

 private:
  void forget(const WindowSample& sample);
  Duration age_max_;
  std::size_t samples_max_;
  std::deque<WindowSample> samples_;
  SortedValues ttft_, total_;
  std::size_t failures_ = 0, throttled_ = 0;
};

}  // namespace troupe::policy
