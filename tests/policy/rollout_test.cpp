// Stages, gates and the way back (B7, B8): planted regressions stop early, harmless changes arrive, and
// peeking costs nothing.
#include "runtime/policy/rollout.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNoon{1'700'000'000'000};
constexpr Instant kStart{std::chrono::hours(1)};

struct SideLaw {
  double failure = 0.01, ttft = 0.5, usd = 0.01, quality = 0.8;
};
CallFigures draw_call(const SideLaw& law, Rng& rng) {
  CallFigures call;
  call.failed = rng.uniform() < law.failure;
  call.ttft = law.ttft * std::exp(0.4 * rng.normal());
  call.total = 4 * law.ttft * std::exp(0.5 * rng.normal());
  call.usd = law.usd * std::exp(0.5 * rng.normal());
  call.quality = rng.uniform() < law.quality ? 1 : 0;
  return call;
}

struct RolloutHistory {
  double share_most = 0;
  RolloutState state = RolloutState::running;
  double harmed = 0;  // calls on the new side
  Duration took{};
};

// Ten calls a second; the stage is judged every minute.
RolloutHistory roll(const RolloutPolicy& policy, const SideLaw& fresh, std::uint64_t seed) {
  Rng rng(seed);
  RolloutHistory out;
  StageFacts facts;
  SideEvidence old_before;
  for (facts.stage = 0; facts.stage < policy.stages.size();) {
    double share = policy.stages[facts.stage];
    out.share_most = share;
    for (int i = 0; i < 600; ++i) {
      bool is_fresh = rng.uniform() < share;
      (is_fresh ? facts.fresh : facts.old).add(draw_call(is_fresh ? fresh : SideLaw{}, rng));
      out.harmed += is_fresh;
    }
    facts.lasted += 1min;
    out.took += 1min;
    if (share == 1) facts.old = old_before;
    auto verdict = judge_stage(policy, facts);
    if (verdict.step == RolloutStep::stay) continue;
    if (verdict.step == RolloutStep::roll_back) out.state = RolloutState::rolled_back;
    if (verdict.step == RolloutStep::halt) out.state = RolloutState::halted;
    if (verdict.step != RolloutStep::advance) return out;
    old_before = facts.old;
    facts = {facts.stage + 1, {}, {}, {}};
  }
  out.state = RolloutState::done;
  return out;
}

RolloutPolicy quick() {
  RolloutPolicy policy;
  policy.stage_time_max = std::chrono::hours(48);
  return policy;
}

TEST(Rollout, APlantedRegressionIsRolledBackAtFivePercentOrBefore) {
  auto policy = quick();
  for (auto law :
       {SideLaw{.failure = 0.05}, SideLaw{.ttft = 0.75}, SideLaw{.usd = 0.015}, SideLaw{.quality = 0.7}})
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      auto history = roll(policy, law, seed);
      EXPECT_EQ(history.state, RolloutState::rolled_back) << seed;
      EXPECT_LE(history.share_most, 0.05) << seed;
    }
}

TEST(Rollout, WithoutGatesThePlantedRegressionReachesEveryone) {
  auto policy = quick();
  policy.gates = false;
  auto history = roll(policy, {.failure = 0.05, .quality = 0.5}, 1);
  EXPECT_EQ(history.state, RolloutState::done);
  EXPECT_EQ(history.share_most, 1);
}

// Twins: at most alpha of the rollouts of a harmless change are rolled back, though each is looked at
// hundreds of times.
TEST(Rollout, AHarmlessChangeArrives) {
  auto policy = quick();
  int done = 0, rolled_back = 0;
  constexpr int rounds = 60;
  for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
    auto history = roll(policy, {}, 1000 + seed);
    done += history.state == RolloutState::done;
    rolled_back += history.state == RolloutState::rolled_back;
  }
  EXPECT_LE(rolled_back, rounds / 10);
  EXPECT_GE(done, rounds * 8 / 10);
}

