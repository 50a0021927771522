// Learns how hard requests are from answers that were judged, and says what choosing by it is worth
// (EVALUATION 4.4, 4). Pure.
#pragma once

#include "runtime/policy/difficulty.hpp"

#include <cstdint>
#include <span>

namespace troupe::policy {

/// One request that both models answered, and who was right.
struct JudgedText {
  std::string_view text;
  bool weak_right = false, strong_right = false;
};

/// Logistic regression of "strong right and weak wrong" on the standardised figures, by Newton's method with
/// the squared weights times `ridge` / 2 as penalty. At least 100 texts, both outcomes among them; else
/// invalid_input. `ridge` above 0.
Result<DifficultyModel> fit_difficulty(std::span<const JudgedText> texts, double ridge);

/// A request as a choice sees it, with the outcome the choice does not see.
struct JudgedChoice {
  double difficulty = 0;
  bool weak_right = false, strong_right = false;
};

/// Of the way from always weak (0) to always strong (1), in right answers, what is gone when the hardest
/// `strong_share` of the requests go to the strong model: 0, 1/n, ..., 1. Equal difficulties share their
/// gain evenly, so that the order of the file does not matter. A random mix of share x recovers x.
class ChoiceCurve {
 public:
  explicit ChoiceCurve(std::vector<JudgedChoice> choices);
  /// Reads the curve of a resample: how often each request is there, in the order they were given; empty:
  /// once. False when strong and weak are equally often right in it: there is no
  /// gap to recover.
  bool resample(std::span<const std::uint32_t> counts);
  double recovered(double strong_share) const;
  /// Mean over all shares; 0.5 for a random mix (RouteLLM's APGR, arXiv 2406.18665).
  double area() const;
  /// The least share that recovers `part` of the gap; of a random mix: `part` (RouteLLM's CPT).
  double share_for(double part) const;
  std::size_t size() const { return choices_.size(); }

 private:
  struct Placed {
    JudgedChoice choice;
    std::size_t given = 0;
  };
  std::vector<Placed> choices_;  // hardest first
  std::vector<double> curve_;    // recovered after 0, 1, ... strong calls
};

/// What the best possible choice recovers at a share: the strong model is called only where it alone is
/// right.
double oracle_recovered(std::span<const JudgedChoice> choices, double strong_share);

struct Interval {
  double estimate = 0, low = 0, high = 0;
};
/// A figure of a curve: at a share, or for a part, or of the whole, which is what the number is for.
using CurveFigure = double (*)(const ChoiceCurve&, double);
struct Resampling {
  std::uint32_t resamples = 10'000;
  std::uint64_t seed = 1;
};
/// The figure with its 95 % percentile interval over resamples of the requests. The same seed draws the same
/// requests whatever the figure. Without a gap in any of them the interval says nothing: -1 to 1.
Interval bootstrap_choice(const ChoiceCurve& curve, CurveFigure figure, double at, Resampling by = {});
/// The figure of `a` less that of `b`, both of the same requests in the same order, resampled together.
Interval bootstrap_difference(const ChoiceCurve& a, const ChoiceCurve& b, CurveFigure figure, double at,
                              Resampling by = {});

}  // namespace troupe::policy
