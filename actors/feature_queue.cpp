#include "actors/feature_queue.hpp"

#include "actors/explain.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/tokens.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace troupe::actors {

Call::~Call() { answer({fail(Errc::internal, "the call was dropped unanswered"), {}}); }

void Call::answer(CallResult result) const {
  if (!answered_.test_and_set() && done) done(std::move(result));
}

namespace {

// One call being followed.
struct Following {
  CallPtr call;
  Instant deadline;
  double draw = 0;
  policy::RoutePlan plan;
  std::size_t next = 0;            // in plan.order
  std::size_t sent = 0;            // attempts that reached a wire
  std::string last_endpoint;       // of the last attempt that reached a wire
  std::optional<Error> last_error;
  std::vector<AttemptRecord> records;
  std::optional<Instant> again_at;  // waiting for capacity or backing off until then
  bool spilled = false;             // reserved capacity refused for want of room
  bool sending = false;             // an attempt is out
};

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
    policy::Ticket ticket{id, config_.work_class, request.tenant, static_cast<double>(estimate_input_tokens(request)),
                          now, now + request.deadline};
    if (!queue_->push(ticket, now))
      return call->answer({fail(Errc::refused, fmt::format("feature {}: {} calls are waiting already", config_.name,
                                                           queue_->waiting())),
                           {}});
    auto& following = following_[id];
    following.call = call;
    following.deadline = ticket.deadline;
    following.draw = rng_.uniform();
    pump();
  }

  void pump() {
    auto now = clock_->now();
    while (auto ticket = queue_->pop(now)) {
      budget_->on_first_attempt();
      plan_and_go(ticket->id);
    }
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
    following.plan = policy::plan_route(wish, candidates_, clock_->wall(), config_.route);
    following.next = 0;
    go(id);
  }

  // Sends the next planned attempt, or waits, or gives up.
  void go(std::uint64_t id) {
    auto& following = following_.at(id);
    auto now = clock_->now();
    if (now >= following.deadline) return end(id, std::unexpected(too_late(following)));
    bool extra = following.sent > 0;
    if (extra && following.sent >= config_.route.attempts_max) return end(id, std::unexpected(*following.last_error));
    if (following.next < following.plan.order.size()) {
      if (extra && !budget_->take()) return end(id, std::unexpected(*following.last_error));
      return send_attempt(id, following);
    }
    if (auto wait = wait_for_capacity(following)) {
      following.again_at = now + *wait;
      return;
    }
    auto error = following.last_error ? *following.last_error : no_endpoint(following.plan);
    end(id, std::unexpected(std::move(error)));
  }

  // Nothing can be tried now. Worth waiting for? An endpoint's own word, else the next look (C3: bounded by deadline).
  std::optional<Duration> wait_for_capacity(const Following& following) {
    auto now = clock_->now();
    if (following.last_error && following.sent > 0) {
      const auto& error = *following.last_error;
      if (!error.retryable && !error.failover) return std::nullopt;
      return policy::backoff(config_.retry, following.sent, error, following.deadline - now, rng_);
    }
    if (candidates_.empty() || !(following.plan.wait || following.last_error)) return std::nullopt;
    Duration wait = following.plan.wait.value_or(config_.recheck);
    if (following.last_error && following.last_error->retry_after) wait = *following.last_error->retry_after;
    if (now + wait >= following.deadline) return std::nullopt;
    return std::clamp<Duration>(wait, std::chrono::milliseconds(1), config_.recheck);
  }

  void send_attempt(std::uint64_t id, Following& following) {
    const auto& planned = following.plan.order[following.next++];
    const auto& entry = roster_->at(roster_index_[planned.endpoint]);
    RunAttempt order;
    order.id = id;
    order.request = following.call->request;
    order.deadline = following.deadline;
    order.cause = cause_of(following, planned, entry.facts->id);
    order.sink = following.call->sink;
    order.reply_to = self_;
    following.sending = true;
    self_->send(entry.handle, std::move(order));
  }

  static Cause cause_of(const Following& following, const policy::Planned& planned, const std::string& endpoint) {
    if (following.sent > 0) return endpoint == following.last_endpoint ? Cause::retry : Cause::fallback;
    if (planned.cause == Cause::trickle) return Cause::trickle;
    if (following.spilled || planned.cause == Cause::spillover) return Cause::spillover;
    return Cause::primary;
  }

  // ---- the end of an attempt, and of a call ----

  void on_attempt_ended(const AttemptEnded& fact) {
    auto it = following_.find(fact.id);
    if (it == following_.end()) return;
    auto& following = it->second;
    const auto& result = *fact.result;
    if (!std::exchange(following.sending, false)) return;
    if (result.not_sent) {
      following.spilled = true;
      if (following.sent == 0) following.last_error = result.error;
      return go(fact.id);
    }
    ++following.sent;
    following.last_endpoint = result.record.endpoint;
    following.records.push_back(result.record);
    book(following, result);
    if (!result.error) return end(fact.id, result.completion);
    following.last_error = result.error;
    log::info("feature_queue", fmt::format("{}: {} at {}", config_.name, to_string(result.error->code), result.record.endpoint));
    if (may_go_on(following, result)) return go(fact.id);
    end(fact.id, std::unexpected(*result.error));
  }

  // After the first token a second endpoint would repeat text: the error surfaces instead (C12, first form).
  static bool may_go_on(const Following& following, const AttemptResult& result) {
    bool shown = result.content_seen && following.call->sink != nullptr;
    return !shown && (result.error->retryable || result.error->failover);
  }

  void book(const Following& following, const AttemptResult& result) {
    journal::UsageRow row;
    const auto& request = *following.call->request;
    row.run_id = following.call->run_id;
    row.step_key = following.call->step_key;
    row.attempt = static_cast<std::uint32_t>(following.records.size());
    row.feature = request.feature;
    row.tenant = request.tenant;
    row.model = result.record.model;
    row.endpoint = result.record.endpoint;
    row.cause = to_string(result.record.cause);
    row.error = result.record.error;
    row.usage = result.record.usage;
    row.usd = result.record.usd;
    row.started = result.record.started;
    row.ttft = result.record.ttft;
    row.total = result.record.total;
    self_->send(ledger_, AttemptBooked{std::move(row)});
  }

  void end(std::uint64_t id, Result<Completion> completion) {
    auto node = following_.extract(id);
    queue_->done();
    node.mapped().call->answer({std::move(completion), std::move(node.mapped().records)});
    pump();
  }

  static Error too_late(const Following& following) {
    auto text = following.last_error ? fmt::format("; last: {}", to_string(following.last_error->code)) : std::string();
    return make_error(Errc::deadline_exceeded, "the deadline passed before an endpoint answered" + text);
  }

  static Error no_endpoint(const policy::RoutePlan& plan) {
    std::string why;
    for (const auto& passed : plan.passed_over) why += (why.empty() ? "" : "; ") + passed.reason;
    return make_error(Errc::no_endpoint, why.empty() ? "no endpoint serves this feature" : why);
  }

  // ---- what is known of the world ----

  void on_roster(const RosterPtr& roster) {
    roster_ = roster;
    rebuild();
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
      roster_index_.push_back(i);
    }
  }

  std::string explain(const RequestPtr& request) {
    auto wish = route_request(*request, request->deadline, 1.0);
    return explain_route(wish, candidates_, policy::plan_route(wish, candidates_, clock_->wall(), config_.route));
  }

  void on_tick() {
    auto now = clock_->now();
    for (const auto& ticket : queue_->expire(now)) {
      auto node = following_.extract(ticket.id);
      if (!node.empty())
        node.mapped().call->answer({fail(Errc::deadline_exceeded, "expired in the queue: no call was made"), {}});
    }
    std::vector<std::uint64_t> due, lost;
    for (auto& [id, following] : following_) {
      if (following.again_at && *following.again_at <= now) due.push_back(id);
      if (following.sending && now > following.deadline + kLostGrace) lost.push_back(id);
    }
    for (auto id : lost) end(id, fail(Errc::deadline_exceeded, "an attempt never ended: its endpoint was lost"));
    for (auto id : due) {
      following_.at(id).again_at.reset();
      plan_and_go(id);
    }
    pump();
  }

  FeatureQueueActor::pointer self_;
  FeatureConfig config_;
  Clock* clock_ = nullptr;
  LedgerActor ledger_;
  std::optional<policy::FairQueue> queue_;
  std::optional<policy::RetryBudget> budget_;
  Rng rng_{1};
  std::unordered_map<std::uint64_t, Following> following_;
  std::uint64_t last_id_ = 0;
  RosterPtr roster_ = std::make_shared<const Roster>();
  std::unordered_map<std::string, HealthPtr> health_;
  std::vector<policy::Candidate> candidates_;
  std::vector<std::size_t> roster_index_;  // candidate -> roster
};

}  // namespace

FeatureQueueActor spawn_feature_queue(caf::actor_system& system, Unit* unit, FeatureConfig config, Clock& clock,
                                      LedgerActor ledger) {
  return spawn_shell<FeatureQueueActor, FeatureQueueState>(system, unit, std::move(config), &clock, std::move(ledger));
}

}  // namespace troupe::actors
