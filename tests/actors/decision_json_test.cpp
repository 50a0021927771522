// A recorded decision is made again bit for bit, and a document that lies is found out (E9).
#include "actors/decision_json.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;

struct Keeper final : policy::DecisionSink {
  void on_decision(const Decision& decision) override { json = decision_json(decision); }
  std::string json;
};

std::string some_decision(std::uint64_t seed) {
  Rng rng(seed);
  policy::DispatchPolicy policy;
  policy.rules = {.feature = "f", .hierarchy = {"large", "small"}};
  ManualClock clock;
  policy::Dispatcher dispatcher(policy, seed, clock.now());
  std::vector<policy::FactsPtr> facts;
  for (int i = 0; i < 5; ++i) {
    policy::EndpointFacts each{.id = "e" + std::to_string(i), .provider = i % 2 ? "a" : "b", .region = "r"};
    each.model = rng.below(2) ? "large" : "small";
    each.kind = rng.below(2) ? policy::CapacityKind::reserved : policy::CapacityKind::on_demand;
    each.price = {rng.uniform(), rng.uniform()};
    facts.push_back(std::make_shared<const policy::EndpointFacts>(each));
  }
  dispatcher.set_endpoints(facts);
  for (std::uint32_t i = 0; i < 4; ++i) {
    auto view = std::make_shared<policy::HealthView>();
    view->state = static_cast<policy::BreakerState>(rng.below(3));
    view->share = view->total_p50 = rng.uniform();
    view->ttft_p50 = rng.uniform() / 3;
    view->input_headroom = rng.below(2) ? 500 * rng.uniform() : std::numeric_limits<double>::infinity();
    dispatcher.set_health(i, view);
  }
  Keeper keeper;
  dispatcher.set_decision_sink(&keeper);
  policy::Actions actions;
  policy::CallFacts call;
  call.id = 1;
  call.input_tokens = 100;
  call.output_tokens_max = 50;
  call.deadline = clock.now() + 1min;
  dispatcher.on_call(call, {clock.now(), clock.wall()}, actions);
  return keeper.json;
}

TEST(DecisionJson, IsMadeAgainBitForBit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto again = make_again(some_decision(seed));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_TRUE(again->same) << "seed " << seed;
  }
}

TEST(DecisionJson, FindsOutARecordThatWasChanged) {
  int changed = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto json = *parse_json(some_decision(seed));
    if (json["order"].empty()) continue;
    auto& score = json["order"][0]["remark"]["score"];
    score = score.get<double>() * (1 + 1e-15 * 4);
    ++changed;
    auto again = make_again(dump_json(json));
    found += again && !again->same;
  }
  EXPECT_GT(changed, 50);
  EXPECT_EQ(found, changed);
}

TEST(DecisionJson, RefusesWhatIsNoDecision) {
  for (const char* text : {"", "[]", "{}", "{\"endpoints\":[{}],\"health\":[]}",
                           "{\"endpoints\":[{}],\"health\":[null],\"order\":[{\"endpoint\":7}]}"})
    EXPECT_FALSE(make_again(text)) << text;
}

}  // namespace
}  // namespace troupe::actors::testing
