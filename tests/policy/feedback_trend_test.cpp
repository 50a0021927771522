// An endpoint that is up, quick and wrong: what finds it, after how many ratings, and how often for nothing
// (C11). Prints its figures.
#include "runtime/policy/feedback_trend.hpp"
#include "tests/policy/breaker_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr double kUsual = 0.05;

/// Perfect latency, no errors, and every tenth answer is rated.
struct RatedWorld : BreakerWorld {
  using BreakerWorld::BreakerWorld;
  double bad_share = kUsual;
  int ratings = 0;

  void live(int calls) {
    for (int i = 0; i < calls; ++i) {
      tick(100ms);
      if (rng.uniform() >= breaker.share()) continue;
      sample({});
      if (rng.uniform() < 0.1) rate();
    }
  }
  void rate() {
    ++ratings;
    note(breaker.on_feedback(rng.uniform() >= bad_share, now));
  }
  /// So that the usual share is known and settled.
  void learn_ratings(int count = 1500) {
    for (int i = 0; i < count; ++i) rate();
    ASSERT_TRUE(events.empty());
  }
  /// Ratings until the state is `wanted`; -1 when it took more than `most`.
  int ratings_until(BreakerState wanted, int most) {
    for (int i = 0; i < most; ++i) {
      if (state() == wanted) return i;
      tick(1s);
      rate();
    }
    return state() == wanted ? most : -1;
  }
};

