#include "runtime/policy/model_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

struct AnswersOfModel {
  double score = 0, usd = 0;
  std::size_t count = 0, priced = 0;
  std::vector<double> seconds;
  std::map<std::string, double> by_question;
};
using AnswersByModel = std::map<std::string, AnswersOfModel>;

void add_answer(AnswersOfModel& sums, const JudgedAnswer& answer) {
  sums.score += answer.score;
  ++sums.count;
  if (answer.usd) sums.usd += *answer.usd, ++sums.priced;
  if (answer.seconds) sums.seconds.push_back(*answer.seconds);
  sums.by_question[answer.question] = answer.score;
}

// The smallest value that at least nine tenths do not exceed.
double p90_of(std::vector<double> values) {
  auto at = (values.size() * 9 + 9) / 10 - 1;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

std::string unfit_for(const ModelMatch& match, const MatchLimits& limits, const ContextWindows& windows) {
  if (auto window = windows.find(match.model); window != windows.end() && window->second < limits.tokens)
    return fmt::format("holds {} tokens", window->second);
  if (limits.usd_max && !match.usd) return "price not known";
  if (limits.usd_max && *match.usd > *limits.usd_max) return "too dear";
  if (limits.seconds_max && !match.seconds_p90) return "latency not known";
  if (limits.seconds_max && *match.seconds_p90 > *limits.seconds_max) return "too slow";
  return {};
}

ModelMatch match_of(const std::string& model, const AnswersOfModel& sums) {
  ModelMatch match{.model = model, .answers = sums.count};
  double n = static_cast<double>(sums.count);
  match.quality.mean = sums.score / n;
  match.quality.standard_error = std::sqrt(match.quality.mean * (1 - match.quality.mean) / n);
  put_wilson(match.quality, n);
  if (sums.priced > 0) match.usd = sums.usd / static_cast<double>(sums.priced);
  if (!sums.seconds.empty()) match.seconds_p90 = p90_of(sums.seconds);
  return match;
}

// A price nobody knows counts as the highest.
constexpr double kNoPrice = 1e300;

// The best bound leads a group of all within the margin below it, and there the cheaper goes first; so with
// what is left. Those that may not lead come last.
void put_in_order(std::vector<ModelMatch>& models, double margin) {
  std::ranges::stable_sort(models, [](const ModelMatch& a, const ModelMatch& b) {
    return std::pair(!a.unfit.empty(), -a.quality.low) < std::pair(!b.unfit.empty(), -b.quality.low);
  });
  for (auto begin = models.begin(); begin != models.end();) {
    auto end = std::find_if(begin, models.end(), [&](const ModelMatch& each) {
      return each.unfit.empty() != begin->unfit.empty() || each.quality.low < begin->quality.low - margin;
    });
    std::stable_sort(begin, end, [](const ModelMatch& a, const ModelMatch& b) {
      return a.usd.value_or(kNoPrice) < b.usd.value_or(kNoPrice);
    });
    begin = end;
  }
}

void compare_leader(FeatureMatch& feature, const AnswersByModel& by_model) {
  if (feature.models.size() < 2 || !feature.models[1].unfit.empty()) return;
  const auto& rival = by_model.at(feature.models[1].model).by_question;
  for (const auto& [question, score] : by_model.at(feature.models[0].model).by_question) {
    auto other = rival.find(question);
    if (other == rival.end()) continue;
    feature.better += score > other->second;
    feature.worse += score < other->second;
  }
  feature.chance = sign_test(feature.better, feature.worse);
}

}  // namespace

double sign_test(std::size_t better, std::size_t worse) {
  auto n = better + worse, most = std::max(better, worse);
  double tail = 0, ln_all = static_cast<double>(n) * std::log(2.0);
  for (auto k = most; k <= n; ++k) {
    double of_n = std::lgamma(static_cast<double>(n) + 1), of_k = std::lgamma(static_cast<double>(k) + 1);
    tail += std::exp(of_n - of_k - std::lgamma(static_cast<double>(n - k) + 1) - ln_all);
  }
  return std::min(1.0, 2 * tail);
}

std::vector<FeatureMatch> match_models(std::span<const JudgedAnswer> answers, const MatchLimits& limits,
                                       const ContextWindows& windows) {
  std::map<std::string, AnswersByModel> features;
  for (const auto& answer : answers) add_answer(features[answer.feature][answer.model], answer);
  std::vector<FeatureMatch> out;
  for (const auto& [name, by_model] : features) {
    FeatureMatch feature{.feature = name};
    for (const auto& [model, sums] : by_model) {
      feature.models.push_back(match_of(model, sums));
      feature.models.back().unfit = unfit_for(feature.models.back(), limits, windows);
    }
    put_in_order(feature.models, limits.quality_margin);
    if (feature.has_leader()) compare_leader(feature, by_model);
    out.push_back(std::move(feature));
  }
  return out;
}

}  // namespace troupe::policy
