// What moves an endpoint among its equals, and what keeps it out: pools, quality, size, price, prefix,
// orders.
#include "tests/policy/fleet.hpp"

#include "runtime/base/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

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

// Who leads: the cheap shared pool (0) or the dear one (1), the pool answering in so many seconds.
std::size_t leads(double pool_seconds, WorkClass work_class, const RoutePolicy& policy = {}) {
  Fleet fleet;
  auto pool = sonnet("shared"), dear = sonnet("dear");
  pool.price = {.input = 3, .output = 15};
  dear.price = {.input = 4, .output = 20};
  fleet.add(pool).total_p50 = pool_seconds;
  fleet.add(dear).total_p50 = 2;
  fleet.rules.work_class = work_class;
  return order(fleet.plan(small_request, policy))[0];
}

TEST(PlanRoute, AContendedPoolKeepsTheWorkForWhichNobodyWaits) {  // C7
  EXPECT_EQ(leads(2, WorkClass::interactive), 0u) << "calm, it is the cheaper of two equals";
  EXPECT_EQ(leads(6, WorkClass::interactive), 1u);
  EXPECT_EQ(leads(6, WorkClass::batch), 0u);
  RoutePolicy blind{.weights_by_class = false};
  EXPECT_EQ(leads(6, WorkClass::interactive, blind), leads(6, WorkClass::batch, blind)) << "off";
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

}  // namespace
}  // namespace troupe::policy
