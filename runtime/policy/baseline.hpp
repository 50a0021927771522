// What an endpoint is like when it is well, and the latency limits that follow from it (F2).
#pragma once

#include "runtime/policy/breaker.hpp"
#include "runtime/policy/latency_sketch.hpp"
#include "runtime/policy/outcome_window.hpp"

namespace troupe::policy {

/// A limit on p90, in seconds.
struct LatencyLimit {
  /// 0: none.
  double seconds = 0;
  /// The healthy p90 it is a multiple of; 0 when the limit is absolute.
  double healthy = 0;
  /// Share of healthy outcomes above it.
  double healthy_above = 0;

  bool broken_by(double value) const { return seconds > 0 && value > seconds; }
};

/// Feed it healthy outcomes only; that is its owner's promise. Not thread-safe.
class Baseline {
 public:
  explicit Baseline(const BreakerPolicy& policy);
  /// Successes and failures; throttles are left out.
  void learn(const WindowSample& sample, Instant now);
  const LatencyLimit& ttft_limit() const { return ttft_.limit; }
  const LatencyLimit& total_limit() const { return total_.limit; }
  /// Share of healthy outcomes that were failures or over a limit.
  double bad_share() const { return seen_ > 0 ? bad_ / seen_ : 0; }

 private:
  struct Signal {
    LatencySketch sketch;
    double reference = 0;
    LatencyLimit limit;
  };
  struct Rule {
    Duration absolute{};
    double ratio = 0;
  };
  void refresh(Instant now);
  void fade(Instant now);
  void refresh_signal(Signal& signal, const Rule& rule, double growth) const;

  double samples_min_, growth_per_day_;
  Duration half_life_;
  Rule ttft_rule_, total_rule_;
  Signal ttft_, total_;
  double seen_ = 0, bad_ = 0;
  std::size_t since_refresh_ = 0;
  bool started_ = false;
  Instant refreshed_, faded_;
};

}  // namespace troupe::policy
