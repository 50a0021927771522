// A model that is only tried out costs nobody anything: it has customers where a stage sends them, and before
// that it is no backup, on no trial, and not explored (B5, F7, F8).
#include "runtime/policy/proof.hpp"
#include "runtime/policy/rollout.hpp"
#include "tests/policy/breaker_world.hpp"
#include "tests/policy/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::flash;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noon;
using testing::order;
using testing::small_request;
using testing::sonnet;

// ---- the plan ----

constexpr std::uint64_t kSecond = 0b10;

/// The proven model at two places, the candidate at two.
Fleet tried_out() {
  Fleet fleet;
  fleet.add(sonnet("bedrock"));
  fleet.add(sonnet("azure", "eastus2"));
  fleet.add(flash("vertex"));
  fleet.add(flash("bedrock"));
  return fleet;
}

RouteRequest asking(std::uint64_t candidates, std::optional<std::size_t> lead = {}) {
  auto request = small_request;
  request.candidates = candidates;
  request.lead = lead;
  return request;
}

TEST(Candidate, IsNoBackupBeforeAStageSendsCallsThere) {  // B5
  auto fleet = tried_out();
  auto plan = fleet.plan(asking(kSecond));
  EXPECT_THAT(order(plan), ::testing::UnorderedElementsAre(0, 1));
  ASSERT_EQ(plan.passed_over.size(), 2u);
  EXPECT_THAT(fleet.reason(plan.passed_over[0]), HasSubstr("held back"));
  EXPECT_EQ(fleet.plan(asking(0)).order.size(), 4u) << "the rule off: the next after one failure";
}

TEST(Candidate, HasNoTrialAndIsNotExploredWithCustomersCalls) {  // F7, D7
  auto fleet = tried_out();
  fleet.health[2]->state = BreakerState::partial;
  fleet.health[2]->share = 0.5;
  fleet.health[3]->measured = {};
  auto request = asking(kSecond), as_a_backup = asking(0);
  request.draw = as_a_backup.draw = 0.005;
  EXPECT_LT(order(fleet.plan(request)).front(), 2u);
  EXPECT_EQ(order(fleet.plan(as_a_backup)).front(), 2u) << "the rule off: one in a hundred pays for it";
}

TEST(Candidate, ChangesNothingInTheOrderOfTheOthers) {  // B5: whatever copies and probes find out
  for (bool proven : {false, true})
    for (auto state : {BreakerState::closed, BreakerState::open, BreakerState::partial}) {
      auto fleet = tried_out(), alone = tried_out();
      for (std::size_t i : {2, 3}) {
        auto& view = *fleet.health[i];
        view.state = state;
        view.proven = proven;
        view.in_flight = 1000;
        view.total_p50 = 0.001;
        alone.health[i].reset();
      }
      for (double draw : {0.001, 0.3, 0.999}) {
        auto request = asking(kSecond);
        request.draw = draw;
        auto with = fleet.plan(request), without = alone.plan(request);
        ASSERT_GE(with.order.size(), without.order.size());
        bool last_resort = proven && state == BreakerState::closed;
        EXPECT_EQ(with.order.size() > without.order.size(), last_resort);
        with.order.resize(without.order.size());
        EXPECT_EQ(with.order, without.order);
        EXPECT_EQ(with.wait, without.wait);
      }
    }
}

TEST(Candidate, ServesAsTheLastResortOnceItIsProven) {
  auto fleet = tried_out();
  fleet.health[3]->proven = true;
  EXPECT_EQ(order(fleet.plan(asking(kSecond))).back(), 3u) << "after all others";
  fleet.health[3]->proven = false;
  for (std::size_t i : {0, 1}) fleet.health[i]->state = BreakerState::open;
  EXPECT_THAT(fleet.plan(asking(kSecond)).order, IsEmpty()) << "nobody has seen it work";
  EXPECT_FALSE(fleet.router().hope(asking(kSecond), {}, noon));
  fleet.health[3]->proven = true;
  auto plan = fleet.plan(asking(kSecond));
  ASSERT_THAT(order(plan), ElementsAre(3));
  EXPECT_EQ(plan.order[0].cause, Cause::fallback);
  EXPECT_THAT(fleet.reason(plan.order[0]), HasSubstr("last resort"));
  EXPECT_TRUE(fleet.router().hope(asking(kSecond), {}, noon));
  fleet.health[0]->state = BreakerState::partial;
  EXPECT_THAT(order(fleet.plan(asking(kSecond))), ElementsAre(0, 3)) << "who recovers comes first";
  fleet.health[3]->state = BreakerState::partial;
  EXPECT_THAT(order(fleet.plan(asking(kSecond))), ElementsAre(0)) << "a trial is its copies'";
}

