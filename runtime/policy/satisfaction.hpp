// How content people are, from those who say so: what can be known of it, and what cannot (K8).
#pragma once

#include "runtime/policy/mean_estimate.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// One answer that was shown, and what is known of how it was liked.
struct RatedAnswer {
  /// In [0, 1], the mean of its ratings; means nothing unless `rated`.
  double score = 0;
  bool rated = false;
  /// The probability with which it was drawn to be asked about; 0: it was not drawn. Who rates without being
  /// asked does so with a probability that nobody knows and that depends on what they would say.
  double asked_share = 0;
};

/// The mean over all `population` answers from those that were drawn, each weighed by the inverse of its
/// probability (Horvitz, Thompson 1952): unbiased whatever the scores and probabilities are, as long as each
/// was drawn independently and every answer that was drawn has a score. The mean is not held within [0, 1],
/// since that would bias it; the interval is. Shares must be in (0, 1].
MeanEstimate horvitz_thompson(std::span<const RatedAnswer> drawn, std::uint64_t population);

/// The same without knowing how many there are, the weights divided by their own sum (Hajek 1971): a bias of
/// the order 1/n, and far less scatter where scores are high. The variance is the linearised one of Poisson
/// sampling, sum((1-p)/p^2 (y-mean)^2) / sum(1/p)^2 (Sarndal, Swensson, Wretman 1992, 5.7 and 3.5); the
/// interval is Wilson's for as many ratings as would have that variance. Nothing drawn: 0 in [0, 1].
MeanEstimate hajek(std::span<const RatedAnswer> drawn);

/// How far `estimate` may be believed.
enum class Basis : std::uint8_t {
  /// Nobody was asked at random: there is no unbiased estimate, only what those who spoke said.
  volunteers,
  /// Some who were asked did not answer: the truth lies between the bounds, no single figure is unbiased.
  partly_answered,
  /// Everyone who was asked answered.
  answered,
};
std::string_view to_string(Basis basis);

struct SatisfactionReport {
  std::uint64_t rated = 0, asked = 0, asked_rated = 0;
  /// Of those who spoke, asked or not, with Wilson's interval: about them, not about everyone.
  MeanEstimate spoken;
  Basis basis = Basis::volunteers;
  /// Of those drawn who answered, weighed. What everyone thinks only when `basis` is `answered`.
  MeanEstimate asked_mean;
  /// Everything those who were asked and kept silent might have said (Manski 1990): from all of them
  /// discontent to all content, each with the end of its own interval. [0, 1] when nobody was asked.
  double low = 0, high = 1;
};

/// Pure.
SatisfactionReport satisfaction(std::span<const RatedAnswer> answers);

}  // namespace troupe::policy
