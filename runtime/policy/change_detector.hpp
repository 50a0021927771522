// Has a share grown? A detector that looks at every outcome for ever and still seldom errs (C11). Pure.
#pragma once

#include "runtime/policy/evidence.hpp"

#include <cstddef>

namespace troupe::policy {

/// Page's cumulative sum (Page 1954, "Continuous inspection schemes") of the log likelihood ratio sick :
/// healthy of single outcomes; for a share, Reynolds and Stoumbos 1999 study it. It never falls below zero,
/// so a change is found as quickly after a long good time as after a short one. Alarm when `sum()` reaches h:
/// while the share is `healthy` or less the mean number of outcomes between false alarms is at least e^h
/// (Lorden 1971, theorem 2), and a change to `sick` takes about h / D outcomes, D = sick log(sick/healthy) +
/// (1-sick) log((1-sick)/(1-healthy)), the least any detector with so few false alarms can do.
/// Not thread-safe. A value.
class ShareCusum {
 public:
  /// What it tells apart; keeps the sum.
  void aim(const TwoShares& shares);
  const TwoShares& aimed_at() const { return shares_; }
  void add(bool hit);
  void reset();
  double sum() const { return sum_; }
  /// Outcomes since the sum was last zero, and the hits among them: when the change seems to have begun.
  std::size_t seen() const { return seen_; }
  std::size_t hits() const { return hits_; }
  double share() const { return seen_ > 0 ? static_cast<double>(hits_) / static_cast<double>(seen_) : 0; }

 private:
  TwoShares shares_;
  double up_ = 0, down_ = 0, sum_ = 0;
  std::size_t seen_ = 0, hits_ = 0;
};

}  // namespace troupe::policy
