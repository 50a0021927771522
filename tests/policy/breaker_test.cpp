// Each reason to trip alone, what must not trip, recovery, relapse, override.
#include "tests/policy/breaker_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto open_state = BreakerState::open;
constexpr auto closed_state = BreakerState::closed;
constexpr auto partial_state = BreakerState::partial;

/// A thousand good calls, so that there is a baseline.
BreakerWorld learned(BreakerPolicy policy = {}) {
  BreakerWorld world(std::move(policy));
  world.run({}, 1000);
  EXPECT_EQ(world.state(), closed_state);
  return world;
}

TEST(Breaker, TripsByFailuresAlone) {  // F2
  auto world = learned();
  EXPECT_GE(world.run_until(open_state, {.failure_share = 0.5}, 400), 0);
  EXPECT_EQ(world.events.back().reason, TripReason::errors);
  EXPECT_THAT(world.events.back().detail, HasSubstr("failures"));
}

TEST(Breaker, ADeadEndpointSeesAtMostFailuresInRowMax) {  // GATEWAYS 2.3
  BreakerWorld world;
  EXPECT_EQ(world.run_until(open_state, {.failure_share = 1}, 100), 5);
  EXPECT_EQ(world.events.back().detail, "5 failures in a row; cooling down for 5.0s");
}

TEST(Breaker, TripsByTtftAlone) {  // F2
  auto world = learned();
  EXPECT_GE(world.run_until(open_state, {.ttft_median = 2.4}, 400), 0);
  EXPECT_EQ(world.events.back().reason, TripReason::ttft);
  EXPECT_THAT(world.events.back().detail, HasSubstr("ttft p90"));
  EXPECT_THAT(world.events.back().detail, HasSubstr("the healthy"));
}

TEST(Breaker, TripsByTotalLatencyAloneForSlowIsBroken) {  // F5
  auto world = learned();
  EXPECT_GE(world.run_until(open_state, {.total_median = 15}, 400), 0);
  EXPECT_EQ(world.events.back().reason, TripReason::latency);
  EXPECT_THAT(world.events.back().detail, HasSubstr("total p90"));
}

TEST(Breaker, AnEndpointThreeTimesSlowerWithoutErrorsTrips) {  // F5
  auto world = learned();
  EXPECT_GE(world.run_until(open_state, {.ttft_median = 1.2, .total_median = 9}, 5000), 0);
}

TEST(Breaker, AbsoluteLimitsNeedNoBaseline) {
  BreakerWorld fresh({.ttft_p90_max = 2s});
  EXPECT_GE(fresh.run_until(open_state, {.ttft_median = 6}, 60), 0);
  BreakerWorld unlimited;
  EXPECT_EQ(unlimited.run_until(open_state, {.ttft_median = 6, .total_median = 60}, 60), -1)
      << "no baseline, no limit";
}

TEST(Breaker, ThrottlingIsCapacityAndOnlySustainedIsSickness) {  // F4
  auto world = learned();
  world.run({.throttle_share = 0.9}, 400);  // 40 s
  EXPECT_EQ(world.state(), closed_state);
  HealthView view;
  world.breaker.fill(view, world.now);
  EXPECT_EQ(view.error_share, 0) << "a throttle is not a failure";
  EXPECT_GT(view.throttle_share, 0.8);
  world.run({.throttle_share = 0.9}, 700);
  EXPECT_EQ(world.events.front().reason, TripReason::throttled);
  EXPECT_THAT(world.events.front().detail, HasSubstr("throttled > 50 %"));
}

TEST(Breaker, CallersMistakesNeverTrip) {  // F3
  BreakerWorld world;
  for (int i = 0; i < 2000; ++i) {
    for (auto code : {Errc::bad_request, Errc::content_filtered, Errc::context_length_exceeded,
                      Errc::cancelled, Errc::auth})
      world.error(code);
    // Even a dialect that wrongly says `counts` cannot poison the endpoint.
    world.outcome({.error = Errc::bad_request, .counts = true});
    world.tick(50ms);
  }
  EXPECT_TRUE(world.events.empty());
  HealthView view;
  world.breaker.fill(view, world.now);
  EXPECT_EQ(view.samples, 0u);
}

TEST(Breaker, NothingTripsUnderMinimumVolume) {  // F1
  BreakerWorld world({.ttft_p90_max = 1s});
  for (int i = 0; i < 200; ++i) {
    // Half fail and all are slow, but with 4 s between calls the window never holds ten.
    world.tick(4s);
    i % 2 ? world.bad() : world.good(9, 90);
  }
  EXPECT_TRUE(world.events.empty());
}

