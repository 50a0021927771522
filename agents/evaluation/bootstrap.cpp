// Drawing groups with replacement.
#include "agents/evaluation/bootstrap.hpp"

#include <algorithm>
#include <numeric>

namespace troupe::evaluation {
namespace {

double resampled_mean(const std::vector<double>& sums, const std::vector<double>& counts, Rng& rng) {
  double sum = 0, count = 0;
  for (std::size_t draw = 0; draw < sums.size(); ++draw) {
    auto which = static_cast<std::size_t>(rng.below(sums.size()));
    sum += sums[which];
    count += counts[which];
  }
  return sum / count;
}

}  // namespace

Interval mean_interval(const std::vector<std::vector<double>>& groups, Rng& rng, std::size_t rounds) {
  std::vector<double> sums;
  std::vector<double> counts;
  for (const auto& group : groups) {
    if (group.empty()) continue;
    sums.push_back(std::accumulate(group.begin(), group.end(), 0.0));
    counts.push_back(static_cast<double>(group.size()));
  }
  if (sums.empty() || rounds == 0) return {};
  Interval out;
  out.mean =
      std::accumulate(sums.begin(), sums.end(), 0.0) / std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> means;
  for (std::size_t round = 0; round < rounds; ++round) means.push_back(resampled_mean(sums, counts, rng));
  std::ranges::sort(means);
  auto at = [&](double share) {
    return means[static_cast<std::size_t>(share * static_cast<double>(rounds - 1))];
  };
  out.low = at(0.025);
  out.high = at(0.975);
  return out;
}

}  // namespace troupe::evaluation
