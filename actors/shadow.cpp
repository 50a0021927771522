#include "actors/shadow.hpp"

#include "actors/following.hpp"
#include "actors/shell.hpp"
#include "runtime/base/rng.hpp"

#include <algorithm>
#include <deque>
#include <map>

namespace troupe::actors {
namespace {

/// Room for so many such calls must be left at the candidate.
constexpr double kShadowRoom = 4;
constexpr auto kShadowGrace = std::chrono::seconds(5);

std::uint64_t tokens_of(const Usage& usage) {
  auto sum = usage.input_total() + usage.output;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, sum));
}

struct ShadowShell {
  static constexpr const char* name = "shadow";
  explicit ShadowShell(ShadowActor::pointer self) : self_(self) {}

  ShadowActor::behavior_type start(ShadowActorConfig config, ShadowActorStage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    budget_.emplace(config_.policy, stage_.clock->now());
    rng_ = Rng(config_.seed);
    if (stage_.judge) self_->link_to(stage_.judge);
    return {
        [this](const ShadowOffered& offer) { on_offer(offer); },
        [this](const PrimaryEnded& fact) { on_primary_ended(fact); },
        [this](const AttemptEnded& fact) { on_copy_ended(fact); },
        [this](const PairJudged& fact) { on_judged(fact); },
        [this](const HealthChanged& fact) { health_[fact.view->endpoint] = fact.view; },
        [this](const RosterChanged& fact) { on_roster(fact.roster); },
        [this](Retire) { retired_ = true; },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  struct Copy {
    ShadowedCall call;
    policy::ShadowFacts expected;
    RequestPtr request;
    Instant deadline;
  };
  struct Half {
    policy::ParityPair pair;
    bool old = false, fresh = false;
    /// Null: the judge is not to see it.
    std::unique_ptr<JudgePair> to_judge;
  };

  // Where another stands for an endpoint now, what was said of the one before says nothing (F14).
  void on_roster(const RosterPtr& roster) {
    std::erase_if(health_, [&](const auto& each) {
      return handle_in(*roster_, each.first) != handle_in(*roster, each.first);
    });
    roster_ = roster;
  }

  static EndpointActor handle_in(const Roster& roster, const std::string& endpoint) {
    auto it = std::ranges::find_if(
        roster, [&](const auto& entry) { return !entry.leaving && entry.facts->id == endpoint; });
    return it == roster.end() ? EndpointActor() : it->handle;
  }

  // ---- copying ----

  void on_offer(const ShadowOffered& offer) {
    if (retired_ || is_candidates(offer.primary_endpoint)) return;
    policy::ShadowFacts facts;
    facts.draw = rng_.uniform();
    trial_draw_ = rng_.uniform();
    facts.tokens = offer.input_tokens + offer.output_tokens;
    const auto* target = target_for(offer, facts);
    facts.barred = target == nullptr && !facts.quota_short;
    if (target != nullptr) {
      Usage expected;
      expected.input = static_cast<std::int64_t>(offer.input_tokens);
      expected.output = static_cast<std::int64_t>(offer.output_tokens);
      facts.usd = policy::cost_usd(target->facts->price, expected);
    }
    if (budget_->decide(facts, stage_.clock->now()) != policy::ShadowVerdict::copy) return;
    send_copy(offer, facts, target->handle);
  }

  // A model compared with itself says nothing.
  bool is_candidates(const std::string& endpoint) const {
    return std::ranges::any_of(*roster_, [&](const auto& entry) {
      return entry.facts->id == endpoint && entry.facts->model == config_.model;
    });
  }

  const RosterEntry* target_for(const ShadowOffered& offer, policy::ShadowFacts& facts) const {
    for (const auto& entry : *roster_) {
      if (entry.facts->model != config_.model || entry.facts->id == offer.primary_endpoint) continue;
      if (entry.leaving || !may_serve(entry, offer)) continue;
      if (has_room(entry, offer)) return &entry;
      facts.quota_short = true;
    }
    return nullptr;
  }

  bool may_serve(const RosterEntry& entry, const ShadowOffered& offer) const {
    auto known = health_.find(entry.facts->id);
    if (known == health_.end() || !known->second->reachable) return false;
    // No customer need be sent there to see whether it is well again: the copies are its trial (F7).
    if (known->second->state == policy::BreakerState::open) return false;
    bool on_trial = known->second->state == policy::BreakerState::partial;
    if (on_trial && trial_draw_ >= known->second->share) return false;
    const auto& facts = *entry.facts;
    if (!inside(offer.boundary, facts)) return false;
    policy::Target target{config_.feature, offer.request->tenant, facts.model, facts.id, facts.provider};
    auto controls = stage_.controls->load();
    auto wall = stage_.clock->wall();
    return controls->stopped_by(target, wall) == nullptr &&
           !controls->missing_sign_off(target, offer.data_class, wall);
  }

  bool has_room(const RosterEntry& entry, const ShadowOffered& offer) const {
    const auto& view = *health_.at(entry.facts->id);
    bool busy = view.in_flight_max > 0 && view.in_flight + kShadowRoom > view.in_flight_max;
    return !busy && view.input_headroom >= kShadowRoom * static_cast<double>(offer.input_tokens) &&
           view.output_headroom >= kShadowRoom * static_cast<double>(offer.output_tokens) &&
           view.throttled_until <= stage_.clock->wall();
  }

  void send_copy(const ShadowOffered& offer, const policy::ShadowFacts& facts, const EndpointActor& target) {
    RunAttempt order;
    order.id = ++last_id_;
    order.request = offer.request;
    order.deadline = offer.deadline;
    order.cause = Cause::shadow;
    order.boundary = offer.boundary;
    order.reply_to = self_;
    copies_[order.id] = {offer.call, facts, offer.request, offer.deadline};
    self_->send(target, std::move(order));
    if (stage_.judge && rng_.uniform() < config_.judge->policy.share) keep_for_judge(offer);
  }

  // Of other calls the answers need not be kept.
  void keep_for_judge(const ShadowOffered& offer) {
    auto pair = std::make_unique<JudgePair>();
    pair->request = offer.request;
    pair->boundary = offer.boundary;
    pair->reply_to = JudgeClient(self_);
    half_of(offer.call).to_judge = std::move(pair);
  }

  void on_copy_ended(const AttemptEnded& fact) {
    auto node = copies_.extract(fact.id);
    if (node.empty()) return;
    const auto& copy = node.mapped();
    const auto& result = *fact.result;
    if (result.not_sent) return budget_->ended(copy.expected, 0, 0);
    budget_->ended(copy.expected, tokens_of(result.record.usage), result.record.usd);
    book(copy, result.record);
    AnswerPtr answer;
    if (!result.error) answer = {fact.result, &result.completion};
    on_half(copy.call, &policy::ParityPair::fresh, parity_side(result.record, result.error), answer);
  }

  void book(const Copy& copy, const AttemptRecord& record) {
    Call call;
    call.request = copy.request;
    call.step_key = "shadow " + std::to_string(copy.call.number);
    self_->send(stage_.ledger, AttemptBooked{usage_row(call, 1, record)});
  }

  // ---- comparing ----

  // Of calls that were not copied only the old half comes; it goes when newer ones come.
  Half& half_of(const ShadowedCall& call) {
    auto [it, begun] = halves_.try_emplace(call);
    if (!begun) return it->second;
    order_.push_back(call);
    for (; order_.size() > config_.waiting_max; order_.pop_front())
      if (order_.front() != call) halves_.erase(order_.front());
    return it->second;
  }

  void on_primary_ended(const PrimaryEnded& fact) {
    // The candidate has served it as a fallback: the copy's half finds no other.
    if (fact.model == config_.model) return void(halves_.erase(fact.call));
    on_half(fact.call, &policy::ParityPair::old, fact.side, fact.answer);
  }

  void on_half(const ShadowedCall& call, policy::ParitySide policy::ParityPair::*side,
               const policy::ParitySide& value, const AnswerPtr& answer) {
    bool is_old = side == &policy::ParityPair::old;
    auto& half = half_of(call);
    half.pair.*side = value;
    (is_old ? half.old : half.fresh) = true;
    if (half.to_judge) (is_old ? half.to_judge->old_answer : half.to_judge->fresh_answer) = answer;
    if (half.old && half.fresh) pair_up(std::move(halves_.extract(call).mapped()));
  }

  void pair_up(Half half) {
    pairs_.push_back(half.pair);
    shown_.old.add(figures_of(half.pair.old));
    shown_.fresh.add(figures_of(half.pair.fresh));
    shown_is_new_ = true;
    if (pairs_.size() > config_.pairs_max) pairs_.pop_front();
    auto number = pairs_made_++;
    if (!half.to_judge || !half.to_judge->old_answer || !half.to_judge->fresh_answer) return;
    half.to_judge->number = number;
    self_->send(stage_.judge, std::move(*half.to_judge));
  }

  // One answer's worth is 1, 1/2 or 0, so that their difference is the preference.
  void on_judged(const PairJudged& fact) {
    if (!fact.preference) return;
    double preference = *fact.preference;
    shown_.fresh.preference.add(preference);
    shown_is_new_ = true;
    auto gone = pairs_made_ - pairs_.size();
    if (fact.number < gone) return;
    auto& pair = pairs_[fact.number - gone];
    pair.old.quality = (1 - preference) / 2;
    pair.fresh.quality = (1 + preference) / 2;
  }

  static policy::CallFigures figures_of(const policy::ParitySide& side) {
    return {side.error.has_value(), side.ttft, side.total, side.usd, side.quality};
  }

  void on_tick() {
    auto now = stage_.clock->now();
    if (std::exchange(shown_is_new_, false) && stage_.shown)
      stage_.shown->store(std::make_shared<const policy::TwoSides>(shown_));
    // Its endpoint is gone: what it took is unknown, so it counts as expected.
    std::erase_if(copies_, [&](const auto& each) {
      if (each.second.deadline + kShadowGrace >= now) return false;
      budget_->ended(each.second.expected, each.second.expected.tokens, each.second.expected.usd);
      return true;
    });
    // What copies cost is booked before it goes.
    if (retired_ && copies_.empty()) return self_->quit();
    if (now < next_report_ || !stage_.report) return;
    next_report_ = now + config_.report_interval;
    auto report = policy::compare({pairs_.begin(), pairs_.end()}, config_.parity);
    stage_.report->store(std::make_shared<const policy::ParityReport>(std::move(report)));
  }

  ShadowActor::pointer self_;
  ShadowActorConfig config_;
  ShadowActorStage stage_;
  std::optional<policy::Shadow> budget_;
  Rng rng_{1};
  double trial_draw_ = 0;
  RosterPtr roster_ = std::make_shared<const Roster>();
  std::map<std::string, HealthPtr> health_;
  std::map<std::uint64_t, Copy> copies_;
  std::map<ShadowedCall, Half> halves_;
  std::deque<ShadowedCall> order_;  // of halves, oldest first; may name whole ones
  std::deque<policy::ParityPair> pairs_;
  std::uint64_t pairs_made_ = 0;
  policy::TwoSides shown_;
  bool shown_is_new_ = false, retired_ = false;
  std::uint64_t last_id_ = 0;
  Instant next_report_;
};

}  // namespace

policy::ParitySide parity_side(const AttemptRecord& record, const std::optional<Error>& error) {
  policy::ParitySide side;
  if (error) side.error = error->code;
  side.ttft = seconds(record.ttft);
  side.total = seconds(record.total);
  side.output_tokens = static_cast<std::uint64_t>(std::max<std::int64_t>(0, record.usage.output));
  side.usd = record.usd;
  return side;
}

ShadowActor shadow_of(const std::shared_ptr<const Published<ShadowMap>>& shadows,
                      const std::string& feature) {
  if (!shadows) return {};
  auto all = shadows->load();
  auto it = all->find(feature);
  return it == all->end() ? ShadowActor() : it->second;
}

PrimaryEnded primary_ended(const ShadowedCall& call, const AttemptRecord& last,
                           const std::optional<Error>& error, AnswerPtr answer) {
  return {call, parity_side(last, error), last.model, std::move(answer)};
}

ShadowActor spawn_shadow(caf::actor_system& system, Unit* unit, ShadowActorConfig config,
                         ShadowActorStage stage) {
  if (config.judge && stage.queues && !stage.judge)
    stage.judge = spawn_judge(system, *config.judge, {stage.clock, stage.queues, stage.judged});
  return spawn_shell<ShadowActor, ShadowShell>(system, unit, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
