// What customers' thumbs say about an endpoint that is quick, up and wrong (C11).
#pragma once

#include "runtime/policy/breaker.hpp"
#include "runtime/policy/change_detector.hpp"

#include <array>
#include <bitset>
#include <string>

namespace troupe::policy {

/// Learns the endpoint's own share of bad ratings and finds out when it has grown. Counted in ratings, not in
/// hours: they come when they come. Two detectors with half of the false alarms each: one for a share grown
/// by `feedback_ratio_max`, one for its square, which a useless model reaches and finds in half as many
/// ratings (Lorden 1971: each is the best there is at what it is aimed at). Ratings are learned 256 late, so
/// that the first of a bad time do not pass for normal. Not thread-safe. A value.
class FeedbackTrend {
 public:
  explicit FeedbackTrend(const BreakerPolicy& policy);
  /// A rating while in full use. True: the share has grown, and what led to it is forgotten.
  bool rated(bool good);
  /// After a trip: the ratings of the trial.
  void begin_trial();
  void rated_on_trial(bool good);
  /// Have the trial's ratings shown it well, or sick again? Both false: not yet.
  bool trial_well() const;
  bool trial_sick() const;

  /// Share of bad ratings taken for healthy; 0 until so many have come that it is known.
  double healthy() const { return healthy_; }
  void restore(double healthy);
  /// Calls `visit` with every number that decides what it will say: for digests.
  template <class Visit>
  void each_figure(Visit&& visit) const {
    for (double figure :
         {grown_[0].sum(), grown_[1].sum(), learned_, learned_bad_, healthy_, static_cast<double>(settled_)})
      visit(figure);
    visit(static_cast<double>(trial_seen_) * 1e9 + static_cast<double>(trial_bad_));
    for (std::size_t back = 1; back <= waiting_count_; ++back)
      visit(static_cast<double>(waiting_[(waiting_at_ + late - back) % late]));
  }
  /// "23 of 180 ratings bad since the change, 4.1 % when well": for people.
  std::string figures() const;
  std::string trial_figures() const;

 private:
  void learn(bool bad);
  void refresh();
  /// What the gentle detector (0) or the steep one (1) tells apart.
  TwoShares aim(std::size_t detector) const;

  double ratio_, alarm_, error_max_;
  std::size_t samples_min_;
  std::array<ShareCusum, 2> grown_;
  static constexpr std::size_t late = 256;
  std::bitset<late> waiting_;
  std::size_t waiting_at_ = 0, waiting_count_ = 0;
  double learned_ = 0, learned_bad_ = 0, healthy_ = 0;
  bool settled_ = false;
  std::size_t trial_seen_ = 0, trial_bad_ = 0;
  std::string figures_;
};

}  // namespace troupe::policy
