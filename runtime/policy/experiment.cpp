#include "runtime/policy/experiment.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace troupe::policy {
namespace {

bool listed_or_any(const std::vector<std::string>& wanted, std::string_view value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool matches(const Predicate& predicate, const RequestFacts& facts) {
  if (facts.input_tokens < predicate.input_tokens_min) return false;
  if (predicate.input_tokens_max != 0 && facts.input_tokens > predicate.input_tokens_max) return false;
  return listed_or_any(predicate.features, facts.feature) &&
         listed_or_any(predicate.tenants, facts.unit.tenant) &&
         listed_or_any(predicate.languages, facts.language);
}

bool runs_at(const Experiment& experiment, WallTime wall) {
  return wall >= experiment.begins && (experiment.ends.ms == 0 || wall < experiment.ends);
}

bool within(const Slice& slice, double point) {
  return point * 100 >= slice.from && point * 100 < slice.from + slice.percent;
}

std::uint64_t version_of(const Experiment& x) {
  auto text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", x.name, x.layer, x.salt, to_string(x.unit), x.slice.from,
                  x.slice.percent, fmt::join(x.predicate.features, ","), fmt::join(x.predicate.tenants, ","),
                  fmt::join(x.predicate.languages, ","), x.predicate.input_tokens_min);
  text += fmt::format("|{}", x.predicate.input_tokens_max);
  for (const auto& arm : x.arms) text += fmt::format("|{}={}:{}", arm.name, arm.model, arm.share);
  return stable_hash(text);
}

bool chooses_model(const Experiment& experiment) {
  return std::any_of(experiment.arms.begin(), experiment.arms.end(),
                     [](const Arm& arm) { return !arm.model.empty(); });
}

/// Of all that may not run: the stop of the experiment or of a model, or a sign-off one lacks.
struct Obstacle {
  const Stop* stop = nullptr;
  std::optional<MissingSignOff> missing;
  explicit operator bool() const { return stop != nullptr || missing; }
};

Obstacle obstacle_to(const Experiment& experiment, const Controls& controls, std::string_view data_class,
                     WallTime wall) {
  Obstacle found{controls.stopped(Subject::experiment, experiment.name, wall), std::nullopt};
  for (auto arm = experiment.arms.begin(); !found && arm != experiment.arms.end(); ++arm) {
    if (arm->model.empty()) continue;
    found.stop = controls.stopped(Subject::model, arm->model, wall);
    found.missing = controls.model_sign_off(arm->model, data_class, wall);
  }
  return found;
}

using Complaint = std::optional<std::string>;

Complaint arms_complaint(const Experiment& x) {
  if (x.arms.size() < 2 || x.arms.size() > kArmsMax)
    return fmt::format("{} has {} arms; it must have 2 to {}", x.name, x.arms.size(), kArmsMax);
  double sum = 0;
  std::set<std::string_view> names;
  for (const auto& arm : x.arms) {
    if (!(arm.share > 0 && arm.share <= 1))
      return fmt::format("{}: arm {} has share {}; it must be above 0 and at most 1", x.name, arm.name,
                         arm.share);
    if (arm.name.empty() || !names.insert(arm.name).second)
      return fmt::format("{}: each arm needs a name of its own", x.name);
    sum += arm.share;
  }
  if (std::abs(sum - 1) > 1e-9)
    return fmt::format("{}: the arms' shares sum to {}; they must to 1", x.name, sum);
  return std::nullopt;
}

Complaint slice_complaint(const Experiment& x) {
  bool sound = x.slice.from >= 0 && x.slice.percent >= 0 && x.slice.from + x.slice.percent <= 100;
  if (sound && (x.ends.ms == 0 || x.ends > x.begins)) return std::nullopt;
  if (!sound)
    return fmt::format("{} takes {} percent from {}; a layer has 0 to 100", x.name, x.slice.percent,
                       x.slice.from);
  return fmt::format("{} ends before it begins", x.name);
}

bool may_share_a_request(const Predicate& a, const Predicate& b) {
  auto meet = [](const std::vector<std::string>& x, const std::vector<std::string>& y) {
    return x.empty() || y.empty() || std::find_first_of(x.begin(), x.end(), y.begin(), y.end()) != x.end();
  };
  return meet(a.features, b.features) && meet(a.tenants, b.tenants) && meet(a.languages, b.languages);
}

Complaint pair_complaint(const Experiment& a, const Experiment& b) {
  if (a.layer == b.layer) {
    if (a.unit != b.unit)
      return fmt::format("{} and {} share a layer, so they need the same unit", a.name, b.name);
    bool apart =
        a.slice.from + a.slice.percent <= b.slice.from || b.slice.from + b.slice.percent <= a.slice.from;
    if (apart) return std::nullopt;
    return fmt::format("{} and {} overlap in layer {}; give one another `from`", a.name, b.name, a.layer);
  }
  if (!chooses_model(a) || !chooses_model(b) || !may_share_a_request(a.predicate, b.predicate))
    return std::nullopt;
  return fmt::format("{} and {} would both choose the model of one request; put them into one layer", a.name,
                     b.name);
}

}  // namespace

