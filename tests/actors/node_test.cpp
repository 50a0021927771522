// Whole nodes over loopback: what a reload takes over and what it leaves alone, and orders that go to the
// endpoint's home (C1, C11, F13, I6).
#include <troupe/node.hpp>

#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"
#include "runtime/policy/difficulty.hpp"
#include "runtime/transport/gateway.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe_node_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~NodeTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  /// Two simulated clouds, a model each, and what else `rest` says.
  std::string two_clouds(const std::string& node, const std::string& features,
                         const std::string& home_of_large = {}) const {
    auto home = home_of_large.empty() ? std::string() : ", home: " + home_of_large;
    return fmt::format(R"(
node: {{id: {0}, state_dir: {3}/state-{0}}}
providers:
  east: {{dialect: openai, base_url: simulator}}
  west: {{dialect: openai, base_url: simulator}}
simulator: {{endpoints: [{{name: s, dialect: openai}}, {{name: l, dialect: openai}}]}}
models: {{small: {{}}, large: {{}}}}
endpoints:
  list:
    - {{id: s, provider: east, model: small}}
    - {{id: l, provider: west, model: large{2}}}
features:
{1})",
                       node, features, home, folder_.string());
  }
  Result<Config> load(const std::string& text) {
    write("node.yaml", text);
    return Config::load((folder_ / "node.yaml").string());
  }
  std::unique_ptr<Node> start(const std::string& text) {
    auto config = load(text);
    if (!config) return ADD_FAILURE() << config.error().what, nullptr;
    auto node = Node::start(*config);
    if (!node) return ADD_FAILURE() << node.error().what, nullptr;
    return std::move(*node);
  }
  Result<void> reload(Node& node, const std::string& text) {
    auto config = load(text);
    if (!config) return std::unexpected(config.error());
    return node.reload(*config);
  }
  static Json ask(Node& node, const std::string& verb, const Json& input = Json::object()) {
    auto answer = node.ask(verb, {dump_json(input)});
    auto json = answer ? parse_json(answer->text) : Result<Json>(std::unexpected(answer.error()));
    return json ? *json : Json(json.error().what);
  }
  /// The model that would be asked first.
  static std::string leads(Node& node, const std::string& feature) {
    auto explained = ask(node, "route.explain", {{"feature", feature}});
    const auto* plan = find(explained, "plan");
    return plan != nullptr && !plan->empty() ? get_string((*plan)[0], "model") : std::string();
  }
  static bool eventually(const std::function<bool()>& holds) {
    auto patience = system_clock().now() + 20s;
    while (!holds())
      if (system_clock().now() > patience) return false;
    return true;
  }

  std::filesystem::path folder_;
};

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

/// `a` calls `b`, where the large model's endpoint lives.
class TwoNodesTest : public NodeTest {
 protected:
  void SetUp() override {
    auto a = transport::make_key_pair(), b = transport::make_key_pair();
    write("a.key", a.secret_key);
    write("b.key", b.secret_key);
    b_ = start(node_text("b", fmt::format("{{id: a, public_key: \"{}\"}}", a.public_key)));
    ASSERT_TRUE(b_);
    a_ = start(node_text(
        "a", fmt::format("{{id: b, public_key: \"{}\", address: \"{}\"}}", b.public_key, b_->address())));
    ASSERT_TRUE(a_);
    ASSERT_TRUE(eventually([&] { return leads(*a_, "recap") == "large"; })) << "a hears b's endpoint";
  }
  void TearDown() override {
    if (a_) a_->stop();
    if (b_) b_->stop();
  }
  std::string node_text(const std::string& id, const std::string& peer) {
    return two_clouds(id, "  recap: {hierarchy: [large, small]}\n", "b") +
           fmt::format("cluster: {{listen: \"tcp://127.0.0.1:0\", secret_key: \"file:{}\", peers: [{}]}}\n",
                       (folder_ / (id + ".key")).string(), peer);
  }
  static std::string state_of(Node& node, const std::string& endpoint) {
    auto all = ask(node, "endpoints");
    for (const auto& each : all)
      if (get_string(each, "endpoint") == endpoint) return get_string(each, "state");
    return "?";
  }
  std::unique_ptr<Node> a_, b_;
};

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
}  // namespace troupe::actors