TEST(Feedback, AQualityOnlyDegradationTripsByFeedbackAlone) {  // C11
  RatedWorld world;
  world.learn_ratings();
  world.bad_share = 3 * kUsual;
  world.live(20'000);
  ASSERT_FALSE(world.events.empty());
  EXPECT_EQ(world.events.front().reason, TripReason::feedback);
  EXPECT_THAT(world.events.front().detail, HasSubstr("ratings bad"));
}

TEST(Feedback, WithTheDetectorOffItIsNeverCaught) {  // C11, the mechanism off
  RatedWorld world({.feedback_ratio_max = 0});
  world.learn_ratings();
  world.bad_share = 0.6;
  world.live(100'000);
  EXPECT_TRUE(world.events.empty()) << "latency is perfect and nothing fails";
}

TEST(Feedback, NothingTripsUnderMinimumVolume) {  // C11
  RatedWorld world;
  world.bad_share = 1;
  for (int i = 0; i < 200; ++i) world.rate();
  EXPECT_TRUE(world.events.empty()) << "what is usual here is not known yet";
}

TEST(Feedback, ASlowDriftIsCaughtAlthoughTheUsualShareIsLearned) {  // C11
  std::vector<int> ratings;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RatedWorld world({}, seed);
    world.learn_ratings();
    world.ratings = 0;
    while (world.events.empty() && world.ratings < 30'000) {
      // Twice as many bad ones every 5,000 ratings.
      world.bad_share = std::min(1.0, kUsual * std::exp2(world.ratings / 5000.0));
      world.rate();
    }
    ratings.push_back(world.ratings);
  }
  std::ranges::sort(ratings);
  std::printf("[ figures  ] drift doubling in 5000 ratings: found after %d (median), %d (p90)\n", ratings[20],
              ratings[36]);
  EXPECT_LT(ratings[36], 10'000);
}

struct Curve {
  double false_alarm;
  std::size_t alarms = 0;
  double healthy_ratings = 0;
  int delay_double = 0, delay_triple = 0;
};

int median_delay(const BreakerPolicy& policy, double sick) {
  std::vector<int> delays;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    FeedbackTrend trend(policy);
    for (int i = 0; i < 3000; ++i) trend.rated(rng.uniform() >= kUsual);
    int delay = 1;
    while (!trend.rated(rng.uniform() >= sick) && delay < 20'000) ++delay;
    delays.push_back(delay);
  }
  std::ranges::nth_element(delays, delays.begin() + 30);
  return delays[30];
}

Curve measure_curve(double false_alarm) {
  BreakerPolicy policy{.feedback_false_alarm = false_alarm};
  Curve curve{false_alarm};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(1000 + seed);
    FeedbackTrend trend(policy);
    for (int i = 0; i < 100'000; ++i) curve.alarms += trend.rated(rng.uniform() >= kUsual);
    curve.healthy_ratings += 100'000;
  }
  curve.delay_double = median_delay(policy, 2 * kUsual);
  curve.delay_triple = median_delay(policy, 3 * kUsual);
  return curve;
}

TEST(Feedback, DelayAndFalseAlarmsKeepTheirBoundsOverThresholds) {  // C11, Lorden 1971
  int last_delay = 0;
  for (double false_alarm : {1e3, 1e4, 1e5, 1e6}) {
    auto curve = measure_curve(false_alarm);
    std::printf(
        "[ figures  ] alarm 1/%.0e: %2zu false in 2e6 ratings; bad 5 -> 10 %%: %4d ratings, -> 15 %%: %3d\n",
        false_alarm, curve.alarms, curve.delay_double, curve.delay_triple);
    double expected_most = curve.healthy_ratings / false_alarm;
    // Poisson, three standard deviations.
    EXPECT_LE(static_cast<double>(curve.alarms), expected_most + 3 * std::sqrt(expected_most) + 1);
    EXPECT_GT(curve.delay_double, last_delay) << "fewer false alarms cost delay";
    EXPECT_LT(curve.delay_triple, curve.delay_double);
    last_delay = curve.delay_double;
    // h / D with the healthy share taken a little high, and the overshoot.
    EXPECT_LT(curve.delay_double, 110 * std::log(false_alarm));
    EXPECT_LT(curve.delay_triple, 25 * std::log(false_alarm));
  }
}

/// Tripped by feedback, cooled down, and passing every call.
TEST(Feedback, WhatBecomesUselessIsFoundInFewerRatingsThanWhatGetsTwiceAsBad) {  // C11, Lorden 1971
  BreakerPolicy policy;
  constexpr double useless = 0.46;
  double information =
      useless * std::log(useless / kUsual) + (1 - useless) * std::log((1 - useless) / (1 - kUsual));
  double least = std::log(policy.feedback_false_alarm) / information;
  int delay = median_delay(policy, useless);
  std::printf("[ figures  ] bad 5 -> 46 %%: %d ratings; no detector of a change to just that: %.0f\n", delay,
              least);
  EXPECT_LT(delay, 1.6 * least);
}

RatedWorld on_trial(std::uint64_t seed = 1) {
  RatedWorld world({}, seed);
  world.learn_ratings();
  world.bad_share = 0.3;
  EXPECT_GE(world.ratings_until(BreakerState::open, 2000), 0);
  world.run_until(BreakerState::partial, {}, 1000);
  return world;
}

TEST(Feedback, RecoveryNeedsGoodRatingsOnTrialToo) {  // C11, F8
  auto world = on_trial();
  world.run({}, 3000, 1s);
  EXPECT_EQ(world.breaker.share(), 0.25) << "calls are fine; nobody has said that answers are";
  world.bad_share = kUsual;
  world.ratings_until(BreakerState::closed, 1);
  for (int i = 0; i < 1000 && world.state() != BreakerState::closed; ++i) {
    world.tick(1s);
    world.good();
    world.rate();
  }
  EXPECT_EQ(world.state(), BreakerState::closed);
}

TEST(Feedback, BadRatingsOnTrialAreARelapse) {  // C11, F9
  auto world = on_trial();
  EXPECT_GE(world.ratings_until(BreakerState::open, 200), 0);
  EXPECT_EQ(world.events.back().reason, TripReason::relapse);
  EXPECT_THAT(world.events.back().detail, HasSubstr("ratings on trial bad"));
}

TEST(Feedback, WhereNobodyRatesPatienceEnds) {  // no livelock
  auto world = on_trial();
  EXPECT_GE(world.run_until(BreakerState::closed, {}, 10'000, 10s), 0);
}

TEST(Feedback, ATripForAnotherReasonAsksForNoRatings) {
  RatedWorld world;
  world.learn_ratings();
  world.run_until(BreakerState::open, {.failure_share = 1}, 100);
  EXPECT_GE(world.run_until(BreakerState::closed, {}, 2000), 0);
}

}  // namespace
}  // namespace troupe::policy
