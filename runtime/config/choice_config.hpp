// The option that lets predicted difficulty choose between two models of a feature (E1, E9).
#pragma once

#include "runtime/policy/difficulty.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::config {

struct Config;
struct Problem;

/// A feature's choice; neither `weak` nor `strong`: none.
struct ChoiceConfig {
  /// Both of the hierarchy.
  std::string weak, strong;
  /// Of requests like those the model was trained on.
  double strong_share = 0.5;
  /// A file as `choice_bench train` writes it, relative to the configuration's.
  std::string model;
  /// Not in the file: read from it when the configuration is.
  std::shared_ptr<const policy::DifficultyModel> trained;
};

template <class V>
void fields(V& v, ChoiceConfig& x) {
  v("weak", x.weak);
  v("strong", x.strong);
  v("strong_share", x.strong_share);
  v("model", x.model);
}

/// Reads the files that choices name. What cannot be read is a problem.
std::vector<Problem> load_choices(Config& config, const std::string& directory);
/// Models outside the hierarchy, one where two are needed, shares that are none.
std::vector<Problem> validate_choices(const Config& config);
/// What routing reads; nothing when the feature has no choice. `config` must be sound.
std::optional<policy::ChoiceRule> choice_rule(const Config& config, const std::string& feature);

}  // namespace troupe::config