TEST(Candidate, ThatThePlanNeverTakesIsNothingToWaitFor) {
  auto fleet = tried_out();
  for (std::size_t i : {0, 1}) fleet.health[i].reset(), fleet.facts[i].output_tokens_max = 1;
  fleet.health[3]->proven = true;
  EXPECT_TRUE(fleet.router().hope(asking(kSecond), {}, noon));
  fleet.health[3]->state = BreakerState::partial;
  EXPECT_THAT(fleet.plan(asking(kSecond)).order, IsEmpty());
  EXPECT_FALSE(fleet.router().hope(asking(kSecond), {}, noon));
}

TEST(Candidate, AmongLastResortsTheBetterComesFirst) {
  auto fleet = tried_out();
  fleet.add(flash("elsewhere"));
  for (std::size_t i : {2, 4}) {
    fleet.health[i]->proven = true;
    fleet.health[i]->total_p50 = i == 2 ? 9 : 1;
  }
  auto plan = fleet.plan(asking(kSecond));
  ASSERT_THAT(order(plan), ElementsAre(::testing::_, ::testing::_, 4, 2));
  EXPECT_GT(plan.order[2].remark.score, 0);
  EXPECT_GT(plan.order[3].remark.score, plan.order[2].remark.score);
}

TEST(Candidate, ThatLeadsLeavesHalfOfTheAttemptsToThoseThatWereThereBefore) {  // F7: a fallback ready
  auto fleet = tried_out();
  fleet.add(flash("azure"));
  fleet.add(flash("elsewhere"));
  auto is_candidate = [](std::size_t endpoint) { return endpoint >= 2; };
  for (std::size_t attempts : {1, 2, 4}) {
    auto plan = order(fleet.plan(asking(kSecond, 1), {.attempts_max = attempts}));
    ASSERT_EQ(plan.size(), attempts);
    EXPECT_TRUE(is_candidate(plan[0]));
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count_if(plan, is_candidate)), (attempts + 1) / 2);
  }
  auto plan = order(fleet.plan(asking(0, 1)));
  EXPECT_EQ(std::ranges::count_if(plan, is_candidate), 4) << "the rule off";
}

// ---- who is one ----

constexpr Instant kBegin{1h};

RolloutRule to_flash() {
  RolloutRule rule;
  rule.name = "r";
  rule.feature = "summary";
  rule.model = "flash";
  return rule;
}

Lead lead_at(const Controls& controls, const LeadRules& rules) {
  RequestFacts facts{.feature = "summary", .unit = {.tenant = "acme"}};
  return lead_for(rules, controls, facts, "", kBegin, noon);
}

TEST(Candidate, IsTheRolloutsModelUntilItIsDone) {  // B7
  LeadRules rules;
  rules.rollouts.push_back(to_flash());
  Controls controls;
  EXPECT_EQ(lead_at(controls, rules).candidate, "flash") << "not begun";
  absorb(controls, Share{.name = "r", .share = 1, .stamp = {1, "a"}});
  EXPECT_EQ(lead_at(controls, rules).candidate, "flash");
  EXPECT_EQ(lead_at(controls, rules).model, "flash");
  auto back = controls;
  absorb(controls, Share{.name = "r", .share = 1, .state = RolloutState::done, .stamp = {2, "a"}});
  EXPECT_EQ(lead_at(controls, rules).candidate, "");
  absorb(back, Share{.name = "r", .state = RolloutState::rolled_back, .stamp = {2, "a"}});
  EXPECT_EQ(lead_at(back, rules).candidate, "flash");
  absorb(controls, Stop{.subject = Subject::rollout, .name = "r", .stamp = {3, "a"}});
  EXPECT_EQ(lead_at(controls, rules).candidate, "flash") << "an operator has taken it back";
}

TEST(Candidate, IsTheShadowsModelWhereNoRolloutSaysMore) {
  LeadRules rules;
  rules.shadowed.push_back({"summary", "flash"});
  EXPECT_EQ(lead_at({}, rules).shadowed, "flash");
  rules.rollouts.push_back(to_flash());
  Controls done;
  absorb(done, Share{.name = "r", .share = 1, .state = RolloutState::done, .stamp = {1, "a"}});
  EXPECT_EQ(lead_at(done, rules).shadowed, "");
  rules.shadowed[0].model = "third";
  EXPECT_EQ(lead_at(done, rules).shadowed, "third");
  rules.shadowed[0].feature = "other";
  EXPECT_EQ(lead_at({}, rules).shadowed, "");
}

// ---- the proof ----

