// Routing over a hundred thousand random fleets and requests: what must hold for every plan.
#include "runtime/policy/route.hpp"

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
constexpr int draws = 100'000;

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
  request.hierarchy = {"large", "medium", "small"};
  if (rng.below(4)) request.boundary = any_of<3>(rng, {"us", "eu", "ap"});
  request.input_tokens = rng.below(20) ? rng.below(60'000) : ~0ULL - rng.below(5);
  request.output_tokens = rng.below(4000);
  request.deadline = std::chrono::seconds(rng.below(60));
  request.draw = rng.uniform();
  request.trickle_allowed = rng.below(4) != 0;
  return request;
}

struct Case {
  std::deque<EndpointFacts> facts;
  std::vector<Candidate> candidates;
  RouteRequest request;
  RoutePolicy policy;

  explicit Case(std::uint64_t seed) {
    Rng rng(seed);
    auto size = rng.below(20);
    for (std::size_t i = 0; i < size; ++i) {
      facts.push_back(random_facts(rng, i));
      auto view = rng.below(30) ? std::make_shared<const HealthView>(random_health(rng)) : nullptr;
      candidates.push_back({rng.below(50) ? &facts.back() : nullptr, view});
    }
    request = random_request(rng);
    policy = {.fallback = rng.below(5) != 0, .spillover = rng.below(5) != 0, .attempts_max = rng.below(6)};
  }
  RoutePlan plan() const { return plan_route(request, candidates, noon, policy); }
};

TEST(PlanRouteProperty, HoldsForEveryFleet) {  // C8, E8, E9, E11, F6, F7
  std::size_t planned = 0, trials = 0;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    Case c(seed);
    auto plan = c.plan();
    ASSERT_LE(plan.order.size(), c.policy.attempts_max);
    ASSERT_EQ(plan.order.size() + plan.passed_over.size(), c.candidates.size()) << "seed " << seed;
    std::set<std::size_t> seen;
    for (const auto& out : plan.passed_over) {
      ASSERT_TRUE(seen.insert(out.endpoint).second) << "seed " << seed;
      ASSERT_FALSE(out.reason.empty());
    }
    for (const auto& step : plan.order) {
      ASSERT_TRUE(seen.insert(step.endpoint).second) << "seed " << seed;
      ASSERT_FALSE(step.reason.empty());
      const auto& [facts, health] = c.candidates[step.endpoint];
      ASSERT_TRUE(c.request.boundary.empty() || facts->boundary == c.request.boundary) << "seed " << seed;
      ASSERT_LE(c.request.input_tokens, facts->context_tokens_max) << "seed " << seed;
      ASSERT_LE(c.request.input_tokens + c.request.output_tokens, facts->context_tokens_max)
          << "seed " << seed;
      ASSERT_LE(c.request.output_tokens, facts->output_tokens_max) << "seed " << seed;
      ASSERT_NE(health->state, BreakerState::open) << "seed " << seed;
      ASSERT_TRUE(health->reachable && health->throttled_until <= noon) << "seed " << seed;
      ASSERT_NE(facts->model, "other");
    }
    planned += plan.order.size();
    if (plan.order.empty() || plan.order[0].cause != Cause::trickle) continue;
    ++trials;
    ASSERT_GE(plan.order.size(), 2u) << "seed " << seed;
    ASSERT_EQ(c.candidates[plan.order[1].endpoint].health->state, BreakerState::closed) << "seed " << seed;
  }
  EXPECT_GT(planned, 30'000u) << "the fleets are not so poor that nothing is tried";
  EXPECT_GT(trials, 500u);
}

TEST(PlanRouteProperty, WithoutTheBoundaryFilterDataLeaves) {  // C8, off
  int crossings = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Case c(seed);
    auto bound = std::exchange(c.request.boundary, "");
    for (const auto& step : c.plan().order)
      crossings += !bound.empty() && c.facts[step.endpoint].boundary != bound;
  }
  EXPECT_GT(crossings, 1000);
}

TEST(PlanRouteProperty, EqualInputsGiveEqualPlans) {  // E9
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    Case c(seed), again(seed);
    auto a = c.plan(), b = again.plan();
    ASSERT_EQ(a.order.size(), b.order.size());
    for (std::size_t i = 0; i < a.order.size(); ++i) {
      ASSERT_EQ(a.order[i].endpoint, b.order[i].endpoint);
      ASSERT_EQ(a.order[i].cause, b.order[i].cause);
      ASSERT_EQ(a.order[i].reason, b.order[i].reason);
    }
    ASSERT_EQ(a.wait, b.wait);
  }
}

TEST(PlanRouteProperty, SomethingIsPlannedWheneverSomethingCouldServe) {  // C3
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Case c(seed);
    c.policy = {};
    c.request.deadline = 0s;
    bool possible = std::ranges::any_of(c.candidates, [&](const Candidate& candidate) {
      const auto& [facts, health] = candidate;
      if (!facts || !health || !health->reachable || health->state == BreakerState::open) return false;
      if (health->throttled_until > noon || facts->model == "other") return false;
      if (!c.request.boundary.empty() && facts->boundary != c.request.boundary) return false;
      return c.request.input_tokens < 1'000'000 && c.request.output_tokens <= facts->output_tokens_max &&
             c.request.input_tokens + c.request.output_tokens <= facts->context_tokens_max;
    });
    ASSERT_EQ(c.plan().order.empty(), !possible) << "seed " << seed;
  }
}

}  // namespace
}  // namespace troupe::policy
