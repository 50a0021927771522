// Which model fits a feature, from answers that somebody or something has judged (MECHANISMS D4, E1).
#pragma once

#include "runtime/policy/mean_estimate.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

/// One model's answer to one question of an evaluation.
struct JudgedAnswer {
  std::string feature, model, question;
  /// In [0, 1].
  double score = 0;
  /// What it cost and how long it took, where that was measured.
  std::optional<double> usd, seconds;
};

/// What a model must keep to lead a feature.
struct MatchLimits {
  /// Mean USD of an answer.
  std::optional<double> usd_max;
  /// 90th percentile.
  std::optional<double> seconds_max;
  /// What a request of this feature takes at most, input and output together.
  std::uint64_t tokens = 0;
  /// Models whose lower bounds differ by no more count as equally good, and the cheaper goes first, as in
  /// routing (RoutePolicy::quality_margin).
  double quality_margin = 0.01;
};

/// What each model holds at most; one that is not listed is not asked for it.
using ContextWindows = std::map<std::string, std::uint64_t>;

struct ModelMatch {
  std::string model;
  std::size_t answers = 0;
  MeanEstimate quality;
  /// Of the answers that say; absent where none does.
  std::optional<double> usd, seconds_p90;
  /// Why it may not lead; empty: it may.
  std::string unfit;
};

struct FeatureMatch {
  std::string feature;
  /// Those that may lead first, best first: by the lower end of the quality's interval.
  std::vector<ModelMatch> models;
  /// The leader against the next that may lead, on questions both answered: on how many it was better and
  /// worse, and the chance of a difference as large among equals (two-sided sign test). 1 without a rival.
  std::size_t better = 0, worse = 0;
  double chance = 1;

  bool has_leader() const { return !models.empty() && models.front().unfit.empty(); }
  /// More than luck, at 5 %. Of many features one in twenty looks so among equals.
  bool lead_is_shown() const { return has_leader() && better > worse && chance < 0.05; }
};

/// One entry for each feature, by name. A question that a model answered more than once counts each time in
/// its mean, and in the comparison by the last. Pure.
std::vector<FeatureMatch> match_models(std::span<const JudgedAnswer> answers, const MatchLimits& limits,
                                       const ContextWindows& windows);

/// Chance that fair coins fall at least as unevenly as `better` to `worse` (exact, two-sided).
double sign_test(std::size_t better, std::size_t worse);

}  // namespace troupe::policy
