// How a recovering endpoint earns its traffic back, stage by stage (F8, F9).
#pragma once

#include "runtime/policy/breaker_policy.hpp"
#include "runtime/policy/evidence.hpp"

#include <string>
#include <vector>

namespace troupe::policy {

/// Counts outcomes of one recovery. Two sequential tests run at every moment: over all outcomes since the
/// ramp began, whether sickness that would do harm at the next share is refuted; over those of the present
/// stage, whether health is. Not thread-safe. A value.
class Ramp {
 public:
  explicit Ramp(const BreakerPolicy& policy);
  /// From the first stage, with no evidence.
  void begin(Instant now);
  /// From `stage`, with the outcomes of the ramp so far; the stage begins anew.
  void resume(std::size_t stage, std::size_t seen, std::size_t bad, Instant now);
  void add(bool bad);
  /// Enough evidence and time for the next share? `healthy_bad_share`: how much of its traffic goes wrong
  /// when well.
  bool stage_passed(Instant now, double healthy_bad_share) const;
  /// Has this stage gone wrong?
  bool stage_failed(double healthy_bad_share) const;
  /// To the next stage; false when this was the last.
  bool advance(Instant now);
  double share() const { return policy_.ramp[stage_]; }
  /// The share after this stage; 1 after the last.
  double next_share() const;
  /// What the test for that share tells apart.
  TwoShares hypotheses(double next, double healthy_bad_share) const;
  std::size_t stage() const { return stage_; }
  std::size_t seen() const { return seen_; }
  std::size_t bad() const { return bad_; }
  std::size_t stage_seen() const { return stage_seen_; }
  std::size_t stage_bad() const { return stage_bad_; }
  std::size_t bad_in_row() const { return bad_in_row_; }
  Instant stage_since() const { return stage_since_; }
  /// "1 bad of 12 outcomes in this stage, 1 of 40 since the cool-down": for people.
  std::string figures() const;

 private:
  struct Rules {
    std::vector<double> ramp;
    std::size_t samples_min, failures_max, failures_in_row_max;
    Duration time_min;
    double harm_max, failure_max, failure_least, error_log;
  };
  Rules policy_;
  std::size_t stage_ = 0, stage_seen_ = 0, stage_bad_ = 0, seen_ = 0, bad_ = 0, bad_in_row_ = 0;
  Instant stage_since_;
};

}  // namespace troupe::policy
