// A restart is no free pass, and who ordered what is on record (F13).
#include "runtime/policy/breaker_memory.hpp"
#include "tests/policy/breaker_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using enum BreakerState;

/// As a new process finds it: another clock, the memory as text, `away` later.
BreakerWorld restarted(const BreakerWorld& world, Duration away = 0s, BreakerPolicy policy = {}) {
  BreakerWorld again(policy, 2);
  again.now = Instant{5min};
  auto memory = breaker_memory(to_text(world.breaker.save(world.now)));
  EXPECT_TRUE(memory);
  if (memory) again.breaker.restore(*memory, again.now, away);
  return again;
}

BreakerWorld tripped() {
  BreakerWorld world;
  world.run({}, 2000);
  world.run_until(open, {.failure_share = 1}, 100);
  return world;
}

TEST(BreakerMemory, AnOpenBreakerStaysOpenForWhatIsLeft) {  // F13
  auto world = tripped();
  world.tick(2s);
  auto again = restarted(world, 1s);
  EXPECT_EQ(again.state(), open);
  EXPECT_FALSE(again.tick(1900ms));
  EXPECT_TRUE(again.tick(200ms));
  EXPECT_EQ(again.state(), partial);
  EXPECT_EQ(BreakerWorld().state(), closed) << "without memory: all traffic at once";
}

TEST(BreakerMemory, AwayLongerThanTheCoolDownItGoesOnTrialNotFree) {
  auto again = restarted(tripped(), 24h);
  EXPECT_EQ(again.breaker.share(), 0);
  again.tick(1s);
  EXPECT_EQ(again.state(), partial);
  EXPECT_EQ(again.breaker.share(), 0.01);
}

TEST(BreakerMemory, ARampGoesOnFromItsStage) {
  auto world = tripped();
  world.run_until(partial, {}, 1000);
  while (world.breaker.share() < 0.1) {
    world.tick(1s);
    world.good();
  }
  auto again = restarted(world, 10s);
  EXPECT_EQ(again.state(), partial);
  EXPECT_EQ(again.breaker.share(), 0.1);
  EXPECT_GE(again.run_until(closed, {}, 1000), 20) << "the stages that were left";
}

