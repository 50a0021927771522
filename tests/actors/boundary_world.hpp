// Random graphs of calls over clouds in three boundaries, every request marked with whose data it carries.
#pragma once

#include "actors/endpoint.hpp"
#include "actors/feature_queue.hpp"
#include "actors/prober.hpp"
#include "actors/run.hpp"
#include "actors/shadow.hpp"
#include "actors/supervisor.hpp"
#include "actors/wire.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/rng.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/memory_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

namespace troupe::actors::testing {

/// Data of a tenant is marked "taint(tenant)", and every answer repeats the marks it was asked with.
inline const std::map<std::string, std::string> kBounds{{"bank", "eu"}, {"clinic", "us"}, {"town", "eu"}};
inline constexpr std::array kTenants{"bank", "clinic", "town", "free"};
inline constexpr std::array kFeatures{"recap", "talk", "judge"};

inline std::string mark_of(const std::string& tenant) { return "taint(" + tenant + ")"; }

inline std::set<std::string> marked(std::string_view text) {
  std::set<std::string> out;
  for (auto at = text.find("taint("); at != text.npos; at = text.find("taint(", at + 1))
    out.emplace(text.substr(at + 6, text.find(')', at) - at - 6));
  return out;
}

inline std::string text_of(const CompletionRequest& request) {
  std::string out;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part)) out += text->text;
  return out;
}

inline std::string logged;  // a log's sink is a plain function

class QuietAttempt final : public HttpAttempt {
 public:
  void cancel() override { cancelled = true; }
  bool cancelled = false;
};

class ReadingSink final : public StreamSink {
 public:
  void on_events(std::span<const StreamEvent>) override {}
  void on_taken_back() override {}
};

