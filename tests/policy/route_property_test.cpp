// Routing over a hundred thousand random fleets and a million requests: what must hold for every plan.
#include "runtime/policy/router.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

constexpr WallTime noon{1'700'000'000'000};
constexpr int fleets = 100'000;
constexpr int requests_per_fleet = 10;

template <std::size_t n>
const char* any_of(Rng& rng, const std::array<const char*, n>& names) {
  return names[rng.below(n)];
}

EndpointFacts random_facts(Rng& rng, std::size_t index) {
  EndpointFacts facts;
  facts.id = "e" + std::to_string(index);
  facts.provider = any_of<3>(rng, {"bedrock", "vertex", "azure"});
  facts.region = any_of<2>(rng, {"east", "west"});
  facts.model = any_of<4>(rng, {"large", "medium", "small", "other"});
  facts.boundary = any_of<3>(rng, {"us", "eu", "ap"});
  facts.kind = rng.below(3) ? CapacityKind::on_demand : CapacityKind::reserved;
  facts.context_tokens_max = static_cast<std::uint32_t>(2000 << rng.below(8));
  facts.output_tokens_max = static_cast<std::uint32_t>(500 << rng.below(5));
  facts.offers = {rng.below(8) != 0, rng.below(8) != 0, rng.below(8) != 0};
  return facts;
}

