// A cast that is spawned, restarted with growing pauses, given up, and taken along.
#include "actors/supervisor.hpp"

#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

class IdleAttempt final : public HttpAttempt {
 public:
  void cancel() override {}
};

class SupervisorTest : public ActorTest {
 protected:
  void open() {
    SupervisorConfig config;
    config.node = "n1";
    config.restarts_max = 3;
    for (const char* id : {"a", "b"}) config.endpoints.push_back(local(id));
    config.features.push_back(recap());
    if (with_second_feature_) config.features.push_back(recap("chat"));
    if (!shadow_model_.empty()) add_shadow(config);
    Stage stage;
    stage.clock = &clock_;
    stage.ledger = ledger_probe(books_);
    stage.board = board_;
    supervisor_ = keep(spawn_supervisor(system_, std::move(config), std::move(stage)));
    run();
    pass(100ms);
  }
  FeatureConfig recap(const std::string& name = "recap") {
    FeatureConfig feature;
    feature.dispatch.rules = {.feature = name, .hierarchy = {"large"}};
    feature.shadows = {board_, &board_->shadows};
    return feature;
  }
  void add_shadow(SupervisorConfig& config) {
    config.endpoints.push_back(local("c"));
    config.endpoints.back().endpoint.facts.model = shadow_model_;
    FeatureShadow shadow;
    shadow.config.feature = "recap";
    shadow.config.model = shadow_model_;
    shadow.config.policy = {.share = 1, .tokens_per_hour = 1'000'000, .usd_per_hour = 1, .in_flight_max = 9};
    shadow.report = std::make_shared<Published<policy::ParityReport>>();
    config.shadows.push_back(std::move(shadow));
    config.controls = std::make_shared<Published<policy::Controls>>();
  }
  LocalEndpoint local(const std::string& id) {
    LocalEndpoint local;
    local.endpoint.facts.id = id;
    local.endpoint.facts.model = "large";
    local.endpoint.facts.provider = "cloud " + id;
    local.breaker.endpoint = id;
    if (healthy_.ttft_p90 > 0) {
      local.breaker.cell = std::make_shared<BreakerCell>();
      policy::BreakerMemory memory;
      memory.healthy = healthy_;
      local.breaker.cell->store(std::make_shared<const BreakerKnown>(memory, clock_.wall()));
    }
    local.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
      orders_[id].push_back({order, std::move(ended)});
      return std::make_shared<IdleAttempt>();
    };
    return local;
  }
  void pass(Duration span) { ActorTest::pass(span, supervisor_); }
  EndpointActor endpoint(const std::string& id) {
    auto all = board_->endpoints.load();
    auto it = all->find(id);
    return it == all->end() ? EndpointActor() : it->second;
  }
  FeatureQueueActor queue(const std::string& feature = "recap") { return board_->queues.load()->at(feature); }
  std::shared_ptr<std::vector<CallResult>> ask() {
    auto answers = std::make_shared<std::vector<CallResult>>();
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(question("hello"));
    call->done = [answers](CallResult result) { answers->push_back(std::move(result)); };
    tell(queue(), CallPtr(std::move(call)));
    return answers;
  }
  static bool gone(const FeatureQueueActor& queue) {
    return caf::actor_cast<caf::abstract_actor*>(queue)->getf(caf::abstract_actor::is_terminated_flag);
  }
  std::size_t sent() { return orders_["a"].size() + orders_["b"].size(); }
  /// How long until the endpoint is back, looking every 50 ms.
  Duration back_after(const std::string& id, Duration patience = 10s) {
    Duration waited{};
    for (; !endpoint(id) && waited < patience; waited += 50ms) pass(50ms);
    return waited;
  }
  std::map<std::string, HealthPtr> health() {
    std::map<std::string, HealthPtr> out;
    tell(supervisor_, GetBoard{[&](std::vector<HealthPtr> board) {
           for (auto& view : board) out[view->endpoint] = view;
         }});
    return out;
  }

  struct Order {
    RunAttempt order;
    HttpAttempt::Ended ended;
  };
  std::string shadow_model_;
  bool with_second_feature_ = false;
  /// What breakers know of their endpoints from before.
  policy::HealthyFigures healthy_;
  std::map<std::string, std::vector<Order>> orders_;
  LedgerBooks books_;
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  SupervisorActor supervisor_;
};

