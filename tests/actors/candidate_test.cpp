// A model that is tried out, among the real actors: whatever its copies and probes come to, customers' calls
// never touch it before a stage sends them there (B5, B7, F7).
#include "actors/supervisor.hpp"
#include "tests/support/actor_test.hpp"

#include <map>

namespace troupe::actors::testing {
namespace {

/// An attempt that has ended before anyone looks at it.
class DoneAttempt final : public HttpAttempt {
 public:
  void cancel() override {}
};

/// The usual model at two clouds and a candidate at a third, with its shadow, its rollout and the node's
/// prober.
class CandidateCastTest : public ActorTest {
 protected:
  CandidateCastTest() {
    board_->queues.store(std::make_shared<const QueueMap>());
    rule_.name = "r";
    rule_.feature = "recap";
    rule_.model = "candidate";
  }
  void open(bool rollout = true) {
    SupervisorConfig config;
    config.node = "n1";
    config.controls = controls_;
    for (auto [id, model, cloud] :
         {std::tuple("old-a", "usual", "aws"), std::tuple("old-b", "usual", "azure"),
          std::tuple("new", "candidate", "google")})
      config.endpoints.push_back(local(id, model, cloud));
    config.features.push_back(feature(rollout));
    config.shadows.push_back(shadow());
    Stage stage;
    stage.clock = &clock_;
    stage.ledger = ledger_probe(books_);
    stage.board = board_;
    supervisor_ = keep(spawn_supervisor(system_, std::move(config), std::move(stage)));
    pass(200ms, supervisor_);
  }
  LocalEndpoint local(const std::string& id, const std::string& model, const std::string& cloud) {
    LocalEndpoint out;
    out.endpoint.facts.id = id;
    out.endpoint.facts.model = model;
    out.endpoint.facts.provider = cloud;
    out.endpoint.facts.region = "us";
    out.breaker.endpoint = id;
    out.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
      ++asked_[id][order.cause == Cause::shadow || order.cause == Cause::probe ? "ours" : "customers"];
      auto how = ill_.find(id);
      auto result = how == ill_.end() ? answered(id, order) : failed(id, order, how->second);
      result->record.ttft = result->record.total = 100ms;
      ended(std::move(result));
      return std::make_shared<DoneAttempt>();
    };
    return out;
  }
  FeatureConfig feature(bool rollout) {
    FeatureConfig out;
    out.dispatch.rules = {.feature = "recap", .hierarchy = {"usual", "candidate"}};
    out.controls = controls_;
    auto leads = std::make_shared<policy::LeadRules>();
    if (held_back_ && rollout) leads->rollouts.push_back(rule_);
    if (held_back_) leads->shadowed.push_back({"recap", "candidate"});
    out.leads = leads;
    out.shadows = {board_, &board_->shadows};
    return out;
  }
  FeatureShadow shadow() {
    FeatureShadow out;
    out.config.feature = "recap";
    out.config.model = "candidate";
    out.config.policy = {
        .share = 1, .tokens_per_hour = 10'000'000, .usd_per_hour = 100, .in_flight_max = 100};
    return out;
  }
  void set_share(double share, policy::RolloutState state = policy::RolloutState::running) {
    auto controls = *controls_->load();
    policy::Share change{.name = "r", .share = share, .state = state};
    change.stamp = policy::next_stamp(controls, "n1");
    policy::absorb(controls, change);
    controls_->store(std::make_shared<const policy::Controls>(controls));
  }
  /// One call a second; how many were served.
  int serve(int calls) {
    int served = 0;
    for (int i = 0; i < calls; ++i) {
      auto call = std::make_shared<Call>();
      call->request = std::make_shared<const CompletionRequest>(question("hello"));
      call->done = [&served](CallResult result) { served += result.completion.has_value(); };
      tell(board_->queues.load()->at("recap"), CallPtr(std::move(call)));
      pass(1s, supervisor_);
    }
    return served;
  }
  policy::BreakerState state_of(const std::string& id) {
    auto found = policy::BreakerState::closed;
    tell(supervisor_, GetBoard{[&](std::vector<HealthPtr> views) {
           for (const auto& view : views)
             if (view->endpoint == id) found = view->state;
         }});
    return found;
  }
  int customers(const std::string& id) { return asked_[id]["customers"]; }
  int ours(const std::string& id) { return asked_[id]["ours"]; }

