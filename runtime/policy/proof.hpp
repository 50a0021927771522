// Whether enough has been seen of an endpoint to send it a customer's call at all (B5, F8). Pure.
#pragma once

#include "runtime/policy/evidence.hpp"

namespace troupe::policy {

/// A sequential test over all outcomes, customers', copies' and probes' alike: is one call in twenty bad, or
/// one in a hundred? With no bad one, 73 good calls in a row prove it. It may be looked at after every
/// outcome: what is bad one time in twenty or more is taken for proven with chance 0.05 at most in its first
/// run (evidence.hpp). Two good runs' worth of evidence is kept and no more, so that a few bad calls undo the
/// proof; one run's worth of bad evidence, so that what was mended can still be proven. Not thread-safe. A
/// value.
class Proof {
 public:
  static constexpr TwoShares shares{0.01, 0.05};
  static constexpr double error = 0.05;

  void add(bool bad);
  void reset() { good_ = 0; }
  /// Has it been shown to work?
  bool stands() const;
  /// Natural logarithm of the likelihood ratio healthy : sick, within the bounds above.
  double evidence() const { return good_; }
  /// What a restart took along; what no sound proof holds is made sound, and bad evidence is not taken along.
  void restore(double evidence);

 private:
  double good_ = 0;
};

}  // namespace troupe::policy