HealthView random_health(Rng& rng) {
  HealthView view;
  view.state = static_cast<BreakerState>(std::max<int>(0, static_cast<int>(rng.below(5)) - 2));
  view.share = view.state == BreakerState::partial ? rng.uniform() : view.state == BreakerState::closed;
  view.total_p50 = rng.below(3) ? rng.uniform() * 20 : 0;
  view.in_flight = static_cast<std::uint32_t>(rng.below(20));
  view.in_flight_max = static_cast<std::uint32_t>(rng.below(3) * 10);
  if (rng.below(3) == 0) view.input_headroom = rng.uniform() * 50'000 - 10'000;
  if (rng.below(8) == 0)
    view.throttled_until = {noon.ms + static_cast<std::int64_t>(rng.below(60'000)) - 10'000};
  view.cool_until = {noon.ms + static_cast<std::int64_t>(rng.below(60'000)) - 10'000};
  view.reachable = rng.below(10) != 0;
  return view;
}

RouteRequest random_request(Rng& rng) {
  RouteRequest request;
  if (rng.below(4)) request.boundary = any_of<3>(rng, {"us", "eu", "ap"});
  request.input_tokens = rng.below(20) ? rng.below(60'000) : ~0ULL - rng.below(5);
  request.output_tokens_max = rng.below(4000);
  request.output_tokens = rng.below(request.output_tokens_max + 1);
  request.deadline = std::chrono::seconds(rng.below(60));
  request.draw = rng.uniform();
  request.trickle_allowed = rng.below(4) != 0;
  if (rng.below(4) == 0) request.lead = rng.below(4);
  request.needs = {rng.below(4) == 0, rng.below(6) == 0, rng.below(4) == 0};
  request.prefix = rng.below(3);
  return request;
}

struct Case {
  std::deque<EndpointFacts> facts;
  std::vector<HealthPtr> health;
  RouteRequest request;
  RoutePolicy policy;
  RouteRules rules{.feature = "f", .hierarchy = {"large", "medium", "small"}};
  Rng rng;

  explicit Case(std::uint64_t seed) : rng(seed) {
    auto size = rng.below(20);
    for (std::size_t i = 0; i < size; ++i) {
      facts.push_back(random_facts(rng, i));
      health.push_back(rng.below(30) ? std::make_shared<const HealthView>(random_health(rng)) : nullptr);
    }
    policy = {.fallback = rng.below(5) != 0, .spillover = rng.below(5) != 0, .attempts_max = rng.below(6)};
    policy.pools = static_cast<Pools>(rng.below(5));
    rules.work_class = static_cast<WorkClass>(rng.below(3));
    if (rng.below(3) == 0) rules.boundary = any_of<3>(rng, {"us", "eu", "ap"});
    if (rng.below(3) == 0) rules.quality = {{"small", rng.uniform(), {noon.ms + 1}}};
    request = random_request(rng);
  }
  Router router() const {
    Router router(rules, policy);
    std::vector<FactsPtr> endpoints;
    for (const auto& each : facts) endpoints.push_back(std::make_shared<const EndpointFacts>(each));
    router.set_endpoints(std::move(endpoints));
    for (std::size_t i = 0; i < health.size(); ++i) router.set_health(i, health[i]);
    return router;
  }
  RoutePlan plan() const {
    RoutePlan plan;
    router().plan(request, {}, noon, plan);
    return plan;
  }
};

// What must hold of every endpoint that is planned.
void check_step(const Case& c, const Planned& step) {
  const auto& facts = c.facts[step.endpoint];
  const auto& health = *c.health[step.endpoint];
  ASSERT_TRUE(c.request.boundary.empty() || facts.boundary == c.request.boundary);
  ASSERT_TRUE(c.rules.boundary.empty() || facts.boundary == c.rules.boundary);
  ASSERT_LE(c.request.input_tokens, facts.context_tokens_max);
  ASSERT_LE(c.request.input_tokens + c.request.output_tokens_max, facts.context_tokens_max);
  ASSERT_LE(c.request.output_tokens_max, facts.output_tokens_max);
  ASSERT_TRUE(c.request.needs.within(facts.offers));
  ASSERT_NE(health.state, BreakerState::open);
  ASSERT_TRUE(health.reachable && health.throttled_until <= noon);
  ASSERT_NE(facts.model, "other");
}

void check_plan(const Case& c, const RoutePlan& plan) {
  ASSERT_LE(plan.order.size(), c.policy.attempts_max);
  ASSERT_EQ(plan.order.size() + plan.passed_over.size(), c.facts.size());
  std::set<std::size_t> seen;
  for (const auto& out : plan.passed_over) {
    ASSERT_TRUE(seen.insert(out.endpoint).second);
    ASSERT_NE(out.remark.note, Note::none);
  }
  for (const auto& step : plan.order) {
    ASSERT_TRUE(seen.insert(step.endpoint).second);
    check_step(c, step);
  }
  if (plan.order.empty() || plan.order[0].cause != Cause::trickle) return;
  ASSERT_GE(plan.order.size(), 2u);
  ASSERT_EQ(c.health[plan.order[1].endpoint]->state, BreakerState::closed);
}

TEST(PlanRouteProperty, HoldsForEveryFleet) {  // C8, E8, E9, E11, F6, F7
  std::size_t planned = 0, trials = 0;
  RoutePlan plan;
  for (std::uint64_t seed = 0; seed < fleets; ++seed) {
    Case c(seed);
    auto router = c.router();
    for (int i = 0; i < requests_per_fleet; ++i) {
      c.request = random_request(c.rng);
      router.plan(c.request, {}, noon, plan);
      check_plan(c, plan);
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", request " << i;
      planned += plan.order.size();
      trials += !plan.order.empty() && plan.order[0].cause == Cause::trickle;
    }
  }
  EXPECT_GT(planned, 200'000u) << "the fleets are not so poor that nothing is tried";
  EXPECT_GT(trials, 2500u);
}

TEST(PlanRouteProperty, WithoutTheBoundaryFilterDataLeaves) {  // C8, off
  int crossings = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Case c(seed);
    c.rules.boundary.clear();
    auto bound = std::exchange(c.request.boundary, "");
    for (const auto& step : c.plan().order)
      crossings += !bound.empty() && c.facts[step.endpoint].boundary != bound;
  }
  EXPECT_GT(crossings, 1000);
}

TEST(PlanRouteProperty, EveryRemarkHasWords) {
  auto said = [](const Case& c, std::uint32_t i, const Remark& remark) {
    return !words_of(remark, c.facts[i], c.health[i].get()).empty();
  };
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Case c(seed);
    auto plan = c.plan();
    for (const auto& out : plan.passed_over) ASSERT_TRUE(said(c, out.endpoint, out.remark)) << seed;
    for (const auto& step : plan.order) ASSERT_TRUE(said(c, step.endpoint, step.remark)) << seed;
  }
}

TEST(PlanRouteProperty, EqualInputsGiveEqualPlans) {  // E9
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) ASSERT_EQ(Case(seed).plan(), Case(seed).plan());
}

TEST(PlanRouteProperty, SomethingIsPlannedWheneverSomethingCouldServe) {  // C3
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Case c(seed);
    c.policy = {};
    c.rules.boundary.clear();
    c.request.deadline = 0s;
    bool possible = false;
    for (std::size_t i = 0; i < c.facts.size(); ++i) {
      const auto& facts = c.facts[i];
      const auto* health = c.health[i].get();
      if (!health || !health->reachable || health->state == BreakerState::open) continue;
      if (health->throttled_until > noon || facts.model == "other") continue;
      if (!c.request.boundary.empty() && facts.boundary != c.request.boundary) continue;
      if (!c.request.needs.within(facts.offers)) continue;
      possible =
          possible ||
          (c.request.input_tokens < 1'000'000 && c.request.output_tokens_max <= facts.output_tokens_max &&
           c.request.input_tokens + c.request.output_tokens_max <= facts.context_tokens_max);
    }
    ASSERT_EQ(c.plan().order.empty(), !possible) << "seed " << seed;
  }
}

}  // namespace
}  // namespace troupe::policy
