// How sure a handful of outcomes lets us be: interval bounds of a share, and the chance of a run of bad luck.
// Pure.
#pragma once

#include <cstddef>

namespace troupe::policy {

/// Two-sided 95 % normal quantile.
inline constexpr double kZ95 = 1.959963984540054;

/// Upper and lower end of the Wilson score interval (Wilson 1927) for `hits` of `n`. With n = 0 nothing is
/// known: upper 1, lower 0. The rule of three is the same fact in the head: no failure in n calls still
/// allows about 3/n, and Wilson says so more carefully: 0 of 30 allows 11.4 % (F8). The bounds are for one
/// look. Looking after every call, as a ramp does, makes them somewhat optimistic; the ramp compensates by
/// asking for more evidence stage by stage, not by a corrected interval.
double wilson_upper(std::size_t hits, std::size_t n, double z = kZ95);
double wilson_lower(std::size_t hits, std::size_t n, double z = kZ95);

/// Chernoff-Hoeffding bound (Hoeffding 1963, theorem 1) on P(at least `hits` of `n`) when each has chance
/// `chance`: exp(-n D(hits/n || chance)). 1 when `hits` is no more than expected. Never below the true
/// probability.
double surprise(std::size_t hits, std::size_t n, double chance);

}  // namespace troupe::policy
