#include "actors/rollout.hpp"

#include "actors/judge_json.hpp"
#include "actors/rollout_json.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

namespace troupe::actors {
namespace {

struct RolloutShell {
  static constexpr const char* name = "rollout";
  explicit RolloutShell(RolloutActor::pointer self) : self_(self) {}

  RolloutActor::behavior_type start(RolloutActorConfig config, RolloutActorStage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    for (auto& place : config_.rollouts) places_[place.rule.name].place = std::move(place);
    return {
        [this](const RolloutOutcome& fact) { on_outcome(fact); },
        [this](const RolloutHeard& fact) { on_heard(fact); },
        [this](const RolloutCommand& command) { on_command(command); },
        [this](const RolloutsChanged& fact) { on_changed(fact); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  using Sides = policy::TwoSides;
  struct Going {
    RolloutPlace place;
    /// Counts are of the share as it was last set; a new one begins them anew.
    std::uint64_t epoch = 0;
    std::uint32_t stage = 0;
    Instant since;
    /// Before the first stage what copies showed.
    Sides here;
    std::shared_ptr<const Sides> copies;
    /// What had been judged when the rollout was begun again; and was it taken back before that?
    policy::Moments judged_before;
    bool taken_back = false;
    bool told = true;
    std::map<std::string, Sides> elsewhere;  // home only
    policy::SideEvidence old_before;         // of the stage before, home only
    bool ordering = false;
  };

  policy::ControlsPtr controls() const { return stage_.board->load(); }
  bool at_home(const Going& going) const { return going.place.home == config_.node; }

  // Notices a new share.
  void follow(Going& going, const policy::Controls& known) {
    const auto* share = known.share_of(going.place.rule.name);
    auto epoch = share != nullptr ? share->stamp.epoch : 0;
    if (epoch == going.epoch) return;
    // The old side of the stage before stands in where everyone is on the new one.
    if (share->stage != going.stage) going.old_before = sum(going).old;
    // Whoever begins it again has mended something.
    bool back = share->state == policy::RolloutState::rolled_back;
    if (std::exchange(going.taken_back, back) && !back && going.place.copies)
      going.judged_before = going.place.copies->load()->fresh.preference;
    going.epoch = epoch;
    going.stage = share->stage;
    going.since = stage_.clock->now();
    going.here = {};
    going.here.fresh.preference = judged_here(going);
    going.elsewhere.clear();
    going.told = going.here.fresh.preference.n == 0;
  }

  // Pairs say the same of the two models at any share, so they count from stage to stage.
  static policy::Moments judged_here(const Going& going) {
    if (!going.copies) return {};
    return going.copies->fresh.preference.since(going.judged_before);
  }

  static Sides sum(const Going& going) {
    auto out = going.here;
    for (const auto& [node, sides] : going.elsewhere) out.merge(sides);
    return out;
  }

  void on_changed(const RolloutsChanged& fact) {
    std::map<std::string, Going> next;
    for (const auto& place : fact.places) {
      auto& going = next[place.rule.name];
      auto before = places_.extract(place.rule.name);
      if (!before.empty() && !fact.redealt.contains(place.rule.name)) going = std::move(before.mapped());
      // Another shadow has seen nothing yet.
      if (going.place.copies != place.copies) going.judged_before = {};
      going.copies.reset();
      going.place = place;
    }
    places_ = std::move(next);
  }

  // ---- copies ----

  // Before anybody is dealt in what there is to go by is the shadow's; afterwards what its judge found.
  void look_at_copies(Going& going, const policy::Controls& known) {
    const auto& place = going.place;
    auto copies = place.copies ? place.copies->load() : nullptr;
    if (!copies || copies == going.copies) return;
    // The shadow has begun anew.
    if (going.copies && copies->fresh.preference.n < going.copies->fresh.preference.n)
      going.judged_before = {};
    going.copies = std::move(copies);
    bool begun = known.share_of(place.rule.name) != nullptr;
    if (!begun && place.rule.policy.after_copies > 0) going.here = *going.copies;
    going.here.fresh.preference = judged_here(going);
    going.told = false;
  }

  void judge_copies(Going& going, const policy::Controls& known) {
    const auto& rule = going.place.rule;
    if (rule.policy.after_copies == 0) return;
    if (known.stopped(policy::Subject::rollout, rule.name, stage_.clock->wall()) != nullptr) return;
    auto verdict = policy::judge_copies(rule.policy, sum(going));
    policy::Share first;
    first.share = rule.policy.stages.front();
    if (verdict.step == policy::RolloutStep::advance) return give(going, std::move(first), verdict.why, {});
    if (verdict.step == policy::RolloutStep::roll_back)
      move(going, std::move(first), policy::RolloutState::rolled_back, verdict.why);
  }

  // ---- counting ----

  void on_outcome(const RolloutOutcome& fact) {
    auto it = places_.find(fact.rollout);
    // A call that began by rules that have been replaced meanwhile.
    if (it == places_.end() || deal_of(it->second.place.rule) != fact.deal) return;
    follow(it->second, *controls());
    (fact.new_side ? it->second.here.fresh : it->second.here.old).add(fact.figures);
    it->second.told = false;
  }

  void tell_home(Going& going) {
    if (at_home(going) || std::exchange(going.told, true)) return;
    Json body{{"rollout", going.place.rule.name},
              {"epoch", going.epoch},
              {"deal", fmt::format("{:x}", deal_of(going.place.rule))},
              {"old", to_json(going.here.old)},
              {"fresh", to_json(going.here.fresh)}};
    stage_.send(going.place.home, dump_json(body));
  }

  // Sums, not increments: a lost or repeated message does no harm.
  void on_heard(const RolloutHeard& fact) {
    auto body = parse_json(fact.body);
    auto it = body ? places_.find(get_string(*body, "rollout")) : places_.end();
    auto old = body ? side_from(find(*body, "old")) : std::nullopt;
    auto fresh = body ? side_from(find(*body, "fresh")) : std::nullopt;
    if (it == places_.end() || !old || !fresh)
      return log::warn("rollout", fact.peer + " sent malformed evidence; ignored");
    auto& going = it->second;
    // A node that has another file counts something else; older ones do not say what.
    auto deal = get_string(*body, "deal");
    if (!deal.empty() && deal != fmt::format("{:x}", deal_of(going.place.rule))) return;
    follow(going, *controls());
    if (static_cast<std::uint64_t>(get_int(*body, "epoch")) == going.epoch)
      going.elsewhere[fact.peer] = {*old, *fresh};
  }

  // ---- judging ----

  void on_tick() {
    auto now = stage_.clock->now();
    if (now < next_) return;
    next_ = now + config_.interval;
    auto known = controls();
    for (auto& [unused, going] : places_) {
      follow(going, *known);
      look_at_copies(going, *known);
      tell_home(going);
      if (at_home(going) && !going.ordering) judge(going, *known, now);
    }
  }

  policy::StageFacts facts_of(const Going& going, const policy::Share& share, Instant now) const {
    auto sides = sum(going);
    return {share.stage, now - going.since, share.share == 1 ? going.old_before : sides.old, sides.fresh};
  }

  void judge(Going& going, const policy::Controls& known, Instant now) {
    const auto& rule = going.place.rule;
    const auto* share = known.share_of(rule.name);
    if (share == nullptr) return judge_copies(going, known);
    bool ended = share->state == policy::RolloutState::rolled_back;
    if (const auto* stop = known.stopped(policy::Subject::rollout, rule.name, stage_.clock->wall())) {
      if (!ended) move(going, *share, policy::RolloutState::rolled_back, policy::to_text(*stop));
      return;
    }
    if (share->state != policy::RolloutState::running) return;
    auto verdict = policy::judge_stage(rule.policy, facts_of(going, *share, now));
    switch (verdict.step) {
      case policy::RolloutStep::stay: return;
      case policy::RolloutStep::advance: return advance(going, *share, verdict.why);
      case policy::RolloutStep::halt: return move(going, *share, policy::RolloutState::halted, verdict.why);
      case policy::RolloutStep::roll_back:
        return move(going, *share, policy::RolloutState::rolled_back, verdict.why);
    }
  }

  void advance(Going& going, policy::Share share, const std::string& why, RolloutCommand command = {}) {
    const auto& stages = going.place.rule.policy.stages;
    bool last = share.stage + 1 >= stages.size();
    if (!last) share.share = stages[++share.stage];
    share.state = last ? policy::RolloutState::done : policy::RolloutState::running;
    give(going, std::move(share), why, std::move(command));
  }

  void move(Going& going, policy::Share share, policy::RolloutState state, const std::string& why,
            RolloutCommand command = {}) {
    share.state = state;
    if (state == policy::RolloutState::rolled_back) share.share = 0;
    give(going, std::move(share), why, std::move(command));
  }

  // The order comes back through the controls; until it has, nothing else is ordered.
  void give(Going& going, policy::Share share, const std::string& why, RolloutCommand command) {
    going.ordering = true;
    share.name = going.place.rule.name;
    share.order = {command.who.empty() ? "rollout" : command.who, why, {}};
    GiveOrder order{std::move(share), false, {}};
    order.reply = [self = RolloutActor(self_), name = going.place.rule.name,
                   reply = std::move(command.reply)](const Result<policy::ControlsPtr>& told) {
      caf::anon_send(self, RolloutCommand{name, "ordered", {}, {}, {}});
      if (reply) reply(told ? Result<std::string>("{}") : std::unexpected(told.error()));
    };
    self_->send(stage_.controls, std::move(order));
  }

  // ---- operators ----

  void on_command(const RolloutCommand& command) {
    auto it = places_.find(command.rollout);
    if (it == places_.end())
      return answer(command, fail(Errc::not_found, "no rollout " + command.rollout + " is configured"));
    auto& going = it->second;
    if (command.action == "ordered") {
      going.ordering = false;
      return;
    }
    if (command.action == "status") return answer(command, dump_json(status(going)));
    if (command.action == "rollback") return stop(command, false);
    if (!at_home(going))
      return answer(command, fail(Errc::unsupported, "rollout " + command.rollout + " is judged by node " +
                                                         going.place.home + "; ask there"));
    on_home_command(going, command);
  }

  static void answer(const RolloutCommand& command, Result<std::string> told) {
    if (command.reply) command.reply(std::move(told));
  }

  void stop(const RolloutCommand& command, bool start) {
    policy::Stop stop{.subject = policy::Subject::rollout, .name = command.rollout};
    stop.order = {command.who, command.why, {}};
    auto reply = start ? std::function<void(Result<std::string>)>() : command.reply;
    self_->send(stage_.controls,
                GiveOrder{std::move(stop), start, [reply](const Result<policy::ControlsPtr>& told) {
                            if (reply)
                              reply(told ? Result<std::string>("{}") : std::unexpected(told.error()));
                          }});
  }

  void on_home_command(Going& going, const RolloutCommand& command) {
    auto known = controls();
    const auto* share = known->share_of(command.rollout);
    bool stopped = known->stopped(policy::Subject::rollout, command.rollout, stage_.clock->wall()) != nullptr;
    auto state = share != nullptr ? share->state : policy::RolloutState::rolled_back;
    if (command.action == "start") {
      if (share != nullptr && state != policy::RolloutState::rolled_back && !stopped)
        return answer(command, fail(Errc::refused, "it has begun; roll it back first"));
      if (stopped) stop(command, true);
      going.taken_back = true;  // also when it was told to begin before it saw itself taken back
      policy::Share first;
      first.share = going.place.rule.policy.stages.front();
      return give(going, std::move(first), command.why, command);
    }
    bool going_on = state == policy::RolloutState::running || state == policy::RolloutState::halted;
    if (stopped || !going_on) return answer(command, fail(Errc::refused, "it is not going; start it first"));
    if (command.action == "advance") return advance(going, *share, command.why, command);
    if (command.action == "halt")
      return move(going, *share, policy::RolloutState::halted, command.why, command);
    if (command.action == "resume")
      return move(going, *share, policy::RolloutState::running, command.why, command);
    answer(command,
           fail(Errc::invalid_input, "a rollout is told start, advance, halt, resume, rollback or status"));
  }

  Json status(Going& going) {
    auto known = controls();
    follow(going, *known);
    auto out = rollout_json(going.place.rule, *known, stage_.clock->wall());
    out["home"] = going.place.home;
    out["seconds_in_stage"] = seconds(stage_.clock->now() - going.since);
    const auto* share = known->share_of(going.place.rule.name);
    if (going.place.judged) out["judge"] = judge_json(*going.place.judged->load(), stage_.clock->wall());
    if (!at_home(going)) return out;
    out["judged"] = sum(going).fresh.preference.n;
    if (share == nullptr) return copies_status(going, std::move(out));
    auto facts = facts_of(going, *share, stage_.clock->now());
    out["calls_new"] = facts.fresh.calls();
    out["calls_old"] = facts.old.calls();
    out["gates"] = gates_json(policy::read_gates(going.place.rule.policy, facts.old, facts.fresh));
    out["next"] = policy::judge_stage(going.place.rule.policy, facts).why;
    return out;
  }

  static Json copies_status(const Going& going, Json out) {
    const auto& policy = going.place.rule.policy;
    if (policy.after_copies == 0) return out;
    auto shown = sum(going);
    out["copies"] = shown.fresh.calls();
    out["gates"] = gates_json(policy::read_gates(policy, shown.old, shown.fresh));
    out["next"] = policy::judge_copies(policy, shown).why;
    return out;
  }

  RolloutActor::pointer self_;
  RolloutActorConfig config_;
  RolloutActorStage stage_;
  std::map<std::string, Going> places_;
  Instant next_;
};

}  // namespace

std::uint64_t deal_of(const policy::RolloutRule& rule) {
  auto hash = stable_hash(rule.feature, static_cast<std::uint64_t>(rule.unit));
  for (std::string_view text : {rule.model, rule.salt}) hash = stable_hash(text, hash);
  const auto& stages = rule.policy.stages;
  auto* bytes = reinterpret_cast<const char*>(stages.data());
  return stable_hash({bytes, stages.size() * sizeof(stages[0])}, hash);
}

RolloutActor spawn_rollouts(caf::actor_system& system, Unit* unit, RolloutActorConfig config,
                            RolloutActorStage stage) {
  return spawn_shell<RolloutActor, RolloutShell>(system, unit, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