TEST_F(SupervisorTest, CallsThatHangOpenTheBreakerBeforeTheyEnd) {  // the grey failure
  healthy_.ttft_p90 = 0.5;
  open();
  for (int i = 0; i < 20; ++i) ask();
  pass(4s);
  for (const auto& [id, view] : health()) EXPECT_EQ(view->state, policy::BreakerState::closed) << id;
  pass(2s);
  EXPECT_EQ(sent(), 20u) << "none has ended, none was sent again";
  bool opened = false;
  for (const auto& [id, view] : health()) opened |= view->reason == policy::TripReason::stalls;
  EXPECT_TRUE(opened);
}

TEST_F(SupervisorTest, SpawnsACastThatServes) {
  open();
  auto answers = ask();
  ASSERT_EQ(sent(), 1u);
  auto& first = orders_["a"].empty() ? orders_["b"][0] : orders_["a"][0];
  first.ended(answered("x", first.order));
  run();
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_TRUE((*answers)[0].completion);
  EXPECT_EQ(health().size(), 2u);
}

TEST_F(SupervisorTest, RestartsAnEndpointAfterAPauseThatGrows) {
  open();
  std::vector<Duration> pauses;
  for (int i = 0; i < 3; ++i) {
    auto old = endpoint("a");
    kill(old);
    EXPECT_FALSE(endpoint("a"));
    pauses.push_back(back_after("a"));
    EXPECT_NE(endpoint("a"), old);
  }
  EXPECT_LT(pauses[0], pauses[1]);
  EXPECT_LT(pauses[1], pauses[2]);
}

TEST_F(SupervisorTest, GivesUpAChildThatKeepsFailing) {
  open();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(endpoint("a")) << i;
    kill(endpoint("a"));
    back_after("a", 3s);
  }
  EXPECT_FALSE(endpoint("a"));
  EXPECT_FALSE(health().at("a")->reachable);
  EXPECT_TRUE(endpoint("b"));  // A1: alone
  auto before = orders_["b"].size();
  for (int i = 0; i < 3; ++i) ask();
  EXPECT_EQ(orders_["b"].size(), before + 3);
}

TEST_F(SupervisorTest, ForgivesFailuresThatAreLongPast) {
  open();
  for (int i = 0; i < 8; ++i) {
    kill(endpoint("a"));
    back_after("a");
    ASSERT_TRUE(endpoint("a")) << i;
    pass(31s);
  }
}

TEST_F(SupervisorTest, HandsOnTheCallsOfAnEndpointThatDied) {
  open();
  ask();
  ASSERT_EQ(sent(), 1u);
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  kill(endpoint(first));
  run();
  EXPECT_EQ(orders_[other].size(), 1u);  // at once, not at the deadline
}

TEST_F(SupervisorTest, KeepsABreakerOpenOverItsRestart) {
  open();
  auto a = endpoint("a");
  std::vector<AttemptEnded> ends;
  auto client = probe(ends);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    RunAttempt order;
    order.id = id;
    order.request = std::make_shared<const CompletionRequest>(question("hello"));
    order.deadline = clock_.now() + 10s;
    order.reply_to = client;
    tell(a, order);
    orders_["a"].back().ended(failed("a", order, Errc::transient_server));
    run();
  }
  auto view = health().at("a");
  ASSERT_EQ(view->state, policy::BreakerState::open);
  kill(a);
  back_after("a");
  pass(100ms);
  EXPECT_EQ(health().at("a")->state, policy::BreakerState::open);  // GATEWAYS, pain 5
  EXPECT_EQ(health().at("a")->cool_until, view->cool_until);
  EXPECT_GT(health().at("a")->version, view->version);
}

TEST_F(SupervisorTest, GivesANewQueueTheRosterAndTheHealthOfAll) {
  open();
  kill(queue());
  pass(200ms);
  ask();
  EXPECT_EQ(sent(), 1u);
}

