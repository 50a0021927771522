#include "replay/migration_shift.hpp"

#include <fmt/format.h>

#include <array>

namespace troupe::replay {
namespace {

constexpr const char* kShiftName = "shift";

policy::RolloutPolicy rollout_of(const ShiftPolicy& policy) {
  auto out = policy.rollout;
  if (policy.ramp) return out;
  out.stages = {1};
  out.gates = false;
  return out;
}

}  // namespace

const char* to_string(ShiftState state) {
  constexpr std::array names{"waiting",     "shadowing", "kept back", "rolling",
                             "rolled back", "halted",    "kept",      "completed"};
  return names[static_cast<std::size_t>(state)];
}

bool has_ended(ShiftState state) {
  return state == ShiftState::kept_back || state == ShiftState::rolled_back || state == ShiftState::halted ||
         state == ShiftState::completed;
}

Shift::Shift(ShiftPolicy policy, std::string feature, std::string old_model, std::string new_model,
             Instant start)
    : policy_(std::move(policy)),
      old_model_(std::move(old_model)),
      controls_(std::make_shared<policy::Controls>()),
      shadow_(policy_.copies, start),
      start_(start),
      next_look_(policy_.pairs_min) {
  policy::RolloutRule rule;
  rule.name = kShiftName;
  rule.feature = std::move(feature);
  rule.model = std::move(new_model);
  rule.unit = policy::UnitKind::user;
  rule.policy = rollout_of(policy_);
  rules_.rollouts.push_back(std::move(rule));
}

policy::Lead Shift::lead_for(const policy::RequestFacts& facts, Instant now, WallTime wall) const {
  auto lead = policy::lead_for(rules_, *controls_, facts, {}, now, wall);
  if (!policy_.hold_back) lead.candidate = {};
  return lead;
}

bool Shift::copy(const policy::ShadowFacts& facts, Instant now) {
  return state_ == ShiftState::shadowing && shadow_.decide(facts, now) == policy::ShadowVerdict::copy;
}

void Shift::copy_ended(const policy::ShadowFacts& expected, std::uint64_t tokens, double usd) {
  shadow_.ended(expected, tokens, usd);
}

void Shift::on_half(std::uint64_t call, policy::ParitySide policy::ParityPair::*which,
                    const policy::ParitySide& side) {
  auto [it, begun] = halves_.try_emplace(call);
  it->second.*which = side;
  if (begun) return;
  on_pair(it->second);
  halves_.erase(it);
}

void Shift::on_outcome(bool new_side, policy::CallFigures figures, bool strayed) {
  if (strayed && policy_.strays_fail) figures.failed = true;
  (new_side ? fresh_ : old_).add(figures);
}

double Shift::share() const {
  const auto* share = controls_->share_of(kShiftName);
  return share != nullptr ? share->share : 0;
}

bool Shift::enter(ShiftState state, std::string why) {
  state_ = state;
  why_ = std::move(why);
  return true;
}

void Shift::absorb(policy::Change change) {
  auto controls = *controls_;
  std::visit([&](auto& each) { each.stamp = policy::next_stamp(controls, "n1"); }, change);
  policy::absorb(controls, change);
  controls_ = std::make_shared<const policy::Controls>(std::move(controls));
}

bool Shift::set_share(double share, std::uint32_t stage, policy::RolloutState state, Instant now) {
  policy::Share order;
  order.name = kShiftName;
  order.share = share;
  order.stage = stage;
  order.state = state;
  const auto* before = controls_->share_of(kShiftName);
  // Where everyone is on the new side, the old side of the stage before stands in.
  if (before != nullptr && before->stage != stage) old_before_ = old_;
  absorb(order);
  old_ = fresh_ = {};
  stage_since_ = now;
  return true;
}

bool Shift::judge_pairs(Instant now) {
  if (pairs_.size() < next_look_) {
    bool late = now - start_ >= policy_.begin + policy_.shadow_time_max;
    return late && enter(ShiftState::kept_back, fmt::format("only {} pairs by then", pairs_.size()));
  }
  next_look_ *= 2;
  auto report = policy::compare(pairs_, policy_.parity);
  const policy::ParityLine* worst = nullptr;
  for (const auto& line : report.lines)
    if (line.verdict == report.verdict && worst == nullptr) worst = &line;
  auto why = fmt::format("{} pairs {}", pairs_.size(), to_string(report.verdict));
  if (worst != nullptr && report.verdict != policy::Parity::equal)
    why += fmt::format(": {} [{:+.3g}, {:+.3g}], margin {:.3g}", worst->what, worst->low, worst->high,
                       worst->margin);
  if (report.verdict == policy::Parity::different) return enter(ShiftState::kept_back, why);
  if (report.verdict == policy::Parity::equal) return enter(ShiftState::rolling, why);
  return next_look_ > policy_.pairs_max && enter(ShiftState::kept_back, why);
}

bool Shift::begin_rollout(Instant now) {
  return set_share(rules_.rollouts.front().policy.stages.front(), 0, policy::RolloutState::running, now);
}

bool Shift::advance(const policy::Share& share, const std::string& why, Instant now) {
  const auto& stages = rules_.rollouts.front().policy.stages;
  bool last = share.stage + 1 >= stages.size();
  if (last) {
    enter(ShiftState::kept, why);
    return set_share(share.share, share.stage, policy::RolloutState::done, now);
  }
  why_ = why;
  return set_share(stages[share.stage + 1], share.stage + 1, policy::RolloutState::running, now);
}

bool Shift::judge_rollout(Instant now, WallTime wall) {
  auto share = *controls_->share_of(kShiftName);
  bool kept = state_ == ShiftState::kept;
  // Without a ramp nobody waits for what comes of it.
  if (!policy_.ramp) return kept ? give_up_old(wall) : advance(share, "at once", now);
  // The gates judge once more before there is no way back.
  if (kept && now - stage_since_ < policy_.old_kept) return false;
  auto verdict = judge_stage(share, now);
  switch (verdict.step) {
    case policy::RolloutStep::stay: return false;
    case policy::RolloutStep::advance: return kept ? give_up_old(wall) : advance(share, verdict.why, now);
    case policy::RolloutStep::halt: return halt(share, verdict.why, now);
    case policy::RolloutStep::roll_back: return roll_back(share, verdict.why, now);
  }
  return false;
}

policy::StageVerdict Shift::judge_stage(const policy::Share& share, Instant now) const {
  policy::StageFacts facts{share.stage, now - stage_since_, share.share == 1 ? old_before_ : old_, fresh_};
  return policy::judge_stage(policy_.rollout, facts);
}

bool Shift::halt(const policy::Share& share, const std::string& why, Instant now) {
  enter(ShiftState::halted, fmt::format("at {:g} %: {}", share.share * 100, why));
  return set_share(share.share, share.stage, policy::RolloutState::halted, now);
}

bool Shift::roll_back(const policy::Share& share, const std::string& why, Instant now) {
  enter(ShiftState::rolled_back, fmt::format("at {:g} %: {}", share.share * 100, why));
  return set_share(0, share.stage, policy::RolloutState::rolled_back, now);
}

bool Shift::give_up_old(WallTime wall) {
  policy::Stop stop;
  stop.subject = policy::Subject::model;
  stop.name = old_model_;
  stop.order = {"shift", "its capacity was given up", wall};
  absorb(stop);
  return enter(ShiftState::completed, "everyone was moved");
}

bool Shift::on_tick(Instant now, WallTime wall) {
  switch (state_) {
    case ShiftState::waiting:
      if (now - start_ < policy_.begin) return false;
      if (policy_.shadow) return enter(ShiftState::shadowing, "copies");
      enter(ShiftState::rolling, "no shadow");
      return begin_rollout(now);
    case ShiftState::shadowing:
      if (!judge_pairs(now)) return false;
      return state_ != ShiftState::rolling || begin_rollout(now);
    case ShiftState::rolling:
    case ShiftState::kept: return judge_rollout(now, wall);
    default: return false;
  }
}

}  // namespace troupe::replay
