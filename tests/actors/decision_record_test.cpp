// A recorded decision is made again bit for bit, and a document that lies is found out (E9).
#include "actors/decision_record.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "tests/actors/random_health.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;

struct Keeper final : policy::DecisionSink {
  void on_decision(const Decision& decision) override {
    bytes = recorder.record(decision);
    auto other = decision.plan;
    if (!other.order.empty()) other.order[0].remark.score *= 1 + 4e-15;
    planned = !other.order.empty();
    forged = DecisionRecorder().record({decision.id, decision.call, decision.request, decision.barred,
                                        decision.wall, decision.router, other});
  }
  DecisionRecorder recorder;
  std::string bytes, forged;
  bool planned = false;
};

/// Of a call among five endpoints, the last of which nothing is known of.
void decide(std::uint64_t seed, Keeper& keeper) {
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
  // What is known came in any order, some of it in place of something older.
  for (int told = 0; told < 12; ++told) {
    auto view = std::make_shared<policy::HealthView>(random_health(rng));
    view->reachable = rng.below(8) > 0;
    if (rng.below(8) == 0) view->throttled_until.ms = clock.wall().ms + 1000;
    dispatcher.set_health(static_cast<std::uint32_t>(rng.below(4)), view);
  }
  dispatcher.set_decision_sink(&keeper);
  policy::Actions actions;
  policy::CallFacts call;
  call.id = 1;
  call.input_tokens = 100;
  call.output_tokens_max = 50;
  call.deadline = clock.now() + 1min;
  dispatcher.on_call(call, {clock.now(), clock.wall()}, actions);
}
Keeper some_decision(std::uint64_t seed) {
  Keeper keeper;
  decide(seed, keeper);
  return keeper;
}

TEST(DecisionRecord, IsMadeAgainBitForBit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto again = make_again(some_decision(seed).bytes);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_TRUE(again->same) << "seed " << seed;
  }
}

TEST(DecisionRecord, WhatIsKeptOfEarlierOnesIsNeverStale) {
  Keeper one;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    decide(seed, one);
    EXPECT_EQ(one.bytes, some_decision(seed).bytes) << "seed " << seed;
  }
}

TEST(DecisionRecord, FindsOutARecordThatWasChanged) {
  int changed = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto decision = some_decision(seed);
    if (!decision.planned) continue;
    ++changed;
    auto again = make_again(decision.forged);
    found += again && !again->same;
  }
  EXPECT_GT(changed, 50);
  EXPECT_EQ(found, changed);
}

TEST(DecisionRecord, RefusesWhatIsNoDecision) {
  auto whole = some_decision(1).bytes;
  ASSERT_TRUE(make_again(whole));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(make_again(whole.substr(0, cut))) << cut;
  EXPECT_FALSE(make_again(whole + '\0'));
  EXPECT_FALSE(make_again("{}"));
  Rng rng(5);
  for (int i = 0; i < 20'000; ++i) {  // any answer will do, but an answer
    auto broken = whole;
    for (int k = 0; k < 3; ++k) broken[rng.below(broken.size())] = static_cast<char>(rng.below(256));
    auto again = make_again(broken);
    EXPECT_TRUE(!again || again->explanation.contains("same"));
  }
}

}  // namespace
}  // namespace troupe::actors::testing
