// How often a healthy endpoint trips, and how many calls a sick one takes to be found (F2). Prints its
// figures.
#include "tests/policy/breaker_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

struct FalseTrips {
  std::size_t trips = 0;
  double days = 0;
  /// Poisson 95 % upper bound (rule of three for none; normal approximation on the square root otherwise).
  double upper_per_day() const {
    double root = std::sqrt(static_cast<double>(trips) + 1) + 0.98;
    return (trips == 0 ? 3.0 : root * root) / days;
  }
};

FalseTrips healthy_days(const BreakerPolicy& policy, const EndpointModel& model, double calls_per_second,
                        int calls) {
  BreakerWorld world(policy, 11);
  auto start = world.now;
  for (int i = 0; i < calls; ++i) {
    world.tick(from_seconds(-std::log(1 - world.rng.uniform()) / calls_per_second));
    if (world.state() == BreakerState::closed) world.sample(model);
    // A tripped one is put back by hand: recovery is not what is measured.
    if (world.state() != BreakerState::closed) world.breaker.force(BreakerState::closed, world.now, 0s);
  }
  return {world.trips(), seconds(world.now - start) / 86'400};
}

TEST(BreakerFigures, HealthyEndpointsTripLessThanOnceAMonth) {  // F2
  FalseTrips sum;
  for (double sigma : {0.3, 0.6, 1.0})
    for (double rate : {0.5, 2.0}) {
      auto one = healthy_days({}, {.sigma = sigma, .failure_share = 0.005}, rate, 400'000);
      std::printf("[ figures  ] healthy, sigma %.1f, %.1f calls/s: %zu false trips in %.1f endpoint-days\n",
                  sigma, rate, one.trips, one.days);
      sum.trips += one.trips;
      sum.days += one.days;
    }
  std::printf("[ figures  ] all: %zu in %.1f endpoint-days, at most %.3f a day (95 %%)\n", sum.trips,
              sum.days, sum.upper_per_day());
  EXPECT_LT(sum.upper_per_day(), 1.0 / 7);
}

TEST(BreakerFigures, WithoutTheEvidenceRuleTheHealthyTripManyTimesADay) {  // F2, the rule off
  auto without = healthy_days({.trip_chance_max = 1}, {.sigma = 1.0, .failure_share = 0.005}, 0.5, 200'000);
  std::printf(
      "[ figures  ] evidence rule off, sigma 1.0, 0.5 calls/s: %zu false trips in %.1f endpoint-days\n",
      without.trips, without.days);
  EXPECT_GT(static_cast<double>(without.trips) / without.days, 1);
}

struct Scenario {
  const char* name;
  EndpointModel sick;
  /// Calls by which it must be found in nine of ten runs.
  int calls_p90_max;
};

TEST(BreakerFigures, EachFaultIsFoundWithinAStatedNumberOfCalls) {  // F2
  const Scenario scenarios[] = {
      {"dead", {.failure_share = 1}, 5},
      {"half of calls fail", {.failure_share = 0.5}, 60},
      {"ttft x 5", {.ttft_median = 2}, 80},
      {"ttft x 10, total the same", {.ttft_median = 4}, 60},
      {"total x 5", {.total_median = 15}, 80},
      {"all x 3, no errors", {.ttft_median = 1.2, .total_median = 9}, 600},
      {"ttft x 5 and 20 % fail", {.ttft_median = 2, .failure_share = 0.2}, 80},
  };
  for (const auto& scenario : scenarios) {
    std::vector<int> delays;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      BreakerWorld world({}, seed);
      world.run({}, 1000);
      int calls = world.run_until(BreakerState::open, scenario.sick, 20'000);
      ASSERT_GE(calls, 0) << scenario.name;
      delays.push_back(calls);
    }
    std::ranges::sort(delays);
    std::printf("[ figures  ] %-28s found after %3d calls (median), %3d (p90), at 10 calls/s\n",
                scenario.name, delays[30], delays[54]);
    EXPECT_LE(delays[54], scenario.calls_p90_max) << scenario.name;
  }
}

/// Calls that meet a sick endpoint in an hour of flapping, 10 calls/s, routed by the admitted share.
int harmed_by_flapping(const BreakerPolicy& policy, double period, double sick_part) {
  BreakerWorld world(policy);
  Rng routing(7);
  int harmed = 0;
  auto start = world.now;
  for (double t = 0; t < 3600; t = seconds(world.now - start)) {
    world.tick(std::chrono::milliseconds(100));
    if (routing.uniform() >= world.breaker.share()) continue;
    bool sick = std::fmod(t, period) < sick_part * period;
    harmed += sick;
    sick ? world.bad() : world.good();
  }
  return harmed;
}

TEST(BreakerFigures, NoPeriodOfFlappingResonates) {  // F9
  int worst = 0, worst_without = 0;
  double worst_period = 0;
  for (double period = 1; period < 2000; period *= 1.5)
    for (double sick_part : {0.1, 0.4, 0.5}) {
      // Shorter than the window and rarer than error_share_max it is no flapping, but a share that is borne.
      if (sick_part * period < 1 && sick_part < BreakerPolicy{}.error_share_max) continue;
      int harmed = harmed_by_flapping({}, period, sick_part);
      int without = harmed_by_flapping({.cool_down_max = std::chrono::seconds(5)}, period, sick_part);
      if (harmed > worst) {
        worst = harmed;
        worst_period = period;
      }
      worst_without = std::max(worst_without, without);
    }
  std::printf(
      "[ figures  ] flapping, all periods to half an hour: at most %d of 36000 calls harmed (period %.0f s); "
      "%d were cool-downs not to grow\n",
      worst, worst_period, worst_without);
  EXPECT_LT(worst, 360) << "one in a hundred";
  EXPECT_GT(worst_without, worst) << "the mechanism off";
}

TEST(BreakerFigures, ThrottlingTripsOnItsOwnTimeScaleOnly) {  // F4
  for (double share : {0.6, 0.9, 1.0}) {
    BreakerWorld world;
    world.run({}, 1000);
    auto begun = world.now;
    ASSERT_GE(world.run_until(BreakerState::open, {.throttle_share = share}, 5000), 0);
    double after = seconds(world.now - begun);
    std::printf("[ figures  ] %3.0f %% throttled: capacity for %.0f s, then degradation\n", 100 * share,
                after);
    EXPECT_GE(after, 60);
    EXPECT_LE(after, 100);
    EXPECT_EQ(world.events.front().reason, TripReason::throttled);
  }
  BreakerWorld bursts;
  bursts.run({}, 1000);
  for (int i = 0; i < 100; ++i) {
    bursts.run({.throttle_share = 1}, 300);  // half a minute
    bursts.run({}, 600);
  }
  EXPECT_TRUE(bursts.events.empty()) << "bursts of throttles are the router's business";
  BreakerWorld off({.throttle_share_max = 1});
  off.run({.throttle_share = 0.95}, 5000);
  EXPECT_TRUE(off.events.empty()) << "the mechanism off: starved without end";
}

TEST(BreakerFigures, TtftTripsBeforeTotalWhenBothAreSlow) {  // F5
  int by_ttft = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    BreakerWorld world({}, seed);
    world.run({}, 1000);
    world.run_until(BreakerState::open, {.ttft_median = 4, .total_median = 8}, 20'000);
    by_ttft += world.events.front().reason == TripReason::ttft;
  }
  EXPECT_GE(by_ttft, 38);
}

}  // namespace
}  // namespace troupe::policy