TEST(Proof, Takes73GoodOutcomesAndAFewBadUndoIt) {  // F8
  Proof proof;
  for (int i = 0; i < 72; ++i) proof.add(false);
  EXPECT_FALSE(proof.stands());
  proof.add(false);
  EXPECT_TRUE(proof.stands());
  for (int i = 0; i < 10'000; ++i) proof.add(false);
  for (int i = 0; i < 2; ++i) proof.add(true);
  EXPECT_FALSE(proof.stands()) << "the past does not hide the present";
}

TEST(Proof, IsSeldomGivenToWhatFailsOneTimeInTwentyAndNearlyAlwaysToTheHealthy) {
  Rng rng(5);
  auto ever = [&rng](double bad_share) {
    int proven = 0;
    for (int run = 0; run < 1000; ++run) {
      Proof proof;
      for (int i = 0; i < 400 && !proof.stands(); ++i) proof.add(rng.uniform() < bad_share);
      proven += proof.stands();
    }
    return proven / 1000.0;
  };
  EXPECT_LE(ever(0.05), 0.07);
  EXPECT_LE(ever(0.2), 0.001);
  EXPECT_GE(ever(0.005), 0.95);
}

TEST(Proof, DoesNotOutliveATripAndOutlivesARestart) {  // F13
  BreakerWorld world;
  for (int i = 0; i < 80; ++i) world.good();
  auto proven = [&world] {
    HealthView view;
    world.breaker.fill(view, world.now);
    return view.proven;
  };
  EXPECT_TRUE(proven());
  auto memory = breaker_memory(to_text(world.breaker.save(world.now)));
  ASSERT_TRUE(memory);
  Breaker again{BreakerPolicy()};
  again.restore(*memory, world.now, 1s);
  HealthView view;
  again.fill(view, world.now);
  EXPECT_TRUE(view.proven);
  for (int i = 0; i < 5; ++i) world.bad();
  EXPECT_EQ(world.breaker.state(), BreakerState::open);
  EXPECT_FALSE(proven());
}

// ---- what copies say ----

Outcome copied(std::optional<Errc> error = {}) {
  Outcome out{.error = error, .counts = error.has_value(), .ttft = 400ms, .total = 3s};
  out.copy = true;
  return out;
}

TEST(Copies, MoveNoBreakerOfWhomCustomersUse) {  // B5
  for (bool customers : {true, false}) {
    BreakerWorld world;
    for (int second = 0; second < 60; ++second) {
      world.tick(1s);
      if (customers) world.good();
      world.outcome(copied(Errc::timeout));
      if (customers) {
        Silence silent{world.now, world.now - 10s};
        silent.copy = true;
        world.note(world.breaker.on_silence(silent));
      }
    }
    EXPECT_EQ(world.events.empty(), customers);
    HealthView view;
    world.breaker.fill(view, world.now);
    EXPECT_FALSE(view.proven) << "but nobody is told that it works";
    EXPECT_EQ(view.error_share, 0) << "nor shown to customers as theirs";
  }
}

TEST(Copies, TeachWhatIsSlowWhereNobodyElseCallsAndProbesDoNot) {  // B5, F15
  auto slow_from = [](bool copy) {
    BreakerWorld world;
    for (int second = 0; second < 300; ++second) {
      world.tick(1s);
      auto outcome = copied();
      outcome.copy = copy, outcome.probe = !copy;
      world.outcome(outcome);
    }
    HealthView view;
    world.breaker.fill(view, world.now);
    return view.ttft_slow;
  };
  EXPECT_NEAR(slow_from(true), 1.2, 0.1) << "three times what a customer's request takes";
  EXPECT_EQ(slow_from(false), 0) << "a question of a few words is no yardstick";
}

TEST(Copies, HealTheBreakerOfWhomNobodyUses) {  // F7
  BreakerWorld world;
  for (int i = 0; i < 5; ++i) world.outcome(copied(Errc::timeout));
  ASSERT_EQ(world.breaker.state(), BreakerState::open);
  for (int second = 0; second < 200; ++second) {
    world.tick(1s);
    if (world.breaker.state() == BreakerState::partial) world.outcome(copied());
  }
  EXPECT_EQ(world.breaker.state(), BreakerState::closed);
}

TEST(Copies, ThatAreRefusedAsTheCallersFaultProveNothing) {  // F3: the primary took the same request
  BreakerWorld world;
  for (int i = 0; i < 2000; ++i) {
    world.tick(100ms);
    auto out = copied(i % 10 == 0 ? std::optional(Errc::bad_request) : std::nullopt);
    out.counts = false;
    world.outcome(out);
    HealthView view;
    world.breaker.fill(view, world.now);
    ASSERT_FALSE(view.proven) << i;
  }
  EXPECT_TRUE(world.events.empty());
}

}  // namespace
}  // namespace troupe::policy