TEST(Breaker, OffItNeverTrips) {
  BreakerWorld world({.enabled = false});
  world.run({.failure_share = 1}, 500);
  EXPECT_TRUE(world.events.empty());
  EXPECT_EQ(world.breaker.share(), 1);
}

TEST(Breaker, RecoversThroughEveryStageOfTheRamp) {  // F8
  auto world = learned();
  world.run_until(open_state, {.failure_share = 1}, 100);
  EXPECT_EQ(world.breaker.share(), 0);
  std::vector<double> shares;
  while (world.state() != closed_state) {
    world.tick(100ms);
    if (shares.empty() || shares.back() != world.breaker.share()) shares.push_back(world.breaker.share());
    if (world.state() == partial_state) world.good();
  }
  EXPECT_EQ(shares, (std::vector<double>{0, 0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.0}));
  EXPECT_EQ(world.events.back().reason, TripReason::recovered);
  EXPECT_EQ(world.breaker.share(), 1);
}

TEST(Breaker, ThirtyGoodCallsDoNotBuyHalfTheTraffic) {  // F8
  auto largest_share = [](BreakerPolicy policy) {
    policy.ramp = {0.01, 0.5, 1.0};
    BreakerWorld world(policy);
    world.run_until(partial_state, {.failure_share = 1}, 1000);
    for (int i = 0; i < 30; ++i) {
      world.tick(1s);
      world.good();
    }
    return world.breaker.share();
  };
  EXPECT_EQ(largest_share({}), 0.01) << "0 of 30 allows 11.4 % failures: 5.7 % of all traffic at half share";
  EXPECT_EQ(largest_share({.ramp_harm_max = 1}), 1.0) << "without the bound the jump happens";
}

