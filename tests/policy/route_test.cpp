// Routing by example: each rule of the plan with one small set of endpoints.
#include "tests/policy/fleet.hpp"

#include "runtime/base/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing::flash;
using testing::Fleet;
using testing::noon;
using testing::order;
using testing::reserved_sonnet;
using testing::small_request;
using testing::sonnet;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PlanRoute, TakesReservedCapacityFirst) {  // C1
  Fleet fleet;
  fleet.add(sonnet());
  fleet.add(reserved_sonnet());
  auto plan = fleet.plan(small_request);
  EXPECT_THAT(order(plan), ElementsAre(1, 0));
  EXPECT_EQ(plan.order[0].cause, Cause::primary);
  EXPECT_EQ(plan.order[1].cause, Cause::fallback);
}

TEST(PlanRoute, SpillsAtOnceWhenHeadroomIsShort) {  // C2
  Fleet fleet;
  fleet.add(reserved_sonnet()).input_headroom = 999;
  fleet.add(sonnet());
  auto plan = fleet.plan(small_request);
  EXPECT_THAT(order(plan), ElementsAre(1, 0));
  EXPECT_EQ(plan.order[0].cause, Cause::spillover);
  EXPECT_THAT(fleet.reason(plan.order[1]), HasSubstr("input headroom 999 < 1000"));
  fleet.health[0]->input_headroom = 1000;
  EXPECT_EQ(fleet.plan(small_request).order[0].cause, Cause::primary);
  fleet.health[0]->output_headroom = 199;
  EXPECT_EQ(fleet.plan(small_request).order[0].cause, Cause::spillover) << "output binds alone";
}

TEST(PlanRoute, WithSpilloverOffReservedCapacityIsWaitedFor) {  // C2, off
  Fleet fleet;
  fleet.add(reserved_sonnet()).input_headroom = -5000;
  fleet.add(sonnet());
  EXPECT_THAT(order(fleet.plan(small_request, {.spillover = false})), ElementsAre(0, 1));
  fleet.health[0]->throttled_until = {noon.ms + 3000};
  auto plan = fleet.plan(small_request, {.spillover = false});
  EXPECT_TRUE(plan.order.empty());
  EXPECT_EQ(plan.wait, 3s);
  EXPECT_EQ(fleet.plan(small_request).order[0].cause, Cause::spillover);
}

TEST(PlanRoute, PrefersAnotherProviderThenAnotherRegionAfterAFailure) {  // C10
  Fleet fleet;
  fleet.add(sonnet("bedrock", "us-east-1")).total_p50 = 1;
  fleet.add(sonnet("bedrock", "us-east-1")).total_p50 = 2;
  fleet.add(sonnet("bedrock", "us-west-2")).total_p50 = 4;
  fleet.add(flash("vertex")).total_p50 = 8;
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(0, 3, 2, 1));
}

TEST(PlanRoute, ABetterModelsSicknessMakesTheFirstAFallback) {
  Fleet fleet;
  fleet.add(sonnet()).state = BreakerState::open;
  fleet.add(flash());
  auto plan = fleet.plan(small_request);
  EXPECT_THAT(order(plan), ElementsAre(1));
  EXPECT_EQ(plan.order[0].cause, Cause::fallback);
  EXPECT_THAT(fleet.reason(plan.passed_over[0]), HasSubstr("breaker open"));
}

TEST(PlanRoute, TheFasterAndTheLessLoadedComeFirst) {
  Fleet fleet;
  fleet.add(sonnet("a")).total_p50 = 4;
  fleet.add(sonnet("b")).total_p50 = 2;
  EXPECT_EQ(order(fleet.plan(small_request))[0], 1u);
  fleet.health[1]->in_flight_max = 10;
  fleet.health[1]->in_flight = 10;
  EXPECT_EQ(order(fleet.plan(small_request))[0], 0u) << "full";
  EXPECT_THAT(fleet.reason(fleet.plan(small_request).order[1]), HasSubstr("full with 10 in flight"));
}

TEST(PlanRoute, EqualEndpointsShareTheRequests) {
  Fleet fleet;
  fleet.add(sonnet("a")).total_p50 = 2;
  fleet.add(sonnet("b")).total_p50 = 2;
  Rng rng(1);
  auto request = small_request;
  int first = 0;
  for (int i = 0; i < 10'000; ++i) {
    request.draw = rng.uniform();
    first += order(fleet.plan(request))[0] == 0;
  }
  EXPECT_NEAR(first, 5000, 200);
}

TEST(PlanRoute, NamesTheWaitWhenNothingCanServe) {
  Fleet fleet;
  auto& open = fleet.add(sonnet());
  open.state = BreakerState::open;
  open.cool_until = {noon.ms + 9000};
  fleet.add(flash()).throttled_until = {noon.ms + 4000};
  auto plan = fleet.plan(small_request);
  EXPECT_TRUE(plan.order.empty());
  EXPECT_EQ(plan.wait, 4s);
  EXPECT_FALSE(Fleet{}.plan(small_request).wait);
}

TEST(PlanRoute, WhatIsTooSlowForTheDeadlineComesLast) {
  Fleet fleet;
  fleet.add(sonnet()).total_p50 = 30;
  fleet.add(flash()).total_p50 = 2;
  auto request = small_request;
  request.deadline = 10s;
  EXPECT_THAT(order(fleet.plan(request)), ElementsAre(1, 0));
}

