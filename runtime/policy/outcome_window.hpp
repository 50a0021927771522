// The last outcomes of one endpoint, by count and by time: how many of each kind, and latency quantiles (F1).
#pragma once

#include "runtime/policy/latency_sketch.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <vector>

namespace troupe::policy {

/// What one attempt says about its endpoint. Throttled is about capacity, not sickness (F4).
enum class Verdict : std::uint8_t { success, failure, throttled };
/// Failures that are counted apart: they tell a hanging endpoint from a crashing one.
enum class FailureKind : std::uint8_t { other, timeout, stream_break };

/// One remembered outcome. Latencies as LatencyGrid buckets; `over`: above the limit of the moment it ended.
struct WindowSample {
  Instant at;
  Verdict verdict = Verdict::success;
  FailureKind kind = FailureKind::other;
  /// Ours, not a customer's (F15, B5).
  bool probe = false, copy = false;
  /// All were slow when it ended: it teaches nothing. If it was slow itself, that says nothing about the
  /// endpoint and it breaks no limit.
  bool crowded = false, excused = false;
  struct Latency {
    std::uint16_t bucket = LatencyGrid::none;
    bool over = false;
  };
  /// Total latency is a success's only: a quick failure is not a quick answer. The others wherever a token
  /// came.
  Latency ttft, itl, total;

  bool ours() const { return probe || copy; }
  bool slow() const { return ttft.over || itl.over || total.over; }
};

/// How many outcomes of each kind.
struct OutcomeCounts {
  std::size_t all = 0, failures = 0, throttled = 0, timeouts = 0, breaks = 0;
  /// Successes and failures: those that count for health.
  std::size_t judged() const { return all - throttled; }
  double share(std::size_t of_judged) const;
  double throttle_share() const;
  void count(const WindowSample& sample, std::size_t by);
};

/// Everything the trip rules ask, kept up to date one outcome at a time.
struct OutcomeTally {
  struct Latency {
    std::size_t seen = 0, over = 0;
    /// Is the p90 above the limit? Exactly: nearest rank, each judged by the limit it met.
    bool p90_over() const { return over > seen / 10; }
  };
  OutcomeCounts counts;
  Latency ttft, itl, total;
  /// `by` is 1, or its negative to take the sample out again.
  void count(const WindowSample& sample, std::size_t by);
};

/// A ring: adding and forgetting allocate nothing once it has grown to what the load needs. Not thread-safe.
/// A value.
class OutcomeWindow {
 public:
  /// `recent_max` of the last outcomes are also tallied by themselves.
  OutcomeWindow(Duration age_max, std::size_t samples_max, std::size_t recent_max);
  /// Calls `gone` with what had to make room, if anything.
  template <class Gone>
  void add(const WindowSample& sample, Gone&& gone) {
    if (size_ == samples_max_) gone(pop());
    push(sample);
  }
  /// Forgets what is too old and calls `gone` with each, oldest first.
  template <class Gone>
  void evict(Instant now, Gone&& gone) {
    while (size_ > 0 && now - ring_[first_].at > age_max_) gone(pop());
  }
  void clear();

  /// Oldest first.
  template <class Visit>
  void each(Visit&& visit) const {
    for (std::size_t back = size_; back > 0; --back) visit(from_end(back));
  }
  std::size_t size() const { return size_; }
  const OutcomeTally& whole() const { return whole_; }
  const OutcomeTally& recent() const { return recent_; }
  /// As `whole().counts`, of customers' outcomes only.
  const OutcomeCounts& customers() const { return customers_; }
  const LatencyCounts& ttft() const { return ttft_; }
  const LatencyCounts& itl() const { return itl_; }
  const LatencyCounts& total() const { return total_; }
  /// A quantile of the recent alone. Slow: for the sentence about a trip.
  double recent_quantile(WindowSample::Latency WindowSample::*signal, double q) const;

 private:
  WindowSample pop();
  void push(const WindowSample& sample);
  void grow();
  // Not a division: this is done for every outcome.
  std::size_t place(std::size_t offset) const {
    auto at = first_ + offset;
    return at < ring_.size() ? at : at - ring_.size();
  }
  const WindowSample& from_end(std::size_t back) const { return ring_[place(size_ - back)]; }

  Duration age_max_;
  std::size_t samples_max_, recent_max_;
  std::vector<WindowSample> ring_;
  std::size_t first_ = 0, size_ = 0, recent_size_ = 0;
  OutcomeTally whole_, recent_;
  OutcomeCounts customers_;
  LatencyCounts ttft_, itl_, total_;
};

}  // namespace troupe::policy
