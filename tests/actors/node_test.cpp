// Whole nodes over loopback: what a reload takes over and what it leaves alone, and orders that go to the
// endpoint's home (C1, C11, F13, I6).
#include "tests/actors/node_world.hpp"

#include "runtime/policy/difficulty.hpp"

#include <future>

namespace troupe::actors::testing {
namespace {

TEST_F(NodeTest, AReloadTakesOverTheOrderOfModels) {  // C1
  auto node = start(two_clouds("n", "  recap: {hierarchy: [small, large]}\n"));
  ASSERT_TRUE(node);
  EXPECT_TRUE(eventually([&] { return leads(*node, "recap") == "small"; }));
  EXPECT_TRUE(reload(*node, two_clouds("n", "  recap: {hierarchy: [large, small]}\n")));
  EXPECT_TRUE(eventually([&] { return leads(*node, "recap") == "large"; }));
}

TEST_F(NodeTest, WhereThereAreBudgetsTheOrderOfModelsNeedsARestart) {  // I6: they name a model by its place
  auto text = [&](const char* order, const char* pools) {
    return two_clouds("n", fmt::format("  recap: {{hierarchy: [{}], route: {{pools: {}}}, "
                                       "budget: {{usd_per_day: 10, model: small}}}}\n",
                                       order, pools));
  };
  auto node = start(text("small, large", "by_class"));
  ASSERT_TRUE(node);
  auto refused = reload(*node, text("large, small", "on_demand_first"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_config);
  EXPECT_THAT(refused.error().what, HasSubstr("features.recap.hierarchy ("));
  EXPECT_TRUE(reload(*node, text("small, large", "on_demand_first"))) << "other routing is taken over";
}

TEST_F(NodeTest, ARetrainedChoiceIsSeenAtAReload) {  // E1
  policy::DifficultyModel model;
  model.quantiles.assign(101, 0.5);
  auto train = [&](double intercept) {
    model.intercept = intercept;
    write("choice.txt", policy::to_text(model));
  };
  auto text = two_clouds("n",
                         "  recap: {hierarchy: [small, large], "
                         "choice: {weak: small, strong: large, model: choice.txt}}\n");
  train(-5);
  auto node = start(text);
  ASSERT_TRUE(node);
  EXPECT_TRUE(eventually([&] { return leads(*node, "recap") == "small"; }));
  train(5);
  ASSERT_TRUE(reload(*node, text)) << "the configuration itself is as it was";
  EXPECT_TRUE(eventually([&] { return leads(*node, "recap") == "large"; }));
}

TEST_F(TwoNodesTest, AnOrderToABreakerGoesToTheEndpointsHome) {  // F13
  auto told =
      ask(*a_, "control.breaker",
          {{"endpoint", "l"}, {"order", "open"}, {"ttl_ms", 60'000}, {"who", "ann"}, {"why", "drill"}});
  EXPECT_EQ(get_string(told, "node"), "b") << dump_json(told);
  EXPECT_TRUE(eventually([&] { return state_of(*b_, "l") == "open"; }));
  EXPECT_TRUE(eventually([&] { return leads(*a_, "recap") == "small"; })) << "and who asked hears of it";
  EXPECT_THAT(dump_json(ask(*b_, "control.breaker",
                            {{"endpoint", "s"}, {"order", "open"}, {"ttl_ms", 1000}, {"handed_over", true}})),
              HasSubstr("\"b\""))
      << "its own endpoint without a home lives on each node";
  EXPECT_THAT(dump_json(ask(*a_, "control.breaker",
                            {{"endpoint", "l"}, {"order", "open"}, {"ttl_ms", 1000}, {"handed_over", true}})),
              HasSubstr("does not live on a"))
      << "a question goes on once";
}

TEST_F(TwoNodesTest, ARatingReachesTheBreakerAtTheEndpointsHome) {  // C11
  auto rate = [&](bool good) {
    return ask(*a_, "feedback",
               {{"endpoint", "l"}, {"good", good}, {"answered_ms", system_clock().wall().ms}});
  };
  EXPECT_EQ(get_string(rate(true), "node"), "b");
  for (int i = 0; i < 400; ++i) rate(true);
  EXPECT_EQ(state_of(*b_, "l"), "closed");
  for (int i = 0; i < 400; ++i) rate(false);
  EXPECT_TRUE(eventually([&] { return state_of(*b_, "l") != "closed"; })) << "rated worse than it was";
}

// A run's end may lead to another run; whichever thread tells it has then spawned an actor, and CAF waits for
// such threads when it ends.
TEST_F(NodeTest, StopsAfterARunWasStartedFromAnothersEnd) {
  auto node = start(two_clouds("n", "  chat: {hierarchy: [small, large]}\n"));
  ASSERT_TRUE(node);
  node->add_workflow("nothing", [](Workflow&, JsonText input) -> Task<Result<JsonText>> { co_return input; });
  std::promise<void> both_ended;
  RunSpec spec{"nothing", {"1"}, "first", "default", {}, {}};
  Node::Watch second{{}, [&](const RunReport&) { both_ended.set_value(); }, {}};
  Node::Watch first{{},
                    [&](const RunReport&) {
                      RunSpec next{"nothing", {"2"}, "second", "default", {}, {}};
                      EXPECT_TRUE(node->submit(std::move(next), second));
                    },
                    {}};
  ASSERT_TRUE(node->submit(std::move(spec), std::move(first)));
  both_ended.get_future().wait();
  node->stop();
}

}  // namespace
}  // namespace troupe::actors::testing
