// A rollout over three nodes: from one percent to all, back in one message, and bounded by the lease on a
// node that is cut off (B7, B8).
#include "actors/rollout.hpp"
#include "actors/rollout_json.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"
#include "tests/support/actor_test.hpp"

#include <cmath>

namespace troupe::actors::testing {
namespace {

struct RolloutNode {
  std::string id;
  std::shared_ptr<Published<policy::Controls>> board = std::make_shared<Published<policy::Controls>>();
  ControlsActor controls;
  RolloutActor rollouts;
  bool cut = false;
  std::shared_ptr<Published<policy::TwoSides>> copies = std::make_shared<Published<policy::TwoSides>>();
};

class RolloutActorTest : public ActorTest {
 protected:
  RolloutActorTest() {
    rule_.name = "r";
    rule_.feature = "recap";
    rule_.model = "large";
    rule_.policy.dwell = 10s;
    rule_.policy.samples_min = 100;
    rule_.policy.stage_time_max = 1h;
  }
  void SetUp() override {
    for (const char* id : {"a", "b", "c"}) nodes_[id].id = id;
    for (auto& [id, node] : nodes_) begin(node);
    span(2s);
  }
  void begin(RolloutNode& node) {
    auto send = [this, from = node.id](auto message) {
      return [this, from, message](const std::string& to, std::string body) {
        auto& there = nodes_.at(to);
        if (!nodes_.at(from).cut && !there.cut) message(there, from, std::move(body));
      };
    };
    ControlsConfig config;
    config.node = node.id;
    for (const auto& [id, other] : nodes_)
      if (id != node.id) config.peers.push_back(id);
    ControlsStage stage{&clock_, nullptr,
                        send([](RolloutNode& there, const std::string& from, std::string body) {
                          if (there.controls)
                            caf::anon_send(there.controls, ControlsHeard{from, std::move(body)});
                        }),
                        node.board};
    node.controls = keep(spawn_controls(system_, nullptr, std::move(config), std::move(stage)));
    RolloutActorStage rollouts{&clock_, node.board, node.controls,
                               send([](RolloutNode& there, const std::string& from, std::string body) {
                                 if (there.rollouts)
                                   caf::anon_send(there.rollouts, RolloutHeard{from, std::move(body)});
                               })};
    node.rollouts = keep(
        spawn_rollouts(system_, nullptr, {node.id, {{rule_, "a", node.copies}}, 1s}, std::move(rollouts)));
  }
  /// The rule as a reload would bring it.
  void change(std::uint32_t after_copies, std::set<std::string> redealt = {}) {
    rule_.policy.after_copies = after_copies;
    for (auto& [id, node] : nodes_)
      tell(node.rollouts, RolloutsChanged{{{rule_, "a", node.copies}}, redealt});
  }
  // Calls of one node's that were copied to the model.
  void copy(const std::string& node, int pairs) {
    auto& cell = *nodes_.at(node).copies;
    auto shown = *cell.load();
    for (int i = 0; i < pairs; ++i) {
      shown.old.add(figures(0.001));
      shown.fresh.add(figures(failure_));
    }
    cell.store(std::make_shared<const policy::TwoSides>(shown));
  }
  // Pairs of one node's whose new answers were judged worse so often, else as good.
  void judge(const std::string& node, int pairs, double worse = 0.5) {
    auto& cell = *nodes_.at(node).copies;
    auto shown = *cell.load();
    for (int i = 0; i < pairs; ++i) shown.fresh.preference.add(rng_.uniform() < worse ? -1 : 0);
    cell.store(std::make_shared<const policy::TwoSides>(shown));
  }
  double judged() { return get_double(*parse_json(*command("a", "status")), "judged"); }
  policy::CallFigures figures(double failure) {
    policy::CallFigures call{.failed = rng_.uniform() < failure};
    call.ttft = std::exp(0.1 * rng_.normal());
    call.total = 2 * call.ttft;
    call.usd = 0.01 * std::exp(0.1 * rng_.normal());
    return call;
  }
  void span(Duration time) {
    for (; time > Duration::zero(); time -= 100ms) {
      clock_.pass(100ms);
      if (serving_) serve();
      for (auto& [id, node] : nodes_) caf::anon_send(node.controls, Tick{});
      for (auto& [id, node] : nodes_) caf::anon_send(node.rollouts, Tick{});
      run();
    }
  }
  bool new_side(const std::string& node, const std::string& tenant) {
    return on_new_side(rule_, *nodes_.at(node).board->load(), {.tenant = tenant}, clock_.now(),
                       clock_.wall());
  }
  // Sixty calls of sixty tenants, spread over the nodes.
  void serve() {
    for (int i = 0; i < 60; ++i) {
      auto& node = std::next(nodes_.begin(), i % 3)->second;
      bool fresh = new_side(node.id, "T" + std::to_string(rng_.below(100'000)));
      auto call = figures(fresh ? failure_ : 0.001);
      share_most_ = std::max(share_most_, share());
      caf::anon_send(node.rollouts, RolloutOutcome{"r", deal_of(rule_), fresh, call});
    }
  }
  Result<std::string> command(const std::string& node, const std::string& action) {
    Result<std::string> told = fail(Errc::internal, "no answer");
    tell(nodes_.at(node).rollouts,
         RolloutCommand{"r", action, "ann", "because", [&told](auto said) { told = said; }});
    return told;
  }
  std::string state(const std::string& node = "a") {
    return get_string(*parse_json(command(node, "status").value_or("{}")), "state");
  }
  double share() {
    const auto controls = nodes_.at("a").board->load();
    const auto* share = controls->share_of("r");
    return share != nullptr ? share->share : 0;
  }
  // Of a thousand tenants, how many each node would send to the new side.
  int count(const std::string& node) {
    int in = 0;
    for (int i = 0; i < 1000; ++i) in += new_side(node, "T" + std::to_string(i));
    return in;
  }

  policy::RolloutRule rule_;
  std::map<std::string, RolloutNode> nodes_;
  Rng rng_{7};
  bool serving_ = false;
  double failure_ = 0.001, share_most_ = 0;
};

TEST_F(RolloutActorTest, AGoodModelReachesEveryoneStageByStage) {
  EXPECT_EQ(state(), "not begun");
  EXPECT_EQ(count("b"), 0);
  ASSERT_TRUE(command("a", "start"));
  EXPECT_EQ(state(), "running");
  EXPECT_NEAR(count("b"), 10, 15);
  serving_ = true;
  span(15min);
  EXPECT_EQ(state(), "done") << command("a", "status").value_or("");
  for (const auto& [id, node] : nodes_) EXPECT_EQ(count(id), 1000) << id;
}

TEST_F(RolloutActorTest, ABadModelIsRolledBackByWhatAllNodesSawAndNeverPassesFivePercent) {
  failure_ = 0.1;
  ASSERT_TRUE(command("a", "start"));
  serving_ = true;
  span(10min);
  EXPECT_EQ(state("b"), "rolled_back");
  EXPECT_LE(share_most_, 0.05);
  for (const auto& [id, node] : nodes_) EXPECT_EQ(count(id), 0) << id;
}

TEST_F(RolloutActorTest, RollsBackOnAllNodesFromAnyNodeBeforeTimePasses) {
  ASSERT_TRUE(command("a", "start"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(command("a", "advance"));
  EXPECT_EQ(count("c"), 1000);
  ASSERT_TRUE(command("b", "rollback"));
  for (const auto& [id, node] : nodes_) EXPECT_EQ(count(id), 0) << id;
  span(3s);
  EXPECT_EQ(share(), 0);
  EXPECT_FALSE(command("a", "advance"));
  // And can begin again.
  ASSERT_TRUE(command("a", "start"));
  EXPECT_EQ(share(), 0.01);
  EXPECT_EQ(state("c"), "running");
}

TEST_F(RolloutActorTest, ANodeThatIsCutOffGoesBackWithinItsLease) {
  ASSERT_TRUE(command("a", "start"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(command("a", "advance"));
  nodes_.at("c").cut = true;
  ASSERT_TRUE(command("b", "rollback"));
  EXPECT_EQ(count("a"), 0);
  EXPECT_EQ(count("c"), 1000);  // for ever, were it not for the lease
  span(5500ms);
  EXPECT_EQ(count("c"), 0);
  nodes_.at("c").cut = false;
  span(2s);
  EXPECT_EQ(state("c"), "stopped");
}

TEST_F(RolloutActorTest, BeginsByItselfWhenAllNodesCopiesTogetherAreEnoughAndTheGatesHold) {  // C13
  change(2000);
  for (int i = 0; i < 30; ++i) {
    copy("b", 20);
    copy("c", 20);
    span(1s);
  }
  EXPECT_EQ(state(), "not begun") << "1200 copies";
  EXPECT_EQ(get_double(*parse_json(*command("a", "status")), "copies"), 1200);
  copy("c", 800);
  span(3s);
  ASSERT_EQ(state(), "running") << *command("a", "status");
  EXPECT_EQ(share(), 0.01);
  EXPECT_NEAR(count("b"), 10, 15);
  serving_ = true;
  span(15min);
  EXPECT_EQ(state(), "done") << *command("a", "status");
}

TEST_F(RolloutActorTest, WithoutCopiesItWaitsForSomebodysWord) {
  copy("b", 5000);
  span(10s);
  EXPECT_EQ(state(), "not begun");
}

TEST_F(RolloutActorTest, AModelThatIsWorseInCopiesNeverGetsACustomer) {  // C13, B5
  failure_ = 0.2;
  change(1000);
  serving_ = true;
  for (int i = 0; i < 60; ++i) {
    copy("b", 20);
    span(1s);
  }
  EXPECT_EQ(state(), "rolled_back");
  EXPECT_EQ(share_most_, 0);
  EXPECT_NE(command("a", "status")->find("copies: worse: failures"), std::string::npos);
  span(1min);
  EXPECT_EQ(state("b"), "rolled_back") << "it does not begin again by itself";
}

TEST_F(RolloutActorTest, DoesNotBeginAboveAStopNorOnItsOldCopies) {
  ASSERT_TRUE(command("b", "rollback"));
  change(30);
  copy("b", 3000);
  span(10s);
  EXPECT_EQ(share(), 0) << "it is stopped";
  for (const auto& [id, node] : nodes_) EXPECT_EQ(count(id), 0) << id;
}

TEST_F(RolloutActorTest, JudgedPairsOfAllNodesTakeItBackAndCountAnewWhenItIsBegunAgain) {  // L7
  ASSERT_TRUE(command("a", "start"));
  serving_ = true;
  span(10s);
  ASSERT_EQ(state(), "running");
  judge("b", 60);
  span(2s);
  EXPECT_EQ(state(), "running") << "one node's are too few";
  judge("c", 60);
  span(5s);
  EXPECT_EQ(judged(), 120);
  EXPECT_EQ(state(), "rolled_back");
  EXPECT_NE(get_string(*parse_json(*command("a", "status")), "why").find("quality"), std::string::npos);
  ASSERT_TRUE(command("a", "start"));
  span(20s);
  EXPECT_EQ(state(), "running") << "what was judged before is forgiven";
  EXPECT_EQ(judged(), 0);
  nodes_.at("b").copies->store(std::make_shared<const policy::TwoSides>());
  for (int pairs : {40, 40}) judge("b", pairs, 0), span(2s);
  EXPECT_EQ(judged(), 80) << "its shadow has begun anew, with more than was forgiven";
  judge("b", 300);
  span(5s);
  EXPECT_EQ(state(), "rolled_back");
}

TEST_F(RolloutActorTest, JudgedPairsCountFromStageToStage) {
  ASSERT_TRUE(command("a", "start"));
  judge("b", 3);
  span(2s);
  ASSERT_TRUE(command("a", "advance"));
  span(2s);
  EXPECT_EQ(judged(), 3);
  judge("b", 4);
  span(2s);
  EXPECT_EQ(judged(), 7);
  nodes_.at("b").copies->store(std::make_shared<const policy::TwoSides>());
  judge("b", 2);
  span(2s);
  EXPECT_EQ(judged(), 2) << "its shadow has begun anew";
}

TEST_F(RolloutActorTest, AReloadKeepsWhatARolloutHasCounted) {  // C13
  ASSERT_TRUE(command("a", "start"));
  serving_ = true;
  span(8s);
  serving_ = false;
  auto calls = [this] { return get_double(*parse_json(*command("a", "status")), "calls_old"); };
  auto before = calls();
  ASSERT_GT(before, 100);
  rule_.policy.dwell = 20s;
  change(0);
  EXPECT_EQ(calls(), before);
  EXPECT_EQ(state(), "running");
  change(0, {"r"});
  EXPECT_EQ(calls(), 0) << "of units dealt anew it says nothing";
  tell(nodes_.at("a").rollouts, RolloutsChanged{});
  EXPECT_FALSE(command("a", "status")) << "it is gone";
}

TEST_F(RolloutActorTest, CallsThatBeganUnderTheRuleBeforeSayNothingOfTheNewOne) {  // C13, B7
  auto before = rule_;
  rule_.model = "larger";
  change(0, {"r"});
  ASSERT_TRUE(command("a", "start"));
  auto calls = [this] { return get_double(*parse_json(*command("a", "status")), "calls_new"); };
  for (int i = 0; i < 500; ++i)
    tell(nodes_.at("a").rollouts, RolloutOutcome{"r", deal_of(before), true, figures(1)});
  EXPECT_EQ(calls(), 0);
  tell(nodes_.at("a").rollouts, RolloutOutcome{"r", deal_of(rule_), true, figures(0)});
  EXPECT_EQ(calls(), 1);
}

TEST_F(RolloutActorTest, ANodeThatHasNotReadItsFileAgainCountsForNothing) {  // C13
  change(1000);
  copy("b", 3000);
  auto& home = nodes_.at("a");
  rule_.model = "larger";
  tell(home.rollouts, RolloutsChanged{{{rule_, "a", home.copies}}, {"r"}});
  span(10s);
  EXPECT_EQ(state(), "not begun") << "b's copies went to another model";
  tell(nodes_.at("b").rollouts, RolloutsChanged{{{rule_, "a", nodes_.at("b").copies}}, {"r"}});
  span(10s);
  EXPECT_EQ(state(), "running");
}

TEST_F(RolloutActorTest, OfABuildThatDoesNotSayHowItDealsTheEvidenceIsBelieved) {
  change(1000);
  auto shown = policy::TwoSides();
  for (int i = 0; i < 20; ++i) shown.old.add(figures(0)), shown.fresh.add(figures(0));
  Json body{{"rollout", "r"}, {"epoch", 0}, {"old", to_json(shown.old)}, {"fresh", to_json(shown.fresh)}};
  tell(nodes_.at("a").rollouts, RolloutHeard{"b", dump_json(body)});
  EXPECT_EQ(get_double(*parse_json(*command("a", "status")), "copies"), 20);
}

TEST_F(RolloutActorTest, OperatorsHaltAndResumeAndStrangersAreIgnored) {
  EXPECT_FALSE(command("b", "start"));  // not its home
  EXPECT_FALSE(command("a", "advance"));
  ASSERT_TRUE(command("a", "start"));
  EXPECT_FALSE(command("a", "start"));
  ASSERT_TRUE(command("a", "halt"));
  serving_ = true;
  span(2min);
  EXPECT_EQ(state(), "halted");
  EXPECT_EQ(share(), 0.01);
  serving_ = false;
  ASSERT_TRUE(command("a", "resume"));
  EXPECT_EQ(state(), "running");
  EXPECT_FALSE(command("a", "dance"));
  for (const char* body : {"", "{}", R"({"rollout":"r","epoch":1,"old":{},"fresh":{}})",
                           R"({"rollout":"r","old":{"failed":[-1,0,0]},"fresh":null})"})
    tell(nodes_.at("a").rollouts, RolloutHeard{"b", body});
  EXPECT_EQ(state(), "running");
}

}  // namespace
}  // namespace troupe::actors::testing
