// How a recovering endpoint earns its traffic back, stage by stage (F8, F9).
#pragma once

#include "runtime/policy/breaker.hpp"

#include <string>
#include <vector>

namespace troupe::policy {

/// Counts outcomes of one recovery. Not thread-safe.
class Ramp {
 public:
  /// `policy` must outlive this.
  explicit Ramp(const BreakerPolicy& policy);
  /// From the first stage, with no evidence.
  void begin(Instant now);
  void add(bool bad);
  /// Enough evidence and time for the next share? `healthy_bad_share`: how much of its traffic goes wrong
  /// when well.
  bool stage_passed(Instant now, double healthy_bad_share) const;
  /// Has this stage gone wrong?
  bool stage_failed(double healthy_bad_share) const;
  /// To the next stage; false when this was the last.
  bool advance(Instant now);
  double share() const { return shares_[stage_]; }
  /// "1 bad of 12 outcomes in this stage, 40 since the cool-down": for people.
  std::string figures() const;

 private:
  const BreakerPolicy* policy_;
  std::vector<double> shares_;
  std::size_t stage_ = 0, stage_seen_ = 0, stage_bad_ = 0, seen_ = 0, bad_ = 0, bad_in_row_ = 0;
  Instant stage_since_;
};

}  // namespace troupe::policy
