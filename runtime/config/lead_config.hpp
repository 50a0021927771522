// Options that decide who may see which data and who gets which model: sign-offs, checklists, experiments,
// rollouts, shadows and their judges (B4-B7, D10, E4-E6).
#pragma once

#include "runtime/policy/judge.hpp"
#include "runtime/policy/rollout.hpp"
#include "runtime/policy/shadow.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::config {

struct Config;
struct Problem;

/// A signature on a provider, an endpoint or a model.
struct SignOffConfig {
  /// What was signed: legal, security, fedramp, ...
  std::string kind;
  /// Empty: all.
  std::vector<std::string> data_classes;
  /// The first day it is worth nothing, UTC: 2027-01-31. Empty: it holds for ever.
  std::string expires;
};

/// What a class of data asks for.
struct DataClassConfig {
  std::vector<std::string> provider, model;
};

struct ArmConfig {
  std::string name;
  /// Empty: the feature's hierarchy as it is.
  std::string model;
  double share = 0.5;
};
struct ExperimentConfig {
  std::string layer = "default";
  std::string salt;
  policy::UnitKind unit = policy::UnitKind::tenant;
  /// Of the layer's units: `percent` of them, beginning at `from`.
  double from = 0, percent = 0;
  /// Whom it is about; empty or 0: does not matter.
  std::vector<std::string> features, tenants, cohorts, languages;
  std::uint64_t input_tokens_min = 0, input_tokens_max = 0;
  std::vector<ArmConfig> arms;
  /// Days, UTC; empty: no bound. It does not run on the day of `ends`.
  std::string begins, ends;
};

struct RolloutConfig {
  std::string feature;
  /// The new model, in the feature's hierarchy; the old side is the hierarchy as it is.
  std::string model;
  policy::UnitKind unit = policy::UnitKind::tenant;
  std::string salt;
  /// The node that judges it; empty: the first by name.
  std::string home;
  policy::RolloutPolicy policy;
};

/// Who compares what the shadow's model and the primaries answered; no feature: nobody.
struct JudgeConfig {
  /// A feature for judging alone, of class batch, whose models are none of those it judges.
  std::string feature;
  policy::JudgePolicy policy;
  /// What makes an answer the better one, in words; empty: actors::kUsualRubric.
  std::string rubric;
};

/// A feature's shadow; no model: none.
struct ShadowConfig {
  std::string model;
  policy::ShadowPolicy policy;
  JudgeConfig judge;
};

/// "2027-01-31" -> the beginning of that day, UTC. Nothing when it is no date.
std::optional<WallTime> read_day(std::string_view text);

/// What routing reads; `config` must be sound.
policy::SignOffs sign_offs_of(const Config& config);
policy::LeadRules lead_rules_of(const Config& config);
/// The node that judges the rollout.
std::string rollout_home(const Config& config, const RolloutConfig& rollout);

/// Unknown names, unsound rules, and models nobody has signed for (E5). Expiry is looked at when a request
/// comes.
std::vector<Problem> validate_lead(const Config& config);
/// Judges that would judge themselves, see what they may not, or stand in customers' way.
std::vector<Problem> validate_judges(const Config& config);

}  // namespace troupe::config
