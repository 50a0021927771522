#include "runtime/policy/satisfaction.hpp"

#include "runtime/policy/evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::policy {
namespace {

struct WeightSums {
  double weights = 0, scores = 0, squares = 0;
};

WeightSums weigh(std::span<const RatedAnswer> drawn) {
  WeightSums sums;
  for (const auto& each : drawn) {
    double weight = 1 / each.asked_share;
    sums.weights += weight;
    sums.scores += weight * each.score;
    sums.squares += weight * weight;
  }
  return sums;
}

/// As many ratings as have the estimate's variance; Kish's number where scores do not vary and the variance
/// says nothing, and no interval at all where everyone was asked.
double effective_ratings(const MeanEstimate& estimate, const WeightSums& sums, bool census) {
  double variance = estimate.standard_error * estimate.standard_error;
  double spread = estimate.mean * (1 - estimate.mean);
  if (variance > 0 && spread > 0) return spread / variance;
  return census ? 0 : sums.weights * sums.weights / sums.squares;
}

MeanEstimate mean_of_spoken(std::span<const RatedAnswer> answers) {
  MeanEstimate spoken;
  double rated = 0, sum = 0;
  for (const auto& each : answers) {
    rated += each.rated;
    sum += each.rated ? each.score : 0;
  }
  if (rated == 0) return spoken;
  spoken.mean = sum / rated;
  spoken.standard_error = std::sqrt(spoken.mean * (1 - spoken.mean) / rated);
  put_wilson(spoken, rated);
  return spoken;
}

}  // namespace

MeanEstimate horvitz_thompson(std::span<const RatedAnswer> drawn, std::uint64_t population) {
  MeanEstimate estimate;
  if (population == 0) return estimate;
  double all = static_cast<double>(population), variance = 0;
  for (const auto& each : drawn) {
    double share = each.asked_share;
    estimate.mean += each.score / share;
    variance += (1 - share) / (share * share) * each.score * each.score;
  }
  estimate.mean /= all;
  estimate.standard_error = std::sqrt(variance) / all;
  if (drawn.empty()) return estimate;
  estimate.low = std::clamp(estimate.mean - kZ95 * estimate.standard_error, 0.0, 1.0);
  estimate.high = std::clamp(estimate.mean + kZ95 * estimate.standard_error, 0.0, 1.0);
  return estimate;
}

MeanEstimate hajek(std::span<const RatedAnswer> drawn) {
  MeanEstimate estimate;
  if (drawn.empty()) return estimate;
  auto sums = weigh(drawn);
  estimate.mean = sums.scores / sums.weights;
  double variance = 0;
  for (const auto& each : drawn) {
    double share = each.asked_share, off = each.score - estimate.mean;
    variance += (1 - share) / (share * share) * off * off;
  }
  bool census = std::ranges::all_of(drawn, [](const auto& each) { return each.asked_share >= 1; });
  estimate.standard_error = std::sqrt(variance) / sums.weights;
  if (census) estimate.low = estimate.high = estimate.mean;
  put_wilson(estimate, effective_ratings(estimate, sums, census));
  return estimate;
}

std::string_view to_string(Basis basis) {
  constexpr std::array<std::string_view, 3> names{"volunteers", "partly_answered", "answered"};
  return names[static_cast<std::size_t>(basis)];
}

SatisfactionReport satisfaction(std::span<const RatedAnswer> answers) {
  SatisfactionReport report;
  std::vector<RatedAnswer> answered, worst, best;
  for (const auto& each : answers) {
    bool asked = each.asked_share > 0;
    report.rated += each.rated;
    report.asked += asked;
    report.asked_rated += asked && each.rated;
    if (!asked) continue;
    if (each.rated) answered.push_back(each);
    worst.push_back({each.rated ? each.score : 0, true, each.asked_share});
    best.push_back({each.rated ? each.score : 1, true, each.asked_share});
  }
  report.spoken = mean_of_spoken(answers);
  report.asked_mean = hajek(answered);
  if (report.asked == 0) return report;
  report.basis = report.asked == report.asked_rated ? Basis::answered : Basis::partly_answered;
  report.low = hajek(worst).low;
  report.high = hajek(best).high;
  return report;
}

}  // namespace troupe::policy
