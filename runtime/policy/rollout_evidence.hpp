// What the two sides of a rollout have shown, in sums that nodes can add up, and bounds that hold at every
// look (EVALUATION 4.3, 8; B7, L8, L9). Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace troupe::policy {

/// Count, mean and sum of squared deviations of a figure (Welford 1962; merged as Chan et al. 1979).
struct Moments {
  double n = 0, mean = 0, m2 = 0;
  void add(double x);
  void merge(const Moments& other);
  /// What was added since it was `before`; all of it when it never was.
  Moments since(const Moments& before) const;
  /// Of the mean. Never 0: half an event is added to each side, so that a row of equal figures does not pass
  /// for certainty.
  double variance_of_mean() const;
};

/// One finished call as gates see it. Seconds and USD.
struct CallFigures {
  bool failed = false;
  double ttft = 0, total = 0, usd = 0;
  /// In [0,1], more is better; absent: nobody judged this call.
  std::optional<double> quality;
};

/// One side's calls. Latencies are kept as logarithms: their law is close to log-normal, and a ratio is what
/// people mean by "slower". Failed calls count as failures alone.
struct SideEvidence {
  Moments failed, log_ttft, log_total, usd, quality;
  /// Of the new side: +1 for an answer that was judged better than the old model's to the same question, 0
  /// for a tie, -1 for a worse one. A pair is one figure, since the two sides of it are not independent.
  Moments preference;
  void add(const CallFigures& call);
  void merge(const SideEvidence& other);
  double calls() const { return failed.n; }
};

/// What both sides have shown.
struct TwoSides {
  SideEvidence old, fresh;
  void merge(const TwoSides& other) {
    old.merge(other.old);
    fresh.merge(other.fresh);
  }
};

struct Bounds {
  double low = 0, high = 0, estimate = 0;
};

/// Where the difference of the means `fresh - old` lies, at every look at once, with chance 1 - alpha: the
/// normal-mixture confidence sequence (Robbins 1970) in its asymptotic form (Waudby-Smith et al. 2021), with
/// the mixing deviation `scale`: it is tightest for differences of about that size. Holds from about 30 calls
/// a side on. alpha in (0,1), scale above 0.
Bounds difference_bounds(const Moments& fresh, const Moments& old, double alpha, double scale);
/// The same for the mean of preferences. One pair of each kind is added to what was seen, so that a row of
/// ties is worth what the rule of three says and no more.
Bounds preference_bounds(const Moments& preference, double alpha, double scale);

}  // namespace troupe::policy