inline Task<Result<std::string>> ask_step(Workflow& wf, StepKey key, CompletionRequest request) {
  auto answer = co_await wf.complete(std::move(key), std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->completion.text();
}

/// What a step of the graph asks. Whose it is the workflow often forgets to say.
inline CompletionRequest step_request(Rng& rng, const std::string& tenant, const std::string& carried) {
  auto request = question(carried + mark_of(tenant), kFeatures[rng.below(kFeatures.size())]);
  if (rng.below(2) == 0) request.tenant = tenant;
  request.deadline = std::chrono::seconds(5 + rng.below(20));
  return request;
}

/// Stages of one to three calls, each of which carries the answers of the stage before; the deepest stage of
/// some is a child run's.
inline Task<Result<JsonText>> walk_graph(Workflow& wf, JsonText input) {
  auto seed = std::stoull(input.text);
  auto tenant = input.text.substr(input.text.find(' ') + 1);
  Rng rng(seed);
  std::string carried;
  auto stages = 1 + rng.below(3);
  for (std::uint64_t stage = 0; stage < stages; ++stage) {
    std::vector<Task<Result<std::string>>> tasks;
    auto width = 1 + rng.below(3);
    for (std::uint64_t i = 0; i < width; ++i) {
      StepKey key{"ask", fmt::format("{}.{}", stage, i)};
      auto request = step_request(rng, tenant, carried);
      tasks.push_back(ask_step(wf, std::move(key), std::move(request)));
    }
    auto joined = all(std::move(tasks));
    auto answers = co_await joined;
    for (auto& each : answers)
      if (each) carried += *each;
  }
  if (seed % 3 != 0) co_return JsonText{"\"done\""};
  StepKey key{"child", "deeper"};
  ChildSpec spec{"graph", {fmt::format("{} {}", seed + 1, tenant)}, {}};
  auto child = co_await wf.child(std::move(key), std::move(spec));
  if (!child) co_return std::unexpected(child.error());
  co_return child->output;
}

class BoundaryTest : public ActorTest, public ChildRuns {
 protected:
  struct Due {
    RunAttempt order;
    HttpAttempt::Ended ended;
    std::shared_ptr<QuietAttempt> attempt;
    std::string endpoint;
  };

  void SetUp() override {
    logged.clear();
    log::set_sink([](log::Level, std::string_view, std::string_view line) { logged += line; },
                  log::Level::debug);
    ledger_ = ledger_probe(books_);
    prober_ = keep(spawn_prober(system_, nullptr, clock_, ledger_, nullptr));
  }
  void TearDown() override {
    ActorTest::TearDown();
    log::set_sink(nullptr);
  }

  // ---- the clouds ----

  BreakerActor deaf_breaker() {
    return keep(BreakerActor(system_.spawn([](BreakerActor::pointer) -> BreakerActor::behavior_type {
      return {[](const OutcomeObserved&) {}, [](const SilenceObserved&) {},
              [](const LoadObserved&) {},    [](const FeedbackObserved&) {},
              [](const ForceBreaker&) {},    [](const SubscribeHealth&) {},
              [](const AcceptProbes&) {},    [](Tick) {}};
    })));
  }
  /// `told`: what the roster says of its boundary, where that is not the truth any more.
  void add(const std::string& model, const std::string& boundary, const std::string& told = {}) {
    EndpointConfig config;
    auto& facts = config.facts;
    facts.id = fmt::format("e{}", roster_->size());
    facts.model = model;
    facts.provider = fmt::format("cloud {}", roster_->size() % 4);
    facts.region = boundary;
    facts.boundary = boundary;
    facts.kind = rng_.below(3) == 0 ? policy::CapacityKind::reserved : policy::CapacityKind::on_demand;
    facts.accepts_prefix = rng_.below(2) == 0;
    if (rng_.below(3) == 0) config.guard.quota.requests_per_minute = 40;
    boundaries_[facts.id] = boundary;
    AttemptStarter starter = [this, id = facts.id](const RunAttempt& order, HttpAttempt::Ended ended) {
      reach(id, order);
      auto attempt = std::make_shared<QuietAttempt>();
      due_.push_back({order, std::move(ended), attempt, id});
      return attempt;
    };
    auto roster_facts = std::make_shared<policy::EndpointFacts>(facts);
    if (!told.empty()) roster_facts->boundary = told;
    auto actor = keep(spawn_endpoint(system_, nullptr, config, std::move(starter), clock_, deaf_breaker()));
    roster_->push_back({roster_facts, actor, "here"});
  }
  /// An attempt reaches an endpoint's wire.
  void reach(const std::string& id, const RunAttempt& order) {
    ++reached_[to_string(order.cause)];
    if (order.request->tenant == kJudgeTenant) ++reached_["judging"];
    for (const auto& tenant : marked(text_of(*order.request))) {
      auto bound = kBounds.find(tenant);
      if (bound == kBounds.end()) continue;
      ++bound_calls_;
      if (bound->second != boundaries_.at(id)) crossings_.push_back(to_string(order.cause));
    }
  }
  void answer_one() {
    auto at = rng_.below(due_.size());
    auto due = std::move(due_[at]);
    due_.erase(due_.begin() + static_cast<std::ptrdiff_t>(at));
    if (due.attempt->cancelled) return due.ended(failed(due.endpoint, due.order, Errc::cancelled));
    constexpr std::array bad{Errc::transient_server, Errc::timeout, Errc::rate_limited, Errc::overloaded};
    auto fate = rng_.below(10);
    if (fate < 3) return due.ended(failed(due.endpoint, due.order, bad[rng_.below(bad.size())]));
    if (fate == 3 && due.order.sink) return break_off(due);
    auto result = answered(due.endpoint, due.order);
    auto text = "so " + due.endpoint + ":";
    for (const auto& tenant : marked(text_of(*due.order.request))) text += mark_of(tenant);
    result->completion = text_answer(text);
    due.ended(std::move(result));
  }
  void break_off(Due& due) {
    std::vector<StreamEvent> events{StreamStarted{"m"}, TextDelta{"so:" + text_of(*due.order.request)}};
    due.order.sink->on_events(events);
    auto result = failed(due.endpoint, due.order, Errc::stream_broken);
    result->content_seen = true;
    due.ended(std::move(result));
  }

  // ---- the node ----

  FeatureConfig feature(const std::string& name) {
    FeatureConfig config;
    config.dispatch.rules = {.feature = name, .hierarchy = {"large", "small"}};
    config.dispatch.hedge.enabled = true;
    config.dispatch.hedge.samples_min = 3;
    config.dispatch.hedge.budget_share = 0.5;
    config.dispatch.hedge.price_factor_max = 1000;
    config.dispatch.retry.budget_share = 1;
    config.after_first_token =
        rng_.below(2) == 0 ? policy::AfterFirstToken::resume : policy::AfterFirstToken::restart;
    config.tenant_boundaries = std::make_shared<const std::map<std::string, std::string>>(kBounds);
    config.shadows = {board_, &board_->shadows};
    config.journal = &journal_;
    config.node = "n1";
    return config;
  }
  void open() {
    auto queues = std::make_shared<QueueMap>();
    auto shadows = std::make_shared<ShadowMap>();
    for (std::string name : kFeatures) {
      ShadowActorConfig shadow;
      shadow.feature = name;
      shadow.model = "candidate";
      shadow.policy = {
          .share = 1, .tokens_per_hour = 1'000'000'000, .usd_per_hour = 1e6, .in_flight_max = 1000};
      if (name != "judge")
        shadow.judge = JudgeActorConfig{.feature = "judge",
                                        .policy = {.share = 1, .usd_per_day = 1e6, .in_flight_max = 1000}};
      ShadowActorStage stage{&clock_, ledger_, controls_, nullptr};
      stage.queues = queues_;
      (*shadows)[name] = keep(spawn_shadow(system_, nullptr, shadow, std::move(stage)));
      (*queues)[name] = keep(spawn_feature_queue(system_, nullptr, feature(name), clock_, ledger_));
      tell((*shadows)[name], RosterChanged{roster_});
      tell((*queues)[name], RosterChanged{roster_});
    }
    tell(prober_, RosterChanged{roster_});
    board_->shadows.store(shadows);
    queues_->store(queues);
    publish();
  }
  void publish() {
    for (const auto& entry : *roster_) {
      auto view = std::make_shared<policy::HealthView>();
      view->endpoint = entry.facts->id;
      view->version = ++version_;
      if (rng_.below(8) == 0) view->state = policy::BreakerState::partial, view->share = 0.5;
      if (rng_.below(8) == 0) view->state = policy::BreakerState::open, view->share = 0;
      view->total_p50 = 1 + 4 * rng_.uniform();
      view->input_headroom = view->output_headroom = rng_.below(4) == 0 ? 1 : 1e18;
      for (const auto& [name, queue] : *queues_->load()) tell(queue, HealthChanged{view});
      for (const auto& [name, shadow] : *board_->shadows.load()) tell(shadow, HealthChanged{view});
    }
  }
  void tick() {
    clock_.pass(250ms);
    for (const auto& [name, queue] : *queues_->load()) tell(queue, Tick{});
    for (const auto& entry : *roster_) tell(entry.handle, Tick{});
    if (rng_.below(10) == 0) publish();
    if (rng_.below(10) == 0) tell(prober_, ProbeDue{(*roster_)[rng_.below(roster_->size())].facts->id});
  }

  // ---- runs ----

  Result<void> start(RunSpec spec, std::function<void(RunReport)> ended) override {
    begin(std::move(spec), std::move(ended));
    return {};
  }
  bool cancel(const std::string&, bool) override { return false; }
  bool signal(const std::string&, const std::string&, const std::string&, std::uint64_t) override {
    return false;
  }
  RunActor begin(RunSpec spec, std::function<void(RunReport)> ended) {
    RunConfig config;
    config.spec = std::move(spec);
    config.function = walk_graph;
    config.node = "n1";
    config.queues = queues_;
    config.children = this;
    config.on_done = std::move(ended);
    return keep(spawn_run(system_, std::move(config), clock_, journal_));
  }
  /// A run to its end, killed on the way now and then and taken up again from what was recorded.
  void run_graph(std::uint64_t seed, const std::string& tenant) {
    bool done = false;
    RunSpec spec{"graph", {fmt::format("{} {}", seed, tenant)}, fmt::format("run-{}", seed), tenant};
    auto ended = [&done](const RunReport&) { done = true; };
    auto actor = begin(spec, ended);
    for (int turn = 0; turn < 2000 && !done; ++turn) {
      run();
      while (journal_.pending() > 0) {
        journal_.commit_next();
        run();
      }
      if (!due_.empty() && rng_.below(3) != 0) answer_one();
      if (rng_.below(3) == 0) tick();
      if (rng_.below(60) == 0 && !done) {
        kill(actor);
        actor = begin(spec, ended);
      }
    }
    ended_ += done ? 1 : 0;
  }
  /// Read as it comes, so that an answer that breaks off is gone on with.
  void ask_live(const std::string& tenant) {
    auto call = std::make_shared<Call>();
    auto request = question("read along " + mark_of(tenant), kFeatures[rng_.below(kFeatures.size())]);
    request.tenant = tenant;
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    call->sink = std::make_shared<ReadingSink>();
    call->done = [this](const CallResult& result) {
      for (const auto& record : result.attempts) decisions_.push_back(record.decision);
    };
    auto queue = queues_->load()->at(call->request->feature);
    tell(queue, CallPtr(std::move(call)));
    for (int turn = 0; turn < 40; ++turn) {
      if (!due_.empty()) answer_one();
      run();
      tick();
    }
  }
  void play(std::size_t graphs) {
    open();
    for (std::uint64_t i = 0; i < graphs; ++i) {
      run_graph(i, kTenants[rng_.below(kTenants.size())]);
      ask_live(kTenants[rng_.below(kTenants.size())]);
    }
  }
  std::size_t refused_at_endpoints() const {
    std::size_t count = 0;
    for (auto at = logged.find("this must stay in"); at != logged.npos;
         at = logged.find("this must stay in", at + 1))
      ++count;
    return count;
  }

  Rng rng_{11};
  std::shared_ptr<Roster> roster_ = std::make_shared<Roster>();
  std::map<std::string, std::string> boundaries_;
  std::deque<Due> due_;
  LedgerBooks books_;
  LedgerActor ledger_;
  ProberActor prober_;
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  std::shared_ptr<Published<QueueMap>> queues_ = std::make_shared<Published<QueueMap>>();
  std::shared_ptr<Published<policy::Controls>> controls_ = std::make_shared<Published<policy::Controls>>();
  journal::testing::MemoryJournal journal_;
  std::map<std::string, int> reached_;
  std::vector<std::string> crossings_, decisions_;
  std::uint64_t version_ = 0, bound_calls_ = 0, ended_ = 0;
};

}  // namespace troupe::actors::testing