ExperimentRules::ExperimentRules(std::vector<Experiment> experiments) {
  for (auto& each : experiments) {
    Rule rule;
    rule.version = version_of(each);
    rule.layer_hash = namespace_hash(each.layer, "layer");
    rule.arm_hash = namespace_hash(each.name, "arms " + each.salt);
    rule.experiment = std::move(each);
    rules_.push_back(std::move(rule));
  }
}

const ExperimentRules::Rule* ExperimentRules::find(std::string_view name) const {
  for (const auto& rule : rules_)
    if (rule.experiment.name == name) return &rule;
  return nullptr;
}

const Arm& ExperimentRules::Rule::arm_of(std::uint64_t unit) const {
  double point = unit_point(arm_hash, unit), below = 0;
  for (const auto& arm : experiment.arms)
    if (point < (below += arm.share)) return arm;
  return experiment.arms.back();
}

std::optional<std::string> validate(std::span<const Experiment> experiments) {
  if (experiments.size() > kExperimentsMax) return fmt::format("at most {} experiments", kExperimentsMax);
  for (const auto& each : experiments)
    for (auto check : {arms_complaint, slice_complaint})
      if (auto bad = check(each)) return bad;
  for (std::size_t i = 0; i < experiments.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (auto bad = pair_complaint(experiments[j], experiments[i])) return bad;
  return std::nullopt;
}

std::size_t assign(const ExperimentRules& rules, const RequestFacts& facts, WallTime wall,
                   std::span<Assignment> out) {
  std::size_t count = 0;
  for (const auto& rule : rules.rules()) {
    if (count == out.size()) break;
    if (!runs_at(rule.experiment, wall) || !matches(rule.experiment.predicate, facts)) continue;
    auto unit = unit_hash(facts.unit, rule.experiment.unit);
    if (within(rule.experiment.slice, unit_point(rule.layer_hash, unit)))
      out[count++] = {&rule, &rule.arm_of(unit), unit};
  }
  return count;
}

Assignment assign_model(const ExperimentRules& rules, const Controls& controls, const RequestFacts& facts,
                        std::string_view data_class, WallTime wall) {
  std::array<Assignment, 8> found;
  auto count = assign(rules, facts, wall, found);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& experiment = found[i].rule->experiment;
    if (chooses_model(experiment) && !obstacle_to(experiment, controls, data_class, wall)) return found[i];
  }
  return {};
}

std::optional<std::string> halted_by(const ExperimentRules::Rule& rule, const Controls& controls,
                                     std::string_view data_class, WallTime wall) {
  auto found = obstacle_to(rule.experiment, controls, data_class, wall);
  if (found.stop != nullptr) return to_text(*found.stop);
  if (found.missing) return to_text(*found.missing, data_class);
  return std::nullopt;
}

}  // namespace troupe::policy