TEST(BreakerMemory, RelapsesAreNotForgiven) {  // F9
  auto world = tripped();
  for (int i = 0; i < 3; ++i) {
    world.run_until(partial, {}, 10'000);
    world.run_until(open, {.failure_share = 1}, 10'000);
  }
  auto again = restarted(world, 1h);
  again.run_until(partial, {}, 1000);
  again.run_until(open, {.failure_share = 1}, 100);
  EXPECT_GE(*again.breaker.cool_until() - again.now, 60s) << "5 s doubled four times, a minute at most";
}

TEST(BreakerMemory, WhatIsHealthyIsKnownAtOnce) {  // F2
  BreakerWorld world;
  world.run({}, 3000);
  auto again = restarted(world);
  EXPECT_GE(again.run_until(open, {.ttft_median = 4}, 60), 0);
  EXPECT_EQ(again.events.back().reason, TripReason::ttft);
  BreakerWorld fresh;
  EXPECT_EQ(fresh.run_until(open, {.ttft_median = 4}, 60), -1) << "without memory sick passes for normal";
}

TEST(BreakerMemory, ASickEndpointCannotTeachARestoredBaseline) {
  BreakerWorld world;
  world.run({}, 3000);
  auto before = world.breaker.save(world.now).healthy.ttft_p90;
  auto again = restarted(world);
  again.run({.ttft_median = 0.8}, 3000);  // twice as slow: below the limit
  EXPECT_NEAR(again.breaker.save(again.now).healthy.ttft_p90, before, 0.01 * before);
}

TEST(BreakerMemory, AnOrderOutlivesTheProcess) {  // F13
  BreakerWorld world;
  world.breaker.force(open, world.now, 1h);
  auto again = restarted(world, 20min);
  again.run({}, 100, 20s);
  EXPECT_EQ(again.state(), open) << "33 minutes later";
  again.tick(7min);
  EXPECT_EQ(again.state(), partial);
}

TEST(BreakerMemory, OfSomethingElseOnlyOrdersAreLeft) {  // F13
  auto world = tripped();
  auto memory = world.breaker.save(world.now);
  memory.target = 7;
  EXPECT_EQ(orders_alone(memory, 0s), BreakerMemory{.target = 7}) << "neither sick nor learned";
  world.breaker.force(open, world.now, 1h);
  memory = world.breaker.save(world.now);
  auto left = orders_alone(memory, 20min);
  EXPECT_EQ(left.state, open);
  EXPECT_EQ(left.reason, TripReason::forced);
  EXPECT_EQ(left.held_left, 1h);
  EXPECT_EQ(left.healthy, HealthyFigures{});
  EXPECT_EQ(left.relapses, 0u);
  EXPECT_EQ(orders_alone(memory, 61min), BreakerMemory{}) << "it has run out";
}

TEST(BreakerMemory, OffIsOff) {
  auto again = restarted(tripped(), 0s, {.enabled = false});
  EXPECT_EQ(again.breaker.share(), 1);
}

TEST(BreakerMemory, TextIsReadBackExactly) {
  BreakerMemory memory{.target = ~std::uint64_t{0} - 5,
                       .state = partial,
                       .reason = TripReason::feedback,
                       .open_for = 3s,
                       .cool_left = 4ns,
                       .held_left = 5h,
                       .stage = 3,
                       .ramp_seen = 44,
                       .ramp_bad = 1,
                       .relapses = 7,
                       .recovered_for = 90s,
                       .feedback_trial = true,
                       .only_slow = true,
                       .stall_trial = 0.25,
                       .healthy = {0.1234567890123, 1e-3, 17.25, 0.01},
                       .healthy_feedback = 0.0625,
                       .proof = 1.5};
  auto text = to_text(memory);
  EXPECT_EQ(breaker_memory(text), memory) << text;
  EXPECT_EQ(breaker_memory(to_text({})), BreakerMemory{});
  EXPECT_EQ(breaker_memory("breaker stage=2 from_the_future=x")->stage, 2u);
}

TEST(BreakerMemory, NonsenseIsNoMemoryAndHarmsNobody) {
  for (const char* text :
       {"", "state=open", "breaker state=ajar", "breaker stage=-1", "breaker cool_left=1e999",
        "breaker bad_share=nan", "breaker relapses=99999999999999999999", "breaker ", "breaker x",
        "breaker  stage=1", "breaker feedback_trial=2", "breaker stage=1x"})
    EXPECT_FALSE(breaker_memory(text)) << text;
  EXPECT_FALSE(breaker_memory("breaker " + std::string(10'000, 'x') + "=1"));
  auto huge = breaker_memory(
      "breaker state=partial stage=99999 ramp_bad=7 relapses=1000000 open_for=9223372036854775807 "
      "cool_left=9223372036854775807 held_left=9223372036854775807 recovered_for=9223372036854775807");
  ASSERT_TRUE(huge);
  BreakerWorld world;
  world.breaker.restore(*huge, world.now, Duration::max());
  world.run({.failure_share = 0.5}, 1000);
  EXPECT_LE(world.breaker.share(), 1);
}

TEST(BreakerOrders, SayWhoAndWhyAndForHowLong) {  // F13
  BreakerWorld world;
  auto event = world.breaker.force(open, world.now, 10min, {"ana", "provider's incident 17"});
  EXPECT_EQ(event.detail, "held open for 10m00s by ana: provider's incident 17");
  EXPECT_EQ(world.breaker.force(open, world.now, Duration::max()).detail, "held open for good");
}

TEST(BreakerOrders, FreezeHoldsWhateverIs) {  // F13
  auto world = tripped();
  world.run_until(partial, {}, 1000);
  auto event = world.breaker.freeze(world.now, 1h, {.who = "ana"});
  EXPECT_EQ(event.to, partial);
  EXPECT_EQ(event.reason, TripReason::forced);
  world.run({}, 100, 1s);
  EXPECT_EQ(world.breaker.share(), 0.01) << "no growth";
  world.run({.failure_share = 1}, 100, 1s);
  EXPECT_EQ(world.breaker.share(), 0.01) << "no relapse";
  BreakerWorld closed_world;
  closed_world.breaker.freeze(closed_world.now, 10min);
  closed_world.run({.failure_share = 1}, 100);
  EXPECT_EQ(closed_world.state(), closed);
}

}  // namespace
}  // namespace troupe::policy