TEST(Rollout, BoundsHoldAtEveryLookWhereAFixedTestDoesNot) {  // L8
  int escaped = 0, fooled = 0;
  constexpr int rounds = 500;
  for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
    Rng rng(seed);
    Moments a, b;
    bool out = false, fixed = false;
    for (int i = 0; i < 1500; ++i) {
      a.add(rng.normal());
      b.add(rng.normal());
      if (i < 30) continue;
      auto bounds = difference_bounds(a, b, 0.05, 0.2);
      out |= bounds.low > 0 || bounds.high < 0;
      fixed |= std::abs(a.mean - b.mean) > 1.96 * std::sqrt(a.variance_of_mean() + b.variance_of_mean());
    }
    escaped += out;
    fooled += fixed;
  }
  EXPECT_LE(escaped, rounds * 0.05 + 3 * std::sqrt(rounds * 0.05 * 0.95));
  EXPECT_GT(fooled, rounds * 0.2);  // "stop at the first p < 0.05"
}

TEST(Rollout, MomentsMergeAsIfTheyHadBeenOne) {
  Rng rng(3);
  Moments all, parts[3];
  for (int i = 0; i < 999; ++i) {
    double x = 5 + rng.normal();
    all.add(x);
    parts[i % 3].add(x);
  }
  Moments sum;
  for (const auto& part : parts) sum.merge(part);
  EXPECT_NEAR(sum.mean, all.mean, 1e-12);
  EXPECT_NEAR(sum.m2, all.m2, 1e-8);
  EXPECT_EQ(sum.n, 999);
}

TEST(Rollout, AStageNeedsItsTimeItsCallsAndSomethingToCompareWith) {
  auto policy = quick();
  policy.samples_min = 30;
  Rng rng(1);
  StageFacts facts;
  for (int i = 0; i < 100'000; ++i) {
    facts.old.add(draw_call({}, rng));
    facts.fresh.add(draw_call({}, rng));
  }
  facts.lasted = policy.dwell - 1s;
  EXPECT_EQ(judge_stage(policy, facts).step, RolloutStep::stay);
  facts.lasted = policy.dwell;
  EXPECT_EQ(judge_stage(policy, facts).step, RolloutStep::advance);
  auto alone = facts;
  alone.old = {};
  EXPECT_EQ(judge_stage(policy, alone).step, RolloutStep::stay);
  alone.lasted = policy.stage_time_max;
  EXPECT_EQ(judge_stage(policy, alone).step, RolloutStep::halt);
  facts.fresh = {};
  EXPECT_EQ(judge_stage(policy, facts).step, RolloutStep::stay);
}

// ---- who is on the new side ----

RolloutRule rule_of(std::string name = "r") {
  RolloutRule rule;
  rule.name = std::move(name);
  rule.feature = "recap";
  rule.model = "large";
  return rule;
}
Controls at_share(double share, RolloutState state = RolloutState::running, std::uint64_t epoch = 1) {
  Controls controls;
  absorb(controls, Share{.name = "r", .share = share, .state = state, .stamp = {epoch, "a"}});
  return controls;
}
int count_in(const RolloutRule& rule, const Controls& controls, Instant now = kStart) {
  int in = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto tenant = "T" + std::to_string(i);
    in += on_new_side(rule, controls, {.tenant = tenant}, now, kNoon);
  }
  return in;
}

TEST(Rollout, UnitsJoinAndNeverLeaveAsTheShareGrows) {
  auto rule = rule_of();
  int before = 0;
  for (double share : {0.01, 0.05, 0.1, 1.0}) {
    auto controls = at_share(share);
    int in = count_in(rule, controls);
    EXPECT_NEAR(in, 10'000 * share, 5 * std::sqrt(10'000 * share * (1 - share)) + 1e-9);
    EXPECT_GE(in, before);
    before = in;
  }
  for (int i = 0; i < 10'000; ++i) {
    auto tenant = "T" + std::to_string(i);
    Unit unit{.tenant = tenant};
    if (on_new_side(rule, at_share(0.05), unit, kStart, kNoon)) {
      ASSERT_TRUE(on_new_side(rule, at_share(0.1), unit, kStart, kNoon));
    }
  }
}

