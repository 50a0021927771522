// Experiments: typed rules from which every node reads the same arm (MECHANISMS B7, E4-E6). Pure.
#pragma once

#include "runtime/policy/controls.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

/// Whose requests a rule is about; what is empty or 0 does not matter.
struct Predicate {
  std::vector<std::string> features, tenants, languages;
  std::uint64_t input_tokens_min = 0, input_tokens_max = 0;
};

struct Arm {
  std::string name;
  /// Leads the feature's hierarchy; empty: the hierarchy as it is.
  std::string model;
  /// Of the experiment's units; the arms' shares sum to 1. To grow one without anyone changing sides, put it
  /// first and take the growth from the last.
  double share = 0;
};

/// Where in its layer an experiment lies: units from `from` to `from + percent` of the layer's 100.
struct Slice {
  double from = 0, percent = 0;
};

/// Experiments of one layer exclude each other; those of different layers are independent (E6).
struct Experiment {
  std::string name;
  std::string layer = "default";
  /// Changed to deal the same units anew.
  std::string salt;
  UnitKind unit = UnitKind::tenant;
  Slice slice;
  Predicate predicate;
  std::vector<Arm> arms;
  /// Nobody is assigned before and after; 0: no bound.
  WallTime begins, ends;
};
inline constexpr std::size_t kExperimentsMax = 256, kArmsMax = 16;

/// What a rule may ask about a request.
struct RequestFacts {
  std::string_view feature, language;
  Unit unit;
  std::uint64_t input_tokens = 0;
};

/// Immutable once made, so it may be read on any thread.
class ExperimentRules {
 public:
  struct Rule {
    Experiment experiment;
    /// Of everything that decides who gets which arm: changes when the rule does, so that exposures under two
    /// rules are never added up.
    std::uint64_t version = 0;
    std::uint64_t layer_hash = 0, arm_hash = 0;
    /// The unit's arm. Allocates nothing.
    const Arm& arm_of(std::uint64_t unit) const;
  };
  ExperimentRules() = default;
  explicit ExperimentRules(std::vector<Experiment> experiments);
  std::span<const Rule> rules() const { return rules_; }
  const Rule* find(std::string_view name) const;

 private:
  std::vector<Rule> rules_;
};

/// Nothing when sound: shares, slices that overlap in a layer, units that differ in one, and two layers that
/// would both choose the model of one feature.
std::optional<std::string> validate(std::span<const Experiment> experiments);

/// `rule` null: no experiment chooses this request's model.
struct Assignment {
  const ExperimentRules::Rule* rule = nullptr;
  const Arm* arm = nullptr;
  std::uint64_t unit = 0;  ///< its hash
  bool assigned() const { return rule != nullptr; }
};

/// The unit's place in the rules alone: what (rules, unit) is, every node answers the same. One answer for
/// each layer the request is in, written to `out` (as many as fit). Returns how many. Allocates nothing.
std::size_t assign(const ExperimentRules& rules, const RequestFacts& facts, WallTime wall,
                   std::span<Assignment> out);

/// The assignment that chooses the model, if any. An experiment that was stopped, or any of whose models is
/// stopped or not signed off for the data (E5), counts for nobody: leaving out one arm's units alone would
/// make the arms incomparable. Allocates nothing.
Assignment assign_model(const ExperimentRules& rules, const Controls& controls, const RequestFacts& facts,
                        std::string_view data_class, WallTime wall);

/// Why the experiment may not run now, for people; nothing when it may.
std::optional<std::string> halted_by(const ExperimentRules::Rule& rule, const Controls& controls,
                                     std::string_view data_class, WallTime wall);

}  // namespace troupe::policy
