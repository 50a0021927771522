// The ramp's sequential test: how often it errs when it looks after every outcome, and how much it asks for
// (F8). Prints its figures.
#include "runtime/policy/ramp.hpp"
#include "tests/policy/breaker_world.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

constexpr int kRuns = 4000, kLooks = 2000;

/// Share of runs of outcomes, each bad with chance `bad`, in which `decided` is ever true.
double ever(double bad, const std::function<bool(std::size_t hits, std::size_t n)>& decided) {
  Rng rng(17);
  int times = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::size_t hits = 0;
    for (std::size_t n = 1; n <= kLooks; ++n) {
      hits += rng.uniform() < bad;
      if (!decided(hits, n)) continue;
      ++times;
      break;
    }
  }
  return static_cast<double>(times) / kRuns;
}

TEST(RampTest, LookingAfterEveryOutcomeErrsNoMoreOftenThanStated) {  // F8
  constexpr double error = 0.05, noise = 0.011;                      // three standard deviations of 4000 runs
  for (double sick : {0.1, 0.2, 0.5}) {
    TwoShares shares{0.01, sick};
    auto passed = [&](std::size_t hits, std::size_t n) {
      return log_ratio(hits, n, shares) <= std::log(error);
    };
    auto failed = [&](std::size_t hits, std::size_t n) {
      return log_ratio(hits, n, shares) >= -std::log(error);
    };
    double sick_passes = ever(sick, passed), healthy_fails = ever(shares.healthy, failed);
    std::printf("[ figures  ] sick at %2.0f %%: passes ever %.3f, healthy fails ever %.3f (bound %.2f)\n",
                100 * sick, sick_passes, healthy_fails, error);
    EXPECT_LE(sick_passes, error + noise);
    EXPECT_LE(healthy_fails, error + noise);
    EXPECT_LE(ever(sick * 1.5, passed), sick_passes + noise) << "sicker passes no more easily";
    EXPECT_GE(ever(shares.healthy, passed), 0.999) << "and the healthy pass";
  }
}

TEST(RampTest, AnIntervalForOneLookErrsMoreOftenWhenLookedAtAgainAndAgain) {  // F8, the rule it replaces
  auto wilson_passed = [](std::size_t hits, std::size_t n) {
    return n >= 5 && wilson_upper(hits, n, 1.645) < 0.1;
  };
  double sick_passes = ever(0.1, wilson_passed);
  std::printf("[ figures  ] Wilson bound at 95 %%, looked at 2000 times: passes ever %.3f (stated 0.05)\n",
              sick_passes);
  EXPECT_GT(sick_passes, 0.1);
}

/// Good calls in a row until closed, at the defaults' ramp.
int calls_to_close(const BreakerPolicy& policy) {
  BreakerWorld world(policy);
  world.run_until(BreakerState::partial, {.failure_share = 1}, 1000);
  int calls = 0;
  for (; world.state() != BreakerState::closed && calls < 1000; ++calls) {
    world.tick(3s);
    world.good();
  }
  return calls;
}

TEST(RampTest, DefaultsCloseAfterFortyTwoGoodCalls) {  // F8
  EXPECT_EQ(calls_to_close({}), 42) << "seven stages of five, but 32 before half of all traffic";
  // Were a closed breaker as strict as the proof asked before: 3 % bad at most.
  EXPECT_GE(calls_to_close({.error_share_max = 0.15}), 61);
}

TEST(RampTest, ThirtyGoodCallsDoNotBuyHalfTheTraffic) {  // F8, the rule of three
  Ramp ramp({.ramp = {0.01, 0.5, 1}});
  Instant now{1h};
  ramp.begin(now);
  for (int i = 0; i < 30; ++i) ramp.add(false);
  EXPECT_FALSE(ramp.stage_passed(now + 1h, 0)) << "0 of 30 still allows 11.4 %: 5.7 % of all traffic";
  ramp.add(false);
  ramp.add(false);
  EXPECT_TRUE(ramp.stage_passed(now + 1h, 0));
  Ramp hasty({.ramp = {0.01, 0.5, 1}, .ramp_harm_max = 1});
  hasty.begin(now);
  for (int i = 0; i < 5; ++i) hasty.add(false);
  EXPECT_TRUE(hasty.stage_passed(now + 1h, 0)) << "without the bound five calls are enough";
}

/// Share of recoveries that end in a close within `calls_max` calls.
double closing_share(const EndpointModel& model, int calls_max) {
  constexpr int runs = 300;
  int closed = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    BreakerWorld world({}, seed);
    world.run({}, 1000);
    world.run_until(BreakerState::partial, {.failure_share = 1}, 1000);
    auto before = world.events.size();
    for (int i = 0; i < calls_max && world.events.size() == before; ++i) {
      world.tick(1s);
      world.sample(model);
      while (!world.events.empty() && world.events.back().reason == TripReason::ramped)
        world.events.pop_back();
    }
    closed += world.state() == BreakerState::closed;
  }
  return static_cast<double>(closed) / runs;
}

TEST(RampTest, TheSickRelapseAndTheWellClose) {  // F8, F9
  double well = closing_share({.failure_share = 0.005}, 2000);
  double half = closing_share({.failure_share = 0.5}, 2000);
  double tenth = closing_share({.failure_share = 0.12}, 2000);
  std::printf("[ figures  ] recoveries that close: well %.3f, half failing %.3f, 12 %% failing %.3f\n", well,
              half, tenth);
  EXPECT_GE(well, 0.93);
  EXPECT_LE(half, 0.01);
  EXPECT_LE(tenth, 0.1);
}

TEST(RampTest, ATrialCallCountsWhenItsStreamHasEndedAndAsItEnded) {  // F8
  BreakerWorld world;
  world.run_until(BreakerState::partial, {.failure_share = 1}, 1000);
  auto begun = world.now;
  for (int i = 0; i < 100; ++i) world.tick(1s);
  EXPECT_EQ(world.breaker.share(), 0.01) << "first tokens and running calls are no evidence";
  for (int i = 0; i < 2; ++i)
    world.outcome({.error = Errc::stream_broken, .counts = true, .ttft = 400ms, .total = world.now - begun});
  EXPECT_EQ(world.events.back().reason, TripReason::relapse)
      << "a quick first token does not make up for the end";
}

}  // namespace
}  // namespace troupe::policy
