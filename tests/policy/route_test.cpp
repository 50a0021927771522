// Routing by example: each rule of the plan with one small set of endpoints.
#include "runtime/policy/router.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/policy/controls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <set>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr WallTime noon{1'700'000'000'000};

struct Fleet {
  std::deque<EndpointFacts> facts;
  std::vector<std::shared_ptr<HealthView>> health;
  RouteRules rules{.feature = "summary", .hierarchy = {"sonnet", "flash"}};
  ControlsPtr controls;

  /// Measured just now, unless the test says otherwise.
  HealthView& add(EndpointFacts f) {
    f.id = f.provider + "/" + f.region + "/" + f.model + "/" + to_string(f.kind);
    facts.push_back(std::move(f));
    health.push_back(std::make_shared<HealthView>());
    health.back()->measured = noon;
    return *health.back();
  }
  Router router(const RoutePolicy& policy = {}) const {
    Router router(rules, policy);
    std::vector<FactsPtr> endpoints;
    for (const auto& each : facts) endpoints.push_back(std::make_shared<const EndpointFacts>(each));
    router.set_endpoints(std::move(endpoints));
    for (std::size_t i = 0; i < health.size(); ++i) router.set_health(i, health[i]);
    router.set_controls(controls);
    return router;
  }
  RoutePlan plan(const RouteRequest& request, const RoutePolicy& policy = {}) const {
    RoutePlan plan;
    router(policy).plan(request, {}, noon, plan);
    return plan;
  }
  std::string words(const Remark& remark, std::size_t endpoint) const {
    return words_of(remark, facts[endpoint], health[endpoint].get());
  }
  std::string reason(const Planned& planned) const { return words(planned.remark, planned.endpoint); }
  std::string reason(const PassedOver& passed) const { return words(passed.remark, passed.endpoint); }
};

std::vector<std::size_t> order(const RoutePlan& plan) {
  std::vector<std::size_t> indexes;
  for (const auto& planned : plan.order) indexes.push_back(planned.endpoint);
  return indexes;
}

const RouteRequest small_request{
    .input_tokens = 1000, .output_tokens = 200, .output_tokens_max = 400, .draw = 0.7};
EndpointFacts reserved_sonnet() {
  return {.provider = "bedrock", .region = "us-east-1", .model = "sonnet", .kind = CapacityKind::reserved};
}
EndpointFacts sonnet(std::string provider = "bedrock", std::string region = "us-east-1") {
  return {.provider = std::move(provider), .region = std::move(region), .model = "sonnet"};
}
EndpointFacts flash(std::string provider = "vertex") {
  return {.provider = std::move(provider), .region = "us-central1", .model = "flash"};
}

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

TEST(PlanRoute, BatchWorkLeavesReservedCapacityToThoseWhoWait) {  // B11, B12
  Fleet fleet;
  fleet.add(reserved_sonnet());
  fleet.add(sonnet("vertex"));
  fleet.rules.work_class = WorkClass::batch;
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(1, 0));
  EXPECT_EQ(fleet.plan(small_request).order[0].cause, Cause::primary) << "nothing was spilled";
  EXPECT_THAT(order(fleet.plan(small_request, {.pools = Pools::reserved_first})), ElementsAre(0, 1));
  auto plan = fleet.plan(small_request, {.pools = Pools::on_demand_only});
  EXPECT_THAT(order(plan), ElementsAre(1));
  EXPECT_THAT(fleet.reason(plan.passed_over[0]), HasSubstr("reserved capacity is not used"));
}

TEST(PlanRoute, AModelIsLedByTheLowerBoundOfItsQualityWhileThatIsValid) {  // E1
  Fleet fleet;
  fleet.add(sonnet());
  fleet.add(flash());
  WallTime later{noon.ms + 1};
  fleet.rules.quality = {{"sonnet", 0.70, later}, {"flash", 0.80, later}};
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(1, 0));
  fleet.rules.quality[1].expires = noon;
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(0, 1)) << "a score that ran out decides nothing";
  fleet.rules.quality.clear();
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(0, 1)) << "the hierarchy";
}

TEST(PlanRoute, ModelsOfEqualQualityCompeteByPriceAndSpeed) {  // D4, D7
  Fleet fleet;
  fleet.add(sonnet()).total_p50 = 6;
  fleet.add(flash()).total_p50 = 2;
  WallTime later{noon.ms + 1};
  fleet.rules.quality = {{"sonnet", 0.805, later}, {"flash", 0.80, later}};
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(1, 0));
  EXPECT_THAT(order(fleet.plan(small_request, {.quality_margin = 0})), ElementsAre(0, 1));
}

TEST(PlanRoute, SmallRequestsGoWhereTheRuleSendsThem) {  // E8
  Fleet fleet;
  fleet.add(sonnet());
  fleet.add(flash());
  fleet.rules.diverts = {{.model = "flash", .input_tokens_max = 1500, .output_tokens_max = 400}};
  EXPECT_THAT(order(fleet.plan(small_request)), ElementsAre(1, 0));
  auto longer = small_request;
  longer.input_tokens = 1501;
  EXPECT_THAT(order(fleet.plan(longer)), ElementsAre(0, 1));
  longer.lead = 1;
  EXPECT_THAT(order(fleet.plan(longer)), ElementsAre(1, 0)) << "an experiment's arm";
}

