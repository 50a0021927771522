// How far a mean may lie from the truth when its items come in groups.
#pragma once

#include "runtime/base/rng.hpp"

#include <cstddef>
#include <vector>

namespace troupe::evaluation {

struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// The mean over all items and its percentile interval at 95 %, whole groups resampled (a meeting with its
/// queries, a conversation with its turns): items of a group are no independent draws, and an interval that
/// forgot it would be too narrow (EVALUATION 4.1). All 0 for no item; at most `rounds` resamplings.
Interval mean_interval(const std::vector<std::vector<double>>& groups, Rng& rng, std::size_t rounds = 2000);

}  // namespace troupe::evaluation