TEST(Breaker, ABurstOfQuickAnswersDoesNotRushTheRamp) {
  BreakerWorld world;
  world.run_until(partial_state, {.failure_share = 1}, 1000);
  for (int i = 0; i < 10'000; ++i) world.good();
  EXPECT_EQ(world.breaker.share(), 0.01) << "no time has passed";
}

TEST(Breaker, ASlowTrialIsAsBadAsAFailedOne) {  // F5, F9
  auto world = learned();
  world.run_until(partial_state, {.failure_share = 1}, 1000);
  world.good(30, 300);
  EXPECT_EQ(world.state(), partial_state);
  world.good(30, 300);
  EXPECT_EQ(world.events.back().reason, TripReason::relapse);
}

TEST(Breaker, StragglersFromBeforeTheTripProveNothing) {
  BreakerWorld world;
  world.run_until(partial_state, {.failure_share = 1}, 1000);
  for (int i = 0; i < 10; ++i)
    world.note(
        world.breaker.on_outcome({.at = world.now, .error = Errc::timeout, .counts = true, .total = 60s}));
  EXPECT_EQ(world.state(), partial_state);
}

TEST(Breaker, EachRelapseCoolsLongerUpToTheMaximum) {  // F9, GATEWAYS 2.4
  BreakerWorld world;
  Duration last{};
  for (int i = 0; i < 12; ++i) {
    ASSERT_GE(world.run_until(open_state, {.failure_share = 1}, 100'000), 0);
    auto cool = *world.breaker.cool_until() - world.now;
    EXPECT_EQ(cool, std::min<Duration>(5s * (1 << i), 1min));
    EXPECT_GE(cool, last);
    last = cool;
    world.run_until(partial_state, {.failure_share = 1}, 100'000);
  }
}

TEST(Breaker, RepeatedFailuresExtendTheCoolDownAndNeverShortenIt) {  // GATEWAYS 2.4
  BreakerWorld world;
  world.run_until(open_state, {.failure_share = 1}, 100);
  auto first = *world.breaker.cool_until();
  auto last = first;
  for (int i = 0; i < 3000; ++i) {
    if (world.state() != open_state) break;
    world.bad();
    ASSERT_GE(*world.breaker.cool_until(), last);
    last = *world.breaker.cool_until();
    world.tick(100ms);
  }
  EXPECT_GT(last, first + 50s) << "late failures count";
  EXPECT_LE(last, first + 1min) << "but not for ever";
}

TEST(Breaker, FlappingHasNoPeriodAtWhichItGoesUnseen) {  // F9
  constexpr double hour = 3600;
  for (double period : {2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0}) {
    BreakerWorld world;
    Rng routing(7);
    int harmed = 0, calls = 0;
    auto start = world.now;
    for (double t = 0; t < hour; t = seconds(world.now - start)) {
      world.tick(100ms);
      if (routing.uniform() >= world.breaker.share()) continue;
      bool sick = std::fmod(t, period) < period / 2;
      ++calls;
      harmed += sick;
      sick ? world.bad() : world.good();
    }
    // Off, half of 36,000 calls are harmed.
    EXPECT_LT(harmed, 100) << "period " << period;
    std::printf(
        "[ figures  ] flapping every %5.0f s: %4d of 36000 calls harmed (18000 without a breaker), %d "
        "admitted\n",
        period, harmed, calls);
  }
}

TEST(Breaker, SicknessDoesNotTeachTheBaseline) {
  auto world = learned();
  for (int round = 0; round < 20; ++round) {
    ASSERT_GE(world.run_until(open_state, {.ttft_median = 4}, 20'000), 0) << "round " << round;
    ASSERT_GE(world.run_until(closed_state, {}, 20'000), 0) << "round " << round;
  }
  EXPECT_EQ(world.events.back().reason, TripReason::recovered);
}

TEST(Breaker, ACreepingSlownessIsCaughtWithinTheDay) {
  auto hours_to_trip = [](double growth) {
    BreakerWorld world({.baseline_growth_per_day = growth});
    world.run({}, 2000, 1s);
    for (int hour = 0; hour < 48; ++hour) {
      // Ten per cent slower every hour.
      double factor = std::pow(1.1, hour);
      if (world.run_until(open_state, {.ttft_median = 0.4 * factor}, 3600, 1s) >= 0) return hour;
    }
    return -1;
  };
  int hours = hours_to_trip(1.25);
  EXPECT_GE(hours, 8);
  EXPECT_LE(hours, 18);
}

TEST(Breaker, AnOperatorsOrderHoldsUntilItEnds) {  // F13
  auto world = learned();
  world.note(world.breaker.force(open_state, world.now, 10min));
  EXPECT_EQ(world.events.back().reason, TripReason::forced);
  world.run({}, 5000);
  EXPECT_EQ(world.state(), open_state) << "8 minutes later, however good the answers";
  world.note(world.breaker.force(closed_state, world.now, 1min));
  world.run({.failure_share = 1}, 500);
  EXPECT_EQ(world.state(), closed_state);
  world.run({.failure_share = 1}, 200);
  EXPECT_EQ(world.state(), open_state) << "the order ended and the machine went on from there";
}

TEST(Breaker, ForcedOpenEndsInAnOrdinaryRecovery) {  // F13
  BreakerWorld world;
  world.breaker.force(open_state, world.now, 1min);
  EXPECT_FALSE(world.tick(59s));
  EXPECT_TRUE(world.tick(1s));
  EXPECT_EQ(world.state(), partial_state);
  EXPECT_GE(world.run_until(closed_state, {}, 1000), 0);
}

TEST(Breaker, HoldingPartialFreezesTheRamp) {  // F13
  BreakerWorld world;
  world.run_until(partial_state, {.failure_share = 1}, 1000);
  while (world.breaker.share() < 0.05) {
    world.tick(1s);
    world.good();
  }
  world.breaker.force(partial_state, world.now, 1h);
  world.run({}, 1000);
  EXPECT_EQ(world.breaker.share(), 0.05);
  world.breaker.force(open_state, world.now, Duration::max());
  world.tick(1h);
  EXPECT_EQ(world.state(), open_state) << "for ever does not overflow";
}

TEST(BreakerPolicy, DefaultIsSoundAndMistakesAreNamed) {
  EXPECT_FALSE(validate(BreakerPolicy{}));
  EXPECT_THAT(*validate({.samples_min = 0}), HasSubstr("samples_min"));
  EXPECT_THAT(*validate({.window_samples_max = 5}), HasSubstr("window_samples_max"));
  EXPECT_THAT(*validate({.ramp = {}}), HasSubstr("ramp"));
  EXPECT_THAT(*validate({.ramp = {0.5, 0.1, 1}}), HasSubstr("goes down"));
  EXPECT_THAT(*validate({.ramp = {0.5}}), HasSubstr("end at 1"));
  EXPECT_THAT(*validate({.error_share_max = std::nan("")}), HasSubstr("error_share_max"));
  EXPECT_THAT(*validate({.cool_down = 10s, .cool_down_max = 5s}), HasSubstr("cool_down_max"));
}

}  // namespace
}  // namespace troupe::policy
