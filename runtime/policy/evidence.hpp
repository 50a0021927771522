// How sure a handful of outcomes lets us be: interval bounds of a share, the chance of a run of bad luck, and
// the evidence for one share against another. Pure.
#pragma once

#include <cstddef>

namespace troupe::policy {

/// Two-sided 95 % normal quantile.
inline constexpr double kZ95 = 1.959963984540054;

/// Upper and lower end of the Wilson score interval (Wilson 1927) for `hits` of `n`. With n = 0 nothing is
/// known: upper 1, lower 0. The rule of three is the same fact in the head: no failure in n calls still
/// allows about 3/n, and Wilson says so more carefully: 0 of 30 allows 11.4 % (F8). The bounds are for one
/// look; who looks after every call wants `log_ratio`.
double wilson_upper(std::size_t hits, std::size_t n, double z = kZ95);
double wilson_lower(std::size_t hits, std::size_t n, double z = kZ95);

/// Chernoff-Hoeffding bound (Hoeffding 1963, theorem 1) on P(at least `hits` of `n`) when each has chance
/// `chance`: exp(-n D(hits/n || chance)). 1 when `hits` is no more than expected. Never below the true
/// probability.
double surprise(std::size_t hits, std::size_t n, double chance);

/// Two simple hypotheses about a share, both inside (0, 1), healthy < sick.
struct TwoShares {
  double healthy = 0, sick = 0;
};

/// Natural logarithm of the likelihood ratio sick : healthy after `hits` of `n`: the statistic of Wald's
/// sequential probability ratio test (Wald 1945). It may be looked at after every outcome: while the share is
/// `healthy` its exponential is a martingale of mean 1, so it ever reaches log(1/e) with chance e at most,
/// and while the share is `sick` or more it ever falls to -log(1/e) with chance e at most (Ville 1939).
/// Wald's own boundaries are a little nearer, by log(1-e), and hold approximately; these hold exactly.
double log_ratio(std::size_t hits, std::size_t n, const TwoShares& shares);

}  // namespace troupe::policy