TEST_F(SupervisorTest, AFeaturesCallsAreShadowedAlsoAfterTheShadowDied) {  // B5
  shadow_model_ = "candidate";
  open();
  ask();
  ASSERT_EQ(sent(), 1u);
  ASSERT_EQ(orders_["c"].size(), 1u);
  EXPECT_EQ(orders_["c"][0].order.cause, Cause::shadow);
  kill(board_->shadows.load()->at("recap"));
  ask();
  EXPECT_EQ(sent(), 2u) << "the primary does not feel it";
  EXPECT_EQ(orders_["c"].size(), 1u);
  pass(1s);
  ask();
  EXPECT_EQ(orders_["c"].size(), 2u);
}

TEST_F(SupervisorTest, NewRulesHoldForNewCallsAndThoseUnderWayAreSeenThrough) {  // C1
  open();
  auto old = queue();
  auto first = ask();
  ASSERT_EQ(sent(), 1u);
  FeatureConfig stricter;
  stricter.dispatch.rules = {.feature = "recap", .hierarchy = {"another"}};
  tell(supervisor_, ReplaceFeatures{std::make_shared<std::vector<FeatureConfig>>(1, stricter)});
  EXPECT_NE(queue(), old);
  auto second = ask();
  EXPECT_EQ(sent(), 1u) << "nobody has the other model";
  pass(5s);
  auto& order = orders_["a"].empty() ? orders_["b"][0] : orders_["a"][0];
  order.ended(answered("x", order.order));
  run();
  ASSERT_EQ(first->size(), 1u);
  EXPECT_TRUE((*first)[0].completion);
  EXPECT_EQ(books_.by_cause().at("primary"), 1);
  pass(2s);
  EXPECT_TRUE(gone(old));
  EXPECT_FALSE(gone(queue()));
}

TEST_F(SupervisorTest, AReloadDuringARestartsPauseLeavesOneQueue) {
  open();
  kill(queue());
  tell(supervisor_, ReplaceFeatures{std::make_shared<std::vector<FeatureConfig>>(1, recap())});
  auto fresh = queue();
  ASSERT_FALSE(gone(fresh)) << "it does not wait for the pause";
  pass(5s);
  EXPECT_EQ(queue(), fresh) << "what the restart would have spawned is there";
}

TEST_F(SupervisorTest, AReplacedQueueGoesOnHearingOfEndpointsThatWereRestarted) {  // F6
  open();
  auto answers = ask();
  ASSERT_EQ(sent(), 1u);
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  tell(supervisor_, ReplaceFeatures{std::make_shared<std::vector<FeatureConfig>>(1, recap())});
  kill(endpoint(other));
  back_after(other);
  auto breaker = board_->breakers.load()->at(other);
  tell(breaker, ForceBreaker{policy::BreakerState::open, 1h, "ann", "drill"});
  pass(100ms);
  const auto& order = orders_[first][0];
  order.ended(failed(first, order.order, Errc::transient_server));
  run();
  EXPECT_TRUE(orders_[other].empty()) << "its breaker is open";
  tell(breaker, ForceBreaker{policy::BreakerState::closed, 1h, "ann", "over"});
  pass(1s);
  EXPECT_GE(sent(), 2u) << "it was tried again";
}

TEST_F(SupervisorTest, AReloadLeavesQueuesAloneWhoseRulesAreAsTheyWere) {  // C1
  with_second_feature_ = true;
  open();
  auto recap_queue = queue(), chat_queue = queue("chat");
  tell(supervisor_, ReplaceFeatures{std::make_shared<std::vector<FeatureConfig>>(1, recap())});
  EXPECT_NE(queue(), recap_queue);
  EXPECT_EQ(queue("chat"), chat_queue);
}

TEST_F(SupervisorTest, TakesTheCastAlong) {
  open();
  auto cast = queue();
  auto answers = ask();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  run();
  EXPECT_TRUE(board_->endpoints.load()->empty());
  EXPECT_TRUE(board_->queues.load()->empty());
  ASSERT_EQ(answers->size(), 1u);  // told, not forgotten
  EXPECT_EQ((*answers)[0].completion.error().code, Errc::internal);
}

}  // namespace
}  // namespace troupe::actors::testing
