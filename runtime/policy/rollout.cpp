#include "runtime/policy/rollout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace troupe::policy {
namespace {

struct Gate {
  const char* name;
  const Moments& fresh;
  const Moments& old;
  double margin;
  double sign = 1;  // -1 where more is better
};

// Bonferroni over what is looked at: each gate of each stage.
constexpr double kGates = 5;
constexpr double kPairsMin = 30;

GateReading reading_of(const char* name, const Bounds& bounds, double margin) {
  GateReading out{name, GateState::open, bounds, margin};
  if (bounds.high < margin) out.state = GateState::passed;
  // Worse beyond doubt, and not by a trifle that only many samples make visible.
  if (bounds.low > 0 && bounds.estimate > margin) out.state = GateState::failed;
  return out;
}

Bounds turned(const Bounds& bounds) { return {-bounds.high, -bounds.low, -bounds.estimate}; }

GateReading read_gate(const Gate& gate, double alpha) {
  auto bounds = difference_bounds(gate.fresh, gate.old, alpha, gate.margin);
  return reading_of(gate.name, gate.sign < 0 ? turned(bounds) : bounds, gate.margin);
}

GateReading read_preference(const Moments& preference, double margin, double alpha) {
  auto out = reading_of("quality", turned(preference_bounds(preference, alpha, margin)), margin);
  // The bounds are asymptotic in the pairs, however many calls there were.
  if (preference.n < kPairsMin) out.state = GateState::open;
  return out;
}

std::string figures_of(const GateReading& gate) {
  return fmt::format("{} {:+.4g} [{:+.4g}, {:+.4g}], margin {:.4g}", gate.gate, gate.difference.estimate,
                     gate.difference.low, gate.difference.high, gate.margin);
}

std::optional<std::string> not_above_one(const char* name, double ratio) {
  if (ratio > 1) return std::nullopt;
  return fmt::format("{} is {}; it must be above 1, such as 1.1", name, ratio);
}

std::optional<std::string> stages_complaint(const std::vector<double>& stages) {
  constexpr std::size_t stages_max = 32;
  if (stages.empty() || stages.size() > stages_max)
    return fmt::format("stages has {} shares; it must have 1 to {}, such as [0.01, 0.05, 0.1, 1]",
                       stages.size(), stages_max);
  double before = 0;
  for (double share : stages) {
    if (!(share > before && share <= 1))
      return fmt::format("stages: {} follows {}; shares must grow, up to 1", share, before);
    before = share;
  }
  if (before != 1) return fmt::format("stages ends at {}; it must end at 1", before);
  return std::nullopt;
}

// The state in which units are dealt; null when nobody is on the new side.
const Share* dealing(const RolloutRule& rule, const Controls& controls, Instant now, WallTime wall) {
  if (controls.stopped(Subject::rollout, rule.name, wall) != nullptr) return nullptr;
  const auto* share = controls.share_of(rule.name);
  if (share == nullptr || share->state == RolloutState::rolled_back) return nullptr;
  bool stale = now >= controls.fresh_until && share->state != RolloutState::done;
  return stale ? nullptr : share;
}

bool dealt_in(const RolloutRule& rule, const Share& share, const Unit& unit) {
  if (share.state == RolloutState::done) return true;
  // One hash of the name a call; rules are few and names short.
  auto space = namespace_hash(rule.name, rule.salt);
  return unit_point(space, unit_hash(unit, rule.unit)) < share.share;
}

bool lists_feature(const Predicate& predicate, const std::string& feature) {
  return predicate.features.empty() ||
         std::find(predicate.features.begin(), predicate.features.end(), feature) != predicate.features.end();
}

std::optional<std::string> clash_complaint(const LeadRules& rules, const RolloutRule& rollout) {
  for (const auto& rule : rules.experiments.rules()) {
    const auto& arms = rule.experiment.arms;
    bool leads = std::any_of(arms.begin(), arms.end(), [](const Arm& arm) { return !arm.model.empty(); });
    if (leads && lists_feature(rule.experiment.predicate, rollout.feature))
      return fmt::format("rollout {} and experiment {} would both choose the model of {}; end one first",
                         rollout.name, rule.experiment.name, rollout.feature);
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(GateState state) {
  switch (state) {
    case GateState::open: return "open";
    case GateState::passed: return "passed";
    case GateState::failed: return "failed";
  }
  return "?";
}

std::optional<std::string> validate(const RolloutPolicy& policy) {
  if (auto bad = stages_complaint(policy.stages)) return bad;
  if (policy.dwell < Duration::zero()) return "dwell is negative; 10m would do";
  if (policy.after_copies > 0 && policy.after_copies < 30)
    return "after_copies is below 30; the gates' bounds need as many, and 0 is: by an order";
  if (policy.samples_min < 30) return "samples_min is below 30; the gates' bounds need as many";
  if (policy.stage_time_max < policy.dwell) return "stage_time_max is less than dwell";
  for (auto [name, ratio] : {std::pair("ttft_ratio_max", policy.ttft_ratio_max),
                             std::pair("total_ratio_max", policy.total_ratio_max),
                             std::pair("cost_ratio_max", policy.cost_ratio_max)})
    if (auto bad = not_above_one(name, ratio)) return bad;
  for (auto [name, margin] :
       {std::pair("failure_margin", policy.failure_margin),
        std::pair("quality_margin", policy.quality_margin), std::pair("alpha", policy.alpha)})
    if (!(margin > 0 && margin < 1)) return fmt::format("{} is {}; it must be between 0 and 1", name, margin);
  return std::nullopt;
}

std::vector<GateReading> read_gates(const RolloutPolicy& policy, const SideEvidence& old,
                                    const SideEvidence& fresh) {
  std::vector<GateReading> out;
  auto looks = policy.stages.size() + (policy.after_copies > 0 ? 1 : 0);
  double alpha = policy.alpha / (kGates * static_cast<double>(looks));
  auto add = [&](const Gate& gate) {
    if (gate.fresh.n > 1 && gate.old.n > 1) out.push_back(read_gate(gate, alpha));
  };
  add({"failures", fresh.failed, old.failed, policy.failure_margin});
  add({"ttft", fresh.log_ttft, old.log_ttft, std::log(policy.ttft_ratio_max)});
  add({"total", fresh.log_total, old.log_total, std::log(policy.total_ratio_max)});
  if (old.usd.mean > 0) add({"cost", fresh.usd, old.usd, (policy.cost_ratio_max - 1) * old.usd.mean});
  // Of the same questions if a judge has looked: that says more than two means of different ones.
  if (fresh.preference.n > 0)
    out.push_back(read_preference(fresh.preference, policy.quality_margin, alpha));
  else
    add({"quality", fresh.quality, old.quality, policy.quality_margin, -1});
  return out;
}

StageVerdict judge_stage(const RolloutPolicy& policy, const StageFacts& facts) {
  bool enough = facts.lasted >= policy.dwell && facts.fresh.calls() >= policy.samples_min;
  auto gates = policy.gates ? read_gates(policy, facts.old, facts.fresh) : std::vector<GateReading>{};
  const GateReading* open = nullptr;
  for (const auto& gate : gates) {
    // The bounds are asymptotic: a few dozen calls first.
    if (gate.state == GateState::failed && facts.fresh.calls() >= 30)
      return {RolloutStep::roll_back, "worse: " + figures_of(gate)};
    if (gate.state != GateState::passed && open == nullptr) open = &gate;
  }
  // Judged pairs alone say nothing of who fails or is slow.
  bool compared = !policy.gates || facts.old.calls() > 1;
  if (enough && compared && open == nullptr)
    return {RolloutStep::advance, fmt::format("{:.0f} calls, every gate passed", facts.fresh.calls())};
  auto lacking = !enough ? fmt::format("{:.0f} of {} calls", facts.fresh.calls(), policy.samples_min)
                         : (open != nullptr ? "undecided: " + figures_of(*open) : "no calls on the old side");
  if (facts.lasted < policy.stage_time_max) return {RolloutStep::stay, lacking};
  return {RolloutStep::halt, "not decided in time: " + lacking};
}

StageVerdict judge_copies(const RolloutPolicy& policy, const TwoSides& shown) {
  auto copies = policy;
  copies.samples_min = policy.after_copies;
  copies.dwell = Duration::zero();
  copies.stage_time_max = Duration::max();
  auto verdict = judge_stage(copies, {0, Duration::zero(), shown.old, shown.fresh});
  verdict.why = "copies: " + verdict.why;
  return verdict;
}

bool on_new_side(const RolloutRule& rule, const Controls& controls, const Unit& unit, Instant now,
                 WallTime wall) {
  const auto* share = dealing(rule, controls, now, wall);
  return share != nullptr && dealt_in(rule, *share, unit);
}

std::optional<std::string> validate(const LeadRules& rules) {
  std::vector<Experiment> experiments;
  for (const auto& rule : rules.experiments.rules()) experiments.push_back(rule.experiment);
  if (auto bad = validate(experiments)) return bad;
  std::set<std::string> features;
  for (const auto& rollout : rules.rollouts) {
    if (auto bad = validate(rollout.policy)) return rollout.name + ": " + *bad;
    if (!features.insert(rollout.feature).second)
      return fmt::format("{} has two rollouts; end one first", rollout.feature);
    if (auto bad = clash_complaint(rules, rollout)) return bad;
  }
  return std::nullopt;
}

namespace {

// Until it is done the rollout's model is a candidate: also while it is stopped, rolled back or not begun.
Lead led_by_rollout(const RolloutRule& rule, const Controls& controls, const RequestFacts& facts,
                    std::string_view data_class, Instant now, WallTime wall) {
  Lead lead;
  const auto* share = dealing(rule, controls, now, wall);
  bool done = share != nullptr && share->state == RolloutState::done;
  if (!done) lead.candidate = rule.model;
  if (share == nullptr || controls.stopped(Subject::model, rule.model, wall) != nullptr ||
      controls.model_sign_off(rule.model, data_class, wall))
    return lead;
  lead.rollout = &rule;
  lead.new_side = dealt_in(rule, *share, facts.unit);
  if (lead.new_side) lead.model = rule.model;
  return lead;
}

std::string_view shadowed_for(const LeadRules& rules, std::string_view feature) {
  for (const auto& each : rules.shadowed)
    if (each.feature == feature) return each.model;
  return {};
}

}  // namespace

Lead lead_for(const LeadRules& rules, const Controls& controls, const RequestFacts& facts,
              std::string_view data_class, Instant now, WallTime wall) {
  for (const auto& rule : rules.rollouts) {
    if (rule.feature != facts.feature) continue;
    auto lead = led_by_rollout(rule, controls, facts, data_class, now, wall);
    // What the rollout says of its model is the last word on it.
    auto shadowed = shadowed_for(rules, rule.feature);
    if (shadowed != rule.model) lead.shadowed = shadowed;
    return lead;
  }
  Lead lead;
  lead.shadowed = shadowed_for(rules, facts.feature);
  lead.assignment = assign_model(rules.experiments, controls, facts, data_class, wall);
  if (lead.assignment.assigned()) lead.model = lead.assignment.arm->model;
  return lead;
}

}  // namespace troupe::policy