  policy::RolloutRule rule_;
  bool held_back_ = true;
  std::map<std::string, Errc> ill_;
  std::map<std::string, std::map<std::string, int>> asked_;
  LedgerBooks books_;
  std::shared_ptr<Published<policy::Controls>> controls_ = std::make_shared<Published<policy::Controls>>();
  std::shared_ptr<CastBoard> board_ = std::make_shared<CastBoard>();
  SupervisorActor supervisor_;
};

TEST_F(CandidateCastTest, WhoseCopiesFailIsNeverTriedWithCustomersCalls) {  // B5
  ill_["new"] = Errc::transient_server;
  open();
  EXPECT_EQ(serve(300), 300);
  EXPECT_GT(ours("new"), 5);
  EXPECT_EQ(customers("new"), 0);
  EXPECT_NE(state_of("new"), policy::BreakerState::closed);
}

TEST_F(CandidateCastTest, IsOneByItsShadowAlone) {  // B5
  ill_["new"] = Errc::transient_server;
  open(false);
  EXPECT_EQ(serve(300), 300);
  EXPECT_GT(ours("new"), 5);
  EXPECT_EQ(customers("new"), 0);
}

TEST_F(CandidateCastTest, WereItABackupLikeAnyOtherItWouldHaveThemUnproven) {  // the rule off
  held_back_ = false;
  open();
  serve(5);
  ill_["old-a"] = ill_["old-b"] = Errc::transient_server;
  serve(5);
  EXPECT_GT(customers("new"), 0);
}

TEST_F(CandidateCastTest, RecoversByCopiesAndProbesAlone) {  // F7, F15
  ill_["new"] = Errc::transient_server;
  open();
  serve(30);
  ASSERT_NE(state_of("new"), policy::BreakerState::closed);
  ill_.clear();
  int seconds = 0;
  for (; state_of("new") != policy::BreakerState::closed && seconds < 600; seconds += 10) serve(10);
  EXPECT_EQ(state_of("new"), policy::BreakerState::closed);
  EXPECT_EQ(customers("new"), 0);
  std::printf("[ figures  ] a candidate is closed again after %d s and %d copies and probes\n", seconds,
              ours("new"));
}

TEST_F(CandidateCastTest, IsNoBackupOfASickModelBeforeItIsProvenAndTheLastResortAfterwards) {
  open();
  serve(5);
  ill_["old-a"] = ill_["old-b"] = Errc::transient_server;
  EXPECT_EQ(serve(5), 0) << "five copies prove nothing";
  EXPECT_EQ(customers("new"), 0);
  ill_.clear();
  serve(120);
  EXPECT_EQ(customers("new"), 0) << "proven, and still not asked while others can be";
  ill_["old-a"] = ill_["old-b"] = Errc::transient_server;
  serve(20);
  EXPECT_GT(customers("new"), 0);
}

TEST_F(CandidateCastTest, ServesThoseWhomAStageSendsThereWithTheUsualModelBehindIt) {  // B7
  open();
  set_share(1);
  EXPECT_EQ(serve(20), 20);
  EXPECT_EQ(customers("new"), 20);
  ill_["new"] = Errc::transient_server;
  EXPECT_EQ(serve(20), 20) << "each falls back";
  set_share(0, policy::RolloutState::rolled_back);
  auto before = customers("new");
  EXPECT_EQ(serve(120), 120);
  EXPECT_EQ(customers("new"), before);
}

}  // namespace
}  // namespace troupe::actors::testing