TEST(Rollout, StoppedRolledBackOrStaleMeansTheOldSide) {  // B8
  auto rule = rule_of();
  EXPECT_EQ(count_in(rule, Controls{}), 0);
  EXPECT_EQ(count_in(rule, at_share(1, RolloutState::rolled_back)), 0);
  auto controls = at_share(1);
  EXPECT_EQ(count_in(rule, controls), 10'000);
  controls.fresh_until = kStart;
  EXPECT_EQ(count_in(rule, controls), 0);
  EXPECT_EQ(count_in(rule, controls, kStart - 1ms), 10'000);
  auto done = at_share(1, RolloutState::done);
  done.fresh_until = kStart;
  EXPECT_EQ(count_in(rule, done), 10'000);
  absorb(done, Stop{.subject = Subject::rollout, .name = "r", .stamp = {2, "b"}});
  // The home, not knowing, goes on to advance: the operator's word is above it.
  absorb(done, Share{.name = "r", .share = 1, .stamp = {9, "home"}});
  EXPECT_EQ(count_in(rule, done, kStart - 1ms), 0);
}

TEST(Lead, ComesFromTheRolloutOrTheExperimentUnlessTheModelMayNotServe) {
  LeadRules rules;
  rules.rollouts.push_back(rule_of());
  auto controls = at_share(1);
  RequestFacts facts{.feature = "recap", .unit = {.tenant = "acme"}};
  auto lead = lead_for(rules, controls, facts, "", kStart, kNoon);
  EXPECT_EQ(lead.model, "large");
  EXPECT_TRUE(lead.new_side);
  facts.feature = "other";
  EXPECT_EQ(lead_for(rules, controls, facts, "", kStart, kNoon).rollout, nullptr);
  facts.feature = "recap";
  controls.sign_offs.add(Checklist{"customer", {}, {"legal"}});
  EXPECT_EQ(lead_for(rules, controls, facts, "customer", kStart, kNoon).rollout, nullptr);
  absorb(controls, Stop{.subject = Subject::model, .name = "large", .stamp = {5, "a"}});
  EXPECT_EQ(lead_for(rules, controls, facts, "", kStart, kNoon).model, "");
}

TEST(Lead, ARolloutAndAnExperimentOfOneFeatureAreRefused) {
  Experiment x;
  x.name = "x";
  x.slice.percent = 10;
  x.arms = {{"a", "m", 0.5}, {"b", "", 0.5}};
  LeadRules rules;
  rules.experiments = ExperimentRules({x});
  EXPECT_FALSE(validate(rules));
  rules.rollouts.push_back(rule_of());
  EXPECT_TRUE(validate(rules)->find("both choose") != std::string::npos);
  x.predicate.features = {"other"};
  rules.experiments = ExperimentRules({x});
  EXPECT_FALSE(validate(rules));
  rules.rollouts.push_back(rule_of("r2"));
  EXPECT_TRUE(validate(rules)->find("two rollouts") != std::string::npos);
}

TEST(RolloutPolicy, UnsoundOnesAreRefused) {
  EXPECT_FALSE(validate(RolloutPolicy{}));
  for (auto change :
       {+[](RolloutPolicy& p) { p.stages = {}; }, +[](RolloutPolicy& p) { p.stages = {0.5}; },
        +[](RolloutPolicy& p) {
          p.stages = {0.5, 0.4, 1};
        },
        +[](RolloutPolicy& p) { p.samples_min = 29; }, +[](RolloutPolicy& p) { p.dwell = -1s; },
        +[](RolloutPolicy& p) { p.stage_time_max = 1s; }, +[](RolloutPolicy& p) { p.cost_ratio_max = 1; },
        +[](RolloutPolicy& p) { p.alpha = 0; }, +[](RolloutPolicy& p) { p.quality_margin = std::nan(""); }}) {
    RolloutPolicy policy;
    change(policy);
    EXPECT_TRUE(validate(policy));
  }
}

}  // namespace
}  // namespace troupe::policy
