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

/// Feed it healthy outcomes only; that is its owner's promise. Not thread-safe. A value.
class Baseline {
 public:
  explicit Baseline(const BreakerPolicy& policy);
  /// Successes and failures; throttles are left out, and probes, which are not like customers' calls. Copies
  /// are: they are customers' requests, and all that an endpoint on shadow has to learn from (B5).
  void learn(const WindowSample& sample, Instant now);
  const LatencyLimit& ttft_limit() const { return ttft_.limit; }
  const LatencyLimit& itl_limit() const { return itl_.limit; }
  const LatencyLimit& total_limit() const { return total_.limit; }
  /// Time to first token beyond which a call hangs; 0: not known. `healthy_above` as for the others.
  const LatencyLimit& stall_limit() const { return stall_; }
  /// Share of healthy outcomes that were failures or over a limit.
  double bad_share() const { return seen_ > 0 ? bad_ / seen_ : restored_bad_; }

  /// What a restart takes along.
  HealthyFigures figures() const;
  /// Calls `visit` with every number that decides what it will say: for digests.
  template <class Visit>
  void each_figure(Visit&& visit) const {
    for (const auto* signal : {&ttft_, &itl_, &total_}) {
      visit(signal->reference);
      signal->sketch.each_weight(visit);
    }
    for (double figure : {seen_, bad_, restored_bad_, static_cast<double>(since_refresh_)}) visit(figure);
  }
  /// Takes them as learned: they move no faster than those that were learned here.
  void restore(const HealthyFigures& figures);

 private:
  struct Rule {
    Duration absolute{};
    double ratio = 0;
  };
  struct Signal {
    Rule rule;
    LatencySketch sketch;
    double reference = 0;
    bool learned = false;
    LatencyLimit limit;
  };
  void refresh(Instant now);
  void fade(Instant now);
  void refresh_signal(Signal& signal, double growth) const;
  void set_limits();
  static void set_limit(Signal& signal);

  double samples_min_, growth_per_day_, stall_ratio_;
  Duration half_life_;
  Signal ttft_, itl_, total_;
  LatencyLimit stall_;
  double seen_ = 0, bad_ = 0, restored_bad_ = 0;
  std::size_t since_refresh_ = 0;
  bool started_ = false;
  Instant refreshed_, faded_;
};

}  // namespace troupe::policy