TEST(PlanRoute, FallbackOffKeepsOnlyTheFirst) {
  Fleet fleet;
  fleet.add(sonnet());
  fleet.add(flash());
  auto plan = fleet.plan(small_request, {.fallback = false});
  EXPECT_THAT(order(plan), ElementsAre(0));
  EXPECT_EQ(fleet.reason(plan.passed_over[0]), "fallback is off");
}

/// How many of `requests`, planned by `routers` that never speak to each other, try the recovering endpoint
/// first.
int trial_count(const Fleet& fleet, std::size_t trial, int requests, int routers) {
  auto router = fleet.router();
  RoutePlan plan;
  std::deque<Rng> draws;
  for (int i = 0; i < routers; ++i) draws.emplace_back(100 + i);
  int count = 0;
  auto request = small_request;
  for (int i = 0; i < requests; ++i) {
    request.draw = draws[i % routers].uniform();
    router.plan(request, {}, noon, plan);
    bool first = plan.order[0].endpoint == trial;
    count += first;
    if (!first) continue;
    EXPECT_EQ(plan.order[0].cause, Cause::trickle);
    EXPECT_GE(plan.order.size(), 2u) << "a healthy one stands behind every trial (F7)";
  }
  return count;
}

TEST(Trickle, ItsShareIsWithinBinomialBoundsHoweverManyRouters) {  // F7, F10
  for (double share : {0.01, 0.05, 0.25, 0.5})
    for (int routers : {1, 8}) {
      Fleet fleet;
      auto& view = fleet.add(sonnet("bedrock"));
      view.state = BreakerState::partial;
      view.share = share;
      fleet.add(sonnet("vertex"));
      constexpr int requests = 40'000;
      int count = trial_count(fleet, 0, requests, routers);
      double sigma = std::sqrt(requests * share * (1 - share));
      EXPECT_NEAR(count, requests * share, 4 * sigma) << share << " with " << routers << " routers";
      std::printf("[ figures  ] trial share %.2f, %d routers: measured %.4f\n", share, routers,
                  count / static_cast<double>(requests));
    }
}

TEST(Trickle, ABackupProvesItselfWithoutTakingTheFirstPlace) {
  Fleet fleet;
  fleet.add(sonnet());
  auto& view = fleet.add(flash());
  view.state = BreakerState::partial;
  view.share = 1;
  EXPECT_NEAR(trial_count(fleet, 1, 40'000, 1), 400, 80) << "backup_trickle_max";
}

TEST(Trickle, AtFullShareItTakesItsFairPartAmongEquals) {
  Fleet fleet;
  for (auto provider : {"a", "b", "c"}) fleet.add(sonnet(provider));
  fleet.health[0]->state = BreakerState::partial;
  EXPECT_NEAR(trial_count(fleet, 0, 30'000, 1), 10'000, 400);
}

TEST(Trickle, RiskyWorkStaysOut) {  // F7
  Fleet fleet;
  fleet.add(sonnet("a"));
  auto& view = fleet.add(sonnet("b"));
  view.state = BreakerState::partial;
  view.share = 0.5;
  auto request = small_request;
  request.draw = 0.1;
  EXPECT_EQ(fleet.plan(request).order[0].cause, Cause::trickle);
  request.trickle_allowed = false;
  EXPECT_THAT(order(fleet.plan(request)), ElementsAre(0));
  request.trickle_allowed = true;
  EXPECT_THAT(order(fleet.plan(request, {.attempts_max = 1})), ElementsAre(0))
      << "no room for the one behind it";
}

TEST(Trickle, IsTheLastResortWhenNothingIsClosed) {
  Fleet fleet;
  auto& view = fleet.add(sonnet("a"));
  view.state = BreakerState::partial;
  view.share = 0.01;
  fleet.add(sonnet("b")).state = BreakerState::open;
  auto request = small_request;
  request.draw = 0.99;
  request.trickle_allowed = false;
  auto plan = fleet.plan(request);
  EXPECT_THAT(order(plan), ElementsAre(0));
  EXPECT_THAT(fleet.reason(plan.order[0]), HasSubstr("last resort"));
}

TEST(Cost, AddsEachKindOfTokenOnce) {
  Price price{.input = 3, .output = 15, .cache_read = 0.3, .cache_write = 3.75};
  Usage usage{.input = 1'000'000,
              .output = 100'000,
              .cache_read = 2'000'000,
              .cache_write = 400'000,
              .reasoning = 90'000};
  EXPECT_DOUBLE_EQ(cost_usd(price, usage), 3 + 1.5 + 0.6 + 1.5);
}

TEST(MissingBackup, WantsTwoFailureDomainsInsideTheBoundary) {  // C10
  auto here = sonnet(), there = flash();
  here.boundary = "us";
  there.boundary = "eu";
  std::vector<std::string> hierarchy{"sonnet", "flash"};
  std::vector endpoints{here, here, there};
  EXPECT_FALSE(missing_backup(hierarchy, "", endpoints));
  EXPECT_THAT(*missing_backup(hierarchy, "us", endpoints), HasSubstr("bedrock us-east-1"));
  EXPECT_THAT(*missing_backup(hierarchy, "ap", endpoints), HasSubstr("no endpoint"));
}

TEST(RoutePolicy, DefaultIsSoundAndMistakesAreNamed) {
  EXPECT_FALSE(validate(RoutePolicy{}));
  EXPECT_TRUE(validate({.attempts_max = 0}));
  EXPECT_TRUE(validate({.headroom_factor = -1}));
  EXPECT_TRUE(validate({.explore_share = 2}));
  EXPECT_TRUE(validate({.weights = {.price = -1}}));
}

}  // namespace
}  // namespace troupe::policy
