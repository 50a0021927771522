#include "actors/feature_queue.hpp"

#include "actors/explain.hpp"
#include "actors/following.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace troupe::actors {

Call::~Call() { answer({fail(Errc::internal, "the call was dropped unanswered"), {}}); }

void Call::answer(CallResult result) const {
  if (!answered_.test_and_set() && done) done(std::move(result));
}

namespace {

// An endpoint that dies with its attempts answers nothing; after this the call is answered for it.
constexpr Duration kLostGrace = std::chrono::seconds(2);

struct FeatureQueueState {
  static constexpr const char* name = "feature_queue";
  explicit FeatureQueueState(FeatureQueueActor::pointer self) : self_(self) {}

  FeatureQueueActor::behavior_type start(FeatureConfig config, Clock* clock, LedgerActor ledger) {
    config_ = std::move(config);
    clock_ = clock;
    ledger_ = std::move(ledger);
    queue_.emplace(config_.admission);
    budget_.emplace(config_.retry);
    ticked_ = clock_->now();
    rng_ = Rng(config_.seed);
    return {
        [this](const CallPtr& call) { on_call(call); },
        [this](const AttemptEnded& fact) { on_attempt_ended(fact); },
        [this](const HealthChanged& fact) { on_health(fact.view); },
        [this](const RosterChanged& fact) { on_roster(fact.roster); },
        [this](const ExplainRoute& wish) { wish.reply(explain(wish.request)); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // ---- admission ----

  void on_call(const CallPtr& call) {
    auto now = clock_->now();
    auto id = ++last_id_;
    const auto& request = *call->request;
    policy::Ticket ticket{
        id,  config_.work_class,    request.tenant, static_cast<double>(estimate_input_tokens(request)),
        now, now + request.deadline};
    if (!queue_->push(ticket, now))
      return call->answer({fail(Errc::refused, fmt::format("feature {}: {} calls are waiting already",
                                                           config_.name, queue_->waiting())),
                           {}});
    auto& following = following_[id];
    following.call = call;
    following.deadline = ticket.deadline;
    following.draw = rng_.uniform();
    pump();
  }

  // A loop, not recursion: a call that ends at once makes room for the next, ten thousand times over.
  void pump() {
    if (std::exchange(pumping_, true)) return;
    auto now = clock_->now();
    while (true) {
      if (auto id = take_waiting()) {
        plan_and_go(*id);
      } else if (auto ticket = queue_->pop(now)) {
        budget_->on_first_attempt();
        plan_and_go(ticket->id);
      } else {
        break;
      }
    }
    pumping_ = false;
  }

  // For each call that ended the one that has waited longest for room looks again now, not at the next tick.
  std::optional<std::uint64_t> take_waiting() {
    while (room_ > 0 && !for_room_.empty()) {
      auto id = for_room_.front();
      for_room_.pop_front();
      auto it = following_.find(id);
      if (it == following_.end()) continue;
      it->second.in_line = false;
      bool backing_off = it->second.sent > 0;
      if (!it->second.again_at || backing_off) continue;
      it->second.again_at.reset();
      --room_;
      return id;
    }
    room_ = 0;
    return std::nullopt;
  }

  // ---- routing ----

  policy::RouteRequest route_request(const CompletionRequest& request, Duration left, double draw) const {
    policy::RouteRequest wish;
    wish.feature = config_.name;
    wish.hierarchy = config_.hierarchy;
    wish.boundary = config_.boundary;
    wish.input_tokens = estimate_input_tokens(request);
    wish.output_tokens = static_cast<std::uint64_t>(request.output_tokens_max);
    wish.deadline = left;
    wish.draw = draw;
    wish.trickle_allowed = true;
    return wish;
  }

  void plan_and_go(std::uint64_t id) {
    auto& following = following_.at(id);
    auto left = following.deadline - clock_->now();
    auto wish = route_request(*following.call->request, left, following.draw);
    // A call that failed once is no fit trial: with the others full, it would prove the ill endpoint to
    // death.
    wish.trickle_allowed = following.sent == 0;
    // Who is barred must not take up the plan's few places.
    std::vector<policy::Candidate> rest;
    for (const auto& each : candidates_)
      if (!following.barred.contains(each.facts->id)) rest.push_back(each);
    following.plan = policy::plan_route(wish, rest, clock_->wall(), config_.route);
    following.ids.clear();
    for (const auto& planned : following.plan.order)
      following.ids.push_back(rest[planned.endpoint].facts->id);
    following.next = 0;
    go(id);
  }

  // A node that was lost is no overload: going elsewhere adds nothing to what was there, so it is not charged
  // (E11).
  bool may_try_again(const Following& following) {
    return following.last_error->code == Errc::unreachable || budget_->take();
  }

  // The budget earns again with other calls and with time; until the deadline that is worth waiting for.
  void wait_for_budget(std::uint64_t id, Following& following) {
    auto next_look = clock_->now() + config_.recheck;
    if (next_look >= following.deadline) return end(id, std::unexpected(*following.last_error));
    following.again_at = next_look;
  }

  // Sends the next planned attempt, or waits, or gives up.
  void go(std::uint64_t id) {
    auto& following = following_.at(id);
    auto now = clock_->now();
    if (now >= following.deadline) return end(id, std::unexpected(too_late(following)));
    bool extra = following.sent > 0;
    if (extra && following.sent >= config_.route.attempts_max)
      return end(id, std::unexpected(*following.last_error));
    if (const auto* entry = next_entry(following)) {
      if (extra && !following.paid && !may_try_again(following)) return wait_for_budget(id, following);
      following.paid = extra;
      return send_attempt(id, following, *entry);
    }
    if (auto wait = wait_for_capacity(following)) {
      following.again_at = now + *wait;
      if (!std::exchange(following.in_line, true)) for_room_.push_back(id);
      return;
    }
    auto error = following.last_error ? *following.last_error : no_endpoint(following.plan);
    end(id, std::unexpected(std::move(error)));
  }

  // The plan may be older than what has become known since: who fell ill meanwhile is passed over (F6).
  const RosterEntry* next_entry(Following& following) const {
    for (; following.next < following.ids.size(); ++following.next) {
      const auto& id = following.ids[following.next];
      auto place = roster_index_.find(id);
      if (place == roster_index_.end() || following.barred.contains(id)) continue;
      const auto& health = *health_.at(id);
      if (can_serve(health, clock_->wall())) return &roster_->at(place->second);
    }
    return nullptr;
  }

  // Nothing can be tried now. Worth waiting for? Looked at again and again, since estimates of when there
  // will be room are no promises; the deadline bounds it (C3).
  std::optional<Duration> wait_for_capacity(const Following& following) {
    auto left = following.deadline - clock_->now();
    if (!hope(following, left)) return std::nullopt;
    if (following.sent > 0)
      return policy::backoff(config_.retry, following.sent, *following.last_error, left, rng_);
    return std::min<Duration>(config_.recheck, left);
  }

  // Could anyone serve this call in time, were it well? Who cannot be heard may be back at any moment, who
  // told us when it will be back may not.
  bool hope(const Following& following, Duration left) const {
    static const HealthPtr well = std::make_shared<policy::HealthView>();
    auto deadline = clock_->wall().ms + std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    std::vector<policy::Candidate> maybe;
    for (const auto& entry : *roster_) {
      const auto& id = entry.facts->id;
      auto health = health_.find(id);
      bool silent = health == health_.end() || !health->second->reachable;
      if (following.barred.contains(id) || (!silent && back_at(*health->second).ms > deadline)) continue;
      maybe.push_back({entry.facts.get(), well});
    }
    auto wish = route_request(*following.call->request, left, following.draw);
    return !policy::plan_route(wish, maybe, clock_->wall(), config_.route).order.empty();
  }

  void send_attempt(std::uint64_t id, Following& following, const RosterEntry& entry) {
    const auto& planned = following.plan.order[following.next++];
    RunAttempt order;
    order.id = following.attempt = ++last_id_;
    order.request = following.call->request;
    order.deadline = following.deadline;
    order.cause = cause_of(following, planned, entry.facts->id);
    order.sink = following.call->sink;
    order.reply_to = self_;
    following.out = {entry.facts->id, entry.handle, order.cause, clock_->wall()};
    attempts_[order.id] = id;
    self_->send(entry.handle, std::move(order));
  }

  // ---- the end of an attempt, and of a call ----

  void on_attempt_ended(const AttemptEnded& fact) {
    auto attempt = attempts_.extract(fact.id);
    if (attempt.empty()) return;
    auto id = attempt.mapped();
    auto& following = following_.at(id);
    const auto& result = *fact.result;
    following.attempt = 0;
    if (result.not_sent) {
      // Full for now, or without a credential: the latter is not asked again for this call.
      if (!result.error->retryable) following.barred.insert(result.record.endpoint);
      following.spilled = result.error->retryable;
      if (following.sent == 0 && sooner(*result.error, following.last_error))
        following.last_error = result.error;
      return go(id);
    }
    book(following, result);
    if (!result.error) return end(id, result.completion);
    following.last_error = result.error;
    log::info("feature_queue", fmt::format("{}: {} at {}", config_.name, to_string(result.error->code),
                                           result.record.endpoint));
    if (!may_go_on(following, result)) return end(id, std::unexpected(*result.error));
    if (!result.error->retryable) following.barred.insert(following.last_endpoint);
    go(id);
  }

  // Its actor was replaced or given up; nobody is left who could say how the attempt went.
  void end_lost(std::uint64_t attempt) {
    auto result = lost_attempt(following_.at(attempts_.at(attempt)).out);
    on_attempt_ended({attempt, std::move(result)});
  }

  // After the first token a second endpoint would repeat text: the error surfaces instead (C12, first form).
  bool may_go_on(const Following& following, const AttemptResult& result) const {
    bool shown = result.content_seen && following.call->sink != nullptr;
    return !shown && (result.error->retryable || (result.error->failover && config_.route.fallback));
  }

  void book(Following& following, const AttemptResult& result) {
    ++following.sent;
    following.paid = false;
    following.last_endpoint = result.record.endpoint;
    following.records.push_back(result.record);
    self_->send(ledger_, AttemptBooked{usage_row(*following.call, following.records.size(), result.record)});
  }

  void end(std::uint64_t id, Result<Completion> completion) {
    auto node = following_.extract(id);
    attempts_.erase(node.mapped().attempt);
    queue_->done();
    ++room_;
    node.mapped().call->answer({std::move(completion), std::move(node.mapped().records)});
    pump();
  }

  // ---- what is known of the world ----

  void on_roster(const RosterPtr& roster) {
    roster_ = roster;
    rebuild();
    std::vector<std::uint64_t> lost;
    for (const auto& [attempt, id] : attempts_)
      if (!stands(following_.at(id).out.actor)) lost.push_back(attempt);
    for (auto attempt : lost) end_lost(attempt);
  }

  bool stands(const EndpointActor& endpoint) const {
    return std::any_of(roster_->begin(), roster_->end(),
                       [&](const auto& entry) { return entry.handle == endpoint; });
  }

  void on_health(const HealthPtr& view) {
    auto& known = health_[view->endpoint];
    if (known && known->version > view->version && known->reachable == view->reachable) return;
    known = view;
    for (auto& candidate : candidates_)
      if (candidate.facts->id == view->endpoint) {
        candidate.health = view;
        return;
      }
    rebuild();
  }

  // Only endpoints whose health has been heard are candidates.
  void rebuild() {
    candidates_.clear();
    roster_index_.clear();
    for (std::size_t i = 0; i < roster_->size(); ++i) {
      const auto& facts = (*roster_)[i].facts;
      auto health = health_.find(facts->id);
      if (health == health_.end()) continue;
      candidates_.push_back({facts.get(), health->second});
      roster_index_[facts->id] = i;
    }
  }

  std::string explain(const RequestPtr& request) {
    auto wish = route_request(*request, request->deadline, 1.0);
    return explain_route(wish, candidates_,
                         policy::plan_route(wish, candidates_, clock_->wall(), config_.route));
  }

  void expire_queued(Instant now) {
    auto error = make_error(Errc::deadline_exceeded, "expired in the queue: no call was made");
    error.maybe_billed = false;
    for (const auto& ticket : queue_->expire(now)) {
      auto node = following_.extract(ticket.id);
      if (!node.empty()) node.mapped().call->answer({std::unexpected(error), {}});
    }
  }

  void on_tick() {
    auto now = clock_->now();
    budget_->on_time(now - std::exchange(ticked_, now));
    expire_queued(now);
    std::vector<std::uint64_t> due, lost;
    for (auto& [id, following] : following_) {
      if (following.again_at && *following.again_at <= now) due.push_back(id);
      if (following.attempt != 0 && now > following.deadline + kLostGrace) lost.push_back(id);
    }
    for (auto id : lost)
      end(id, fail(Errc::deadline_exceeded, "an attempt never ended: its endpoint was lost"));
    for (auto id : due) {
      // The end of one may already have woken another.
      auto it = following_.find(id);
      if (it == following_.end() || !it->second.again_at || *it->second.again_at > now) continue;
      it->second.again_at.reset();
      plan_and_go(id);
    }
    pump();
    if (config_.metrics) measure();
  }

  void measure() {
    const auto& counts = queue_->counts();
    config_.metrics->queue_stands({config_.name, queue_->waiting(), queue_->running(), counts.in,
                                   counts.served, counts.refused, counts.expired});
  }

  FeatureQueueActor::pointer self_;
  FeatureConfig config_;
  Clock* clock_ = nullptr;
  LedgerActor ledger_;
  std::optional<policy::FairQueue> queue_;
  std::optional<policy::RetryBudget> budget_;
  Instant ticked_;
  Rng rng_{1};
  std::unordered_map<std::uint64_t, Following> following_;
  std::unordered_map<std::uint64_t, std::uint64_t> attempts_;  // out now -> whose
  std::deque<std::uint64_t> for_room_;  // calls that wait for capacity, oldest first; may name ended ones
  std::uint64_t last_id_ = 0;
  std::size_t room_ = 0;  // calls that ended and have not been followed by one that waited
  bool pumping_ = false;
  RosterPtr roster_ = std::make_shared<const Roster>();
  std::unordered_map<std::string, HealthPtr> health_;
  std::vector<policy::Candidate> candidates_;
  std::unordered_map<std::string, std::size_t> roster_index_;  // of candidates
};

}  // namespace

FeatureQueueActor spawn_feature_queue(caf::actor_system& system, Unit* unit, FeatureConfig config,
                                      Clock& clock, LedgerActor ledger) {
  return spawn_shell<FeatureQueueActor, FeatureQueueState>(system, unit, std::move(config), &clock,
                                                           std::move(ledger));
}

}  // namespace troupe::actors