TEST(PlanRoute, PassesOverWhoCannotDoWhatIsAskedFor) {
  Fleet fleet;
  auto plain = sonnet("tgi");
  plain.offers = {};
  fleet.add(plain);
  fleet.add(sonnet());
  auto request = small_request;
  request.needs.tools = true;
  auto plan = fleet.plan(request);
  EXPECT_THAT(order(plan), ElementsAre(1));
  EXPECT_THAT(fleet.reason(plan.passed_over[0]), HasSubstr("cannot do"));
}

TEST(PlanRoute, TheCheapestServesBatchAndTheFastestThoseWhoWait) {  // D7
  Fleet fleet;
  auto dear = sonnet("a"), cheap = sonnet("b");
  dear.price = {.input = 6, .output = 30};
  cheap.price = {.input = 3, .output = 15};
  fleet.add(dear).total_p50 = 2;
  fleet.add(cheap).total_p50 = 4;
  EXPECT_EQ(order(fleet.plan(small_request))[0], 0u);
  fleet.rules.work_class = WorkClass::batch;
  EXPECT_EQ(order(fleet.plan(small_request))[0], 1u);
}

TEST(PlanRoute, CallsWithOnePrefixStayTogetherAndSpreadOverAllOtherwise) {
  Fleet fleet;
  for (auto provider : {"a", "b", "c"}) fleet.add(sonnet(provider)).total_p50 = 2;
  ScoreWeights sticky{.affinity = 0.5};
  auto request = small_request;
  std::map<std::uint64_t, std::set<std::size_t>> homes;
  std::set<std::size_t> all;
  Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    request.prefix = 1 + rng.below(20);
    request.draw = rng.uniform();
    auto first = order(fleet.plan(request, {.weights_by_class = false, .weights = sticky}))[0];
    homes[request.prefix].insert(first);
    all.insert(first);
  }
  for (const auto& [prefix, places] : homes) EXPECT_EQ(places.size(), 1u) << prefix;
  EXPECT_EQ(all.size(), 3u);
  request.prefix = 7;
  std::set<std::size_t> without;
  for (int i = 0; i < 200; ++i) {
    request.draw = rng.uniform();
    without.insert(order(fleet.plan(request, {.weights_by_class = false, .weights = {.affinity = 0}}))[0]);
  }
  EXPECT_EQ(without.size(), 3u) << "off";
}

TEST(PlanRoute, MeasuresAgainWhatNobodyHasMeasuredLately) {  // D7
  Fleet fleet;
  fleet.add(sonnet("a")).total_p50 = 2;
  auto& stale = fleet.add(sonnet("b"));
  stale.total_p50 = 9;
  auto count = [&](double share) {
    auto router = fleet.router({.explore_share = share});
    RoutePlan plan;
    auto request = small_request;
    Rng rng(5);
    int explored = 0;
    for (int i = 0; i < 20'000; ++i) {
      request.draw = rng.uniform();
      router.plan(request, {}, noon, plan);
      explored += plan.order[0].endpoint == 1 && plan.order[0].remark.note == Note::explored;
    }
    return explored;
  };
  EXPECT_EQ(count(0.01), 0) << "measured just now";
  stale.measured = {noon.ms - 61'000};
  EXPECT_NEAR(count(0.01), 200, 60);
  EXPECT_EQ(count(0), 0) << "off: it is never asked again, however well it is by now";
}

TEST(PlanRoute, WhoIsBarredIsNotPlannedAndThereMayBeNoHope) {
  Fleet fleet;
  fleet.add(sonnet("a"));
  auto& other = fleet.add(sonnet("b"));
  auto router = fleet.router();
  RoutePlan plan;
  std::uint32_t barred[] = {0};
  router.plan(small_request, barred, noon, plan);
  EXPECT_THAT(order(plan), ElementsAre(1));
  auto request = small_request;
  request.deadline = 5s;
  other.state = BreakerState::open;
  other.cool_until = {noon.ms + 4000};
  EXPECT_TRUE(router.hope(request, barred, noon));
  other.cool_until = {noon.ms + 6000};
  EXPECT_FALSE(router.hope(request, barred, noon)) << "back after the deadline";
  other.reachable = false;
  EXPECT_TRUE(router.hope(request, barred, noon)) << "who cannot be heard may be back at any moment";
}

TEST(PlanRoute, AStopWinsOverEverything) {  // C15
  Fleet fleet;
  fleet.add(sonnet("a"));
  fleet.add(flash("b"));
  auto controls = std::make_shared<Controls>();
  ASSERT_TRUE(absorb(*controls, Stop{.subject = Subject::model, .name = "sonnet", .stamp = {1, "n"}}));
  fleet.controls = controls;
  auto request = small_request;
  request.lead = 0;
  auto plan = fleet.plan(request);
  EXPECT_THAT(order(plan), ElementsAre(1));
  EXPECT_EQ(plan.passed_over[0].remark.note, Note::stopped);
  auto all = std::make_shared<Controls>(*controls);
  ASSERT_TRUE(absorb(*all, Stop{.subject = Subject::feature, .name = "summary", .stamp = {2, "n"}}));
  fleet.controls = all;
  EXPECT_TRUE(fleet.plan(request).order.empty());
  EXPECT_FALSE(fleet.router().hope(request, {}, noon));
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
