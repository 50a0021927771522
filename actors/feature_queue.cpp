#include "actors/feature_queue.hpp"

#include "actors/call_stream.hpp"
#include "actors/choosing.hpp"
#include "actors/decision_log.hpp"
#include "actors/explain.hpp"
#include "actors/exposure_log.hpp"
#include "actors/following.hpp"
#include "actors/queue_places.hpp"
#include "actors/shell.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/tiers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace troupe::actors {

Call::~Call() { answer({fail(Errc::internal, "the call was dropped unanswered"), {}}); }

void Call::answer(CallResult result) const {
  if (!answered_.test_and_set() && done) done(std::move(result));
}

namespace {

// An endpoint that dies with its attempts answers nothing; after this the attempt is ended for it.
constexpr Duration kLostGrace = std::chrono::seconds(2), kRetireGrace = std::chrono::seconds(1);

/// Turns messages into facts for the Dispatcher and its orders into messages.
struct FeatureQueueState {
  static constexpr const char* name = "feature_queue";
  explicit FeatureQueueState(FeatureQueueActor::pointer self) : self_(self) {}

  FeatureQueueActor::behavior_type start(FeatureConfig config, Clock* clock, LedgerActor ledger) {
    config_ = std::move(config);
    clock_ = clock;
    ledger_ = std::move(ledger);
    dispatcher_.emplace(config_.dispatch, config_.seed, clock_->now());
    dispatcher_->set_quota_tree(config_.quota_tree);
    exposures_.emplace(config_.journal, config_.node);
    decisions_.emplace(config_.journal, config_.node, clock_->wall());
    if (config_.journal != nullptr) dispatcher_->set_decision_sink(&*decisions_);
    decisions_->set_origins([this](std::uint64_t call) { return origin_of(call); });
    return {
        [this](const CallPtr& call) { on_call(call); },
        [this](const CancelCall& order) { on_cancel(order.call); },
        [this](const AttemptEnded& fact) { on_attempt_ended(fact.id, fact.result); },
        [this](const FirstToken& fact) { on_first_token(fact.id); },
        [this](const HealthChanged& fact) {
          if (auto number = places_.hear(fact.view)) tell_health(*number);
        },
        [this](const RosterChanged& fact) { on_roster(fact.roster); },
        [this](const ExplainRoute& wish) { wish.reply(explain(*wish.request)); },
        [this](Retire) { retired_at_ = clock_->now(); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  /// A call that has not been answered.
  struct Open {
    CallPtr call;
    std::shared_ptr<CallStream> stream;  ///< null: nobody reads along
    policy::Lead lead;
    std::optional<policy::Choice> choice;  ///< of the lead
    std::string boundary;
    std::uint64_t input_tokens = 0;
    bool exposed = false, offered = false;
    std::vector<AttemptRecord> records;
  };

  const std::string& feature() const { return config_.dispatch.rules.feature; }
  policy::Moment moment() const { return {clock_->now(), clock_->wall()}; }

  // ---- facts in ----

  void on_call(const CallPtr& call) {
    auto at = moment();
    auto facts = facts_of(*call, ++last_call_, at.now);
    heed_orders();
    auto lead = lead_of(*call->request, facts, at);
    auto by_rule = lead_by(lead, config_.dispatch.rules.hierarchy, facts);
    auto choice = choose_lead(config_.choice, *call->request, facts);
    auto boundary = boundary_of(*call, config_.dispatch.rules.boundary, config_.tenant_boundaries.get());
    if (!boundary) return turn_away(*call, std::move(boundary.error()));
    auto led = facts.lead;
    if ((call->cheaper || cheap_will_do(*call->request)) && config_.cheaper) facts.lead = config_.cheaper;
    if (auto refusal = apply_budget(config_.budgets.get(), feature(), at.wall, facts))
      return turn_away(*call, *std::move(refusal));
    hold_back(by_rule, facts);
    if (choice) choice->overruled = choice->overruled || facts.lead != choice->lead();
    // A budget that chose the model has taken the call out of the rollout's comparison.
    if (facts.lead != led) lead.rollout = nullptr;
    auto& open = open_[facts.id];
    open.call = call, open.lead = lead, open.choice = choice;
    open.boundary = facts.boundary = *std::move(boundary), open.input_tokens = facts.input_tokens;
    if (call->sink) open.stream = std::make_shared<CallStream>(config_.after_first_token, call->sink);
    facts.may_follow_content = !open.stream || open.stream->may_follow();
    dispatcher_->on_call(std::move(facts), at, actions_);
    act();
  }

  void turn_away(const Call& call, Error why) {
    ++turned_away_;
    call.answer({std::unexpected(std::move(why)), {}});
  }

  void on_cancel(const CallPtr& call) {
    auto it = std::ranges::find_if(open_, [&](const auto& each) { return each.second.call == call; });
    if (it == open_.end()) return;
    dispatcher_->on_cancel(it->first, moment(), actions_);
    act();
  }

  DecisionLog::Origin origin_of(std::uint64_t call) const {
    auto it = open_.find(call);
    if (it == open_.end()) return {};
    return {it->second.choice ? &*it->second.choice : nullptr, it->second.call.get(), &it->second.lead};
  }

  // What operators ordered holds for every plan that is drawn up from now on (C15).
  void heed_orders() {
    if (!config_.controls) return;
    auto orders = config_.controls->load();
    if (orders != orders_) dispatcher_->set_controls(orders_ = std::move(orders));
  }

  policy::Lead lead_of(const CompletionRequest& request, const policy::CallFacts& facts,
                       policy::Moment at) const {
    if (!config_.leads || !orders_) return {};
    return policy::lead_for(*config_.leads, *orders_, lead_facts_of(request, facts),
                            config_.dispatch.rules.data_class, at.now, at.wall);
  }

  void on_first_token(std::uint64_t attempt) {
    dispatcher_->on_first_token(attempt, moment(), actions_);
    act();
  }

  void on_attempt_ended(std::uint64_t attempt, const AttemptResultPtr& result) {
    heed_orders();
    auto node = sent_.extract(attempt);
    if (node.empty()) return;
    if (!result->not_sent) book(attempt, node.mapped(), *result);
    newest_ = result;
    dispatcher_->on_ended(report_of(attempt, *result), moment(), actions_);
    act();
    newest_.reset();
  }

  // Whoever asked may be gone; what was bought is booked all the same.
  void book(std::uint64_t attempt, const SentAttempt& sent, const AttemptResult& result) {
    if (result.error)
      log::info("feature_queue", fmt::format("{}: {} at {}", feature(), to_string(result.error->code),
                                             result.record.endpoint));
    auto number = sent.number;
    if (auto it = open_.find(sent.call_id); it != open_.end()) {
      auto& open = it->second;
      open.records.push_back(result.record);
      open.records.back().decision = decisions_->name_of(feature(), sent.decision);
      number = open.records.size();
      if (result.error && open.stream) open.stream->failed(attempt);
    }
    self_->send(ledger_, AttemptBooked{usage_row(*sent.call, number, result.record)});
  }

  void on_roster(const RosterPtr& roster) {
    places_.take(*roster);
    dispatcher_->set_endpoints(places_.facts());
    for (std::uint32_t i = 0; i < places_.size(); ++i) tell_health(i);
    end_lost([this](const SentAttempt& sent) { return !places_.stands(sent.actor); });
  }

  // Their actor was replaced or given up, or has kept silent for too long: nobody is left who could say how
  // they went.
  template <class Lost>
  void end_lost(Lost is_lost) {
    std::vector<std::uint64_t> lost;
    for (const auto& [attempt, sent] : sent_)
      if (is_lost(sent)) lost.push_back(attempt);
    for (auto attempt : lost)
      if (auto it = sent_.find(attempt); it != sent_.end())
        on_attempt_ended(attempt, lost_attempt(it->second));
  }

  void tell_health(std::uint32_t number) {
    const auto& place = places_[number];
    dispatcher_->set_health(number, place.actor ? place.health : nullptr);
  }

  void on_tick() {
    auto at = moment();
    heed_orders();
    end_lost([&](const SentAttempt& sent) { return at.now > sent.deadline + kLostGrace; });
    dispatcher_->on_tick(at, actions_);
    act();
    if (retired_at_) return leave_when_done(at.now);
    if (config_.metrics) measure();
  }

  // Who looked us up just before we were replaced may still send a call.
  void leave_when_done(Instant now) {
    if (open_.empty() && sent_.empty() && now - *retired_at_ > kRetireGrace) self_->quit();
  }

  // ---- orders out ----

  // An order that cannot be carried out is a fact, which may lead to more orders.
  void act() {
    while (!actions_.cancel.empty() || !actions_.send.empty() || !actions_.ended.empty()) {
      auto orders = std::exchange(actions_, {});
      for (auto attempt : orders.cancel)
        if (auto it = sent_.find(attempt); it != sent_.end())
          self_->send(it->second.actor, CancelAttempt{attempt, self_});
      for (const auto& order : orders.send) send_attempt(order);
      for (auto& ended : orders.ended) answer(std::move(ended));
    }
  }

  void send_attempt(const policy::AttemptOrder& order) {
    auto& open = open_.at(order.call);
    const auto& place = places_[order.endpoint];
    auto& sent = sent_[order.id];
    sent = {open.call,   order.call,     open.records.size() + 1, place.facts->id, place.actor,
            order.cause, clock_->wall(), order.deadline,          order.decision};
    if (auto end = unsent(sent)) return self_->send(self_, AttemptEnded{order.id, end});
    RunAttempt run;
    run.id = order.id;
    run.request = open.call->request;
    if (open.stream) {
      auto prefix = place.facts->accepts_prefix ? open.stream->resumable_prefix() : std::string();
      if (!prefix.empty())
        run.request = std::make_shared<const CompletionRequest>(policy::resumed(*run.request, prefix));
      run.sink = open.stream->attempt_sink(order.id, !prefix.empty(), content_teller(order.id));
    } else if (config_.dispatch.hedge.enabled) {
      run.sink = first_token_sink(content_teller(order.id));
    }
    expose(open, *place.facts, order);
    run.deadline = order.deadline;
    run.cause = order.cause;
    run.boundary = open.boundary;
    run.reply_to = self_;
    self_->send(place.actor, std::move(run));
    offer_to_shadow(open, *place.facts, order);
  }

  // Once a call, when its primary is on its way (B5). Told and forgotten.
  void offer_to_shadow(Open& open, const policy::EndpointFacts& facts, const policy::AttemptOrder& order) {
    auto shadow = shadow_of(config_.shadows, feature());
    if (!shadow || std::exchange(open.offered, true)) return;
    ShadowOffered offer;
    offer.call = {self_->id(), order.call};
    offer.request = open.call->request;
    offer.data_class = config_.dispatch.rules.data_class;
    offer.boundary = open.boundary;
    offer.primary_endpoint = facts.id;
    offer.input_tokens = open.input_tokens;
    offer.output_tokens = static_cast<std::uint64_t>(std::max(0, offer.request->output_tokens_max));
    offer.deadline = order.deadline;
    self_->send(shadow, std::move(offer));
  }

  void tell_shadow(const Open& open, const policy::CallEnd& ended, const AnswerPtr& answer) const {
    auto shadow = open.offered ? shadow_of(config_.shadows, feature()) : ShadowActor();
    if (!shadow || open.records.empty()) return;
    if (ended.error && ended.error->fault == Fault::caller) return;
    self_->send(shadow, primary_ended({self_->id(), ended.call}, open.records.back(), ended.error, answer));
  }

  // Where hedging is off nobody needs to know.
  std::function<void()> content_teller(std::uint64_t attempt) {
    if (!config_.dispatch.hedge.enabled) return {};
    return [me = FeatureQueueActor(self_), attempt] { caf::anon_send(me, FirstToken{attempt}); };
  }

  // A unit has seen its arm once the request has really gone to the arm's model.
  void expose(Open& open, const policy::EndpointFacts& facts, const policy::AttemptOrder& order) {
    const auto& lead = open.lead;
    bool arm = lead.assignment.assigned() && (lead.model.empty() || lead.model == facts.model);
    if (open.exposed || !arm) return;
    open.exposed = true;
    exposures_->shown(lead.assignment, decisions_->name_of(feature(), order.decision), clock_->wall());
  }

  void tell_rollout(const Open& open, const policy::CallEnd& ended) const {
    if (open.lead.rollout == nullptr || !config_.rollouts || open.records.empty()) return;
    if (ended.error && ended.error->fault == Fault::caller) return;
    const auto& rule = *open.lead.rollout;
    auto figures = figures_of(open.records, ended.error.has_value(), open.lead);
    self_->send(config_.rollouts, RolloutOutcome{rule.name, deal_of(rule), open.lead.new_side, figures});
  }

  void answer(policy::CallEnd ended) {
    auto node = open_.extract(ended.call);
    if (node.empty()) return;
    auto& open = node.mapped();
    tell_rollout(open, ended);
    auto whole = ended.error ? nullptr : as_seen(open, ended.attempt);
    tell_shadow(open, ended, whole);
    if (whole) return open.call->answer({*whole, std::move(open.records)});
    open.call->answer({std::unexpected(*std::move(ended.error)), std::move(open.records)});
  }

  AnswerPtr as_seen(const Open& open, std::uint64_t attempt) const {
    if (!open.stream) return {newest_, &newest_->completion};
    return std::make_shared<const Completion>(open.stream->ended_well(attempt, newest_->completion));
  }

  std::string explain(const CompletionRequest& request) {
    Call call;
    call.request = std::make_shared<const CompletionRequest>(request);
    auto at = moment();
    auto facts = facts_of(call, 0, at.now);
    auto by_rule = lead_by(lead_of(request, facts, at), config_.dispatch.rules.hierarchy, facts);
    choose_lead(config_.choice, request, facts);
    hold_back(by_rule, facts);
    facts.boundary = boundary_of(call, config_.dispatch.rules.boundary, config_.tenant_boundaries.get())
                         .value_or("(no place may have it)");
    auto plan = dispatcher_->explain(facts, at);
    std::erase_if(plan.passed_over, [&](const auto& passed) { return !places_[passed.endpoint].actor; });
    return explain_route(dispatcher_->router(), facts, plan);
  }

  void measure() {
    const auto& counts = dispatcher_->counts();
    config_.metrics->queue_stands({feature(), dispatcher_->waiting(), dispatcher_->running(),
                                   counts.in + turned_away_, counts.served + counts.failed,
                                   counts.refused + turned_away_, counts.expired});
  }

  FeatureQueueActor::pointer self_;
  FeatureConfig config_;
  Clock* clock_ = nullptr;
  LedgerActor ledger_;
  std::optional<policy::Dispatcher> dispatcher_;
  policy::Actions actions_;
  std::unordered_map<std::uint64_t, Open> open_;
  std::unordered_map<std::uint64_t, SentAttempt> sent_;  // attempts out now
  AttemptResultPtr newest_;                              // the attempt whose end is being considered
  QueuePlaces places_;
  std::uint64_t last_call_ = 0;
  std::optional<Instant> retired_at_;
  std::uint64_t turned_away_ = 0;  // refused before the dispatcher heard of them
  policy::ControlsPtr orders_;
  std::optional<ExposureLog> exposures_;
  std::optional<DecisionLog> decisions_;
};

}  // namespace

FeatureQueueActor spawn_feature_queue(caf::actor_system& system, Unit* unit, FeatureConfig config,
                                      Clock& clock, LedgerActor ledger) {
  return spawn_shell<FeatureQueueActor, FeatureQueueState>(system, unit, std::move(config), &clock,
                                                           std::move(ledger));
}

}  // namespace troupe::actors
