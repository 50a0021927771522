// Two orders of a pair, what judging may cost, and what pairs add up to: a planted loss is seen, and twins
// are not told apart (L7, L8).
#include "runtime/policy/judge.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/policy/rollout.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

constexpr WallTime kJudgeNoon{1'700'000'000'000};
constexpr auto kFirst = PairVerdict::first, kSecond = PairVerdict::second, kTie = PairVerdict::tie;

TEST(PairOfVerdicts, AnAnswerWinsOnlyWhereverItStands) {
  EXPECT_EQ(preference_of({kFirst, kSecond}), -1) << "the old one, twice";
  EXPECT_EQ(preference_of({kSecond, kFirst}), 1);
  EXPECT_EQ(preference_of({kTie, kTie}), 0);
  for (auto verdicts : {BothOrders{kFirst, kFirst}, BothOrders{kSecond, kSecond}, BothOrders{kTie, kFirst},
                        BothOrders{kSecond, kTie}}) {
    EXPECT_EQ(preference_of(verdicts), 0);
    EXPECT_FALSE(agree(verdicts));
  }
  EXPECT_TRUE(agree({kTie, kTie}));
  EXPECT_TRUE(agree({kFirst, kSecond}));
}

TEST(JudgeTally, AJudgeOfPlacesIsSeenToBeOne) {
  JudgeTally tally;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(tally.add({kFirst, kFirst}), 0);
  EXPECT_EQ(tally.pairs, 50u);
  EXPECT_EQ(tally.ties, 50u);
  EXPECT_EQ(tally.agreement(), 0);
  EXPECT_EQ(tally.named_first, tally.named);
  tally.add_same();
  EXPECT_EQ(tally.agreement(), 0) << "nobody was asked about the same text";
  for (int i = 0; i < 50; ++i) tally.add({kSecond, kFirst});
  EXPECT_EQ(tally.agreement(), 0.5);
  EXPECT_EQ(tally.better, 50u);
  EXPECT_EQ(tally.pairs, tally.better + tally.worse + tally.ties);
}

TEST(JudgeMeter, StopsWhenTheDaysMoneyIsSpentAndGoesOnTheNextDay) {
  JudgeMeter meter({.share = 1, .usd_per_day = 1, .in_flight_max = 3});
  auto now = kJudgeNoon;
  EXPECT_EQ(meter.admit(now), JudgeAdmission::judge);
  EXPECT_EQ(meter.admit(now), JudgeAdmission::too_many) << "nobody knows yet what a pair costs";
  meter.ended(0.2, now);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(meter.admit(now), JudgeAdmission::judge);
  EXPECT_EQ(meter.admit(now), JudgeAdmission::too_many);
  for (int i = 0; i < 3; ++i) meter.ended(0.2, now);
  EXPECT_EQ(meter.spent_until(now).ms, 0);
  EXPECT_EQ(meter.admit(now), JudgeAdmission::judge);
  EXPECT_EQ(meter.admit(now), JudgeAdmission::over_budget) << "the one under way may cost as much";
  meter.ended(0.2, now);
  EXPECT_EQ(meter.admit(now), JudgeAdmission::over_budget);
  auto until = meter.spent_until(now);
  EXPECT_GT(until, now);
  EXPECT_EQ(until.ms % 86'400'000, 0);
  EXPECT_EQ(meter.admit(until), JudgeAdmission::judge);
  EXPECT_EQ(meter.spent(until), 0);
}

TEST(JudgePolicy, UnsoundOnesAreRefused) {
  EXPECT_FALSE(validate(JudgePolicy{}));
  EXPECT_FALSE(validate(JudgePolicy{.share = 1, .usd_per_day = 1}));
  EXPECT_TRUE(validate(JudgePolicy{.share = 1.5, .usd_per_day = 1}));
  EXPECT_TRUE(validate(JudgePolicy{.share = 0.1})) << "no budget";
  EXPECT_TRUE(validate(JudgePolicy{.share = 0.1, .usd_per_day = -1}));
  EXPECT_TRUE(validate(JudgePolicy{.share = 0.1, .usd_per_day = 1, .in_flight_max = 0}));
}

TEST(Moments, WhatCameSinceIsWhatWasAdded) {
  Rng rng(5);
  Moments all, before, later;
  for (int i = 0; i < 300; ++i) {
    double x = rng.normal();
    all.add(x);
    (i < 100 ? before : later).add(x);
  }
  auto since = all.since(before);
  EXPECT_EQ(since.n, 200);
  EXPECT_NEAR(since.mean, later.mean, 1e-12);
  EXPECT_NEAR(since.m2, later.m2, 1e-9);
  EXPECT_EQ(all.since({}).n, 300);
  EXPECT_EQ(all.since(all).n, 0);
  EXPECT_EQ(before.since(all).n, 100) << "it began anew";
}

// ---- what judged pairs do to a rollout ----

struct PairLaw {
  double better = 0.15, worse = 0.15;
};
double draw_preference(const PairLaw& law, Rng& rng) {
  double draw = rng.uniform();
  return draw < law.better ? 1 : draw < law.better + law.worse ? -1 : 0;
}
CallFigures plain_call(Rng& rng) {
  CallFigures call;
  call.ttft = call.total = call.usd = 1 + 0.1 * rng.uniform();
  return call;
}

// Judged pair by pair until somebody decides, at most so many.
RolloutStep judged(const RolloutPolicy& policy, const PairLaw& law, int pairs, std::uint64_t seed) {
  Rng rng(seed);
  StageFacts facts;
  facts.lasted = policy.dwell;
  for (int i = 0; i < 300; ++i) facts.old.add(plain_call(rng)), facts.fresh.add(plain_call(rng));
  for (int i = 0; i < pairs; ++i) {
    facts.fresh.preference.add(draw_preference(law, rng));
    auto step = judge_stage(policy, facts).step;
    if (step != RolloutStep::stay) return step;
  }
  return RolloutStep::stay;
}

TEST(JudgedRollout, APlantedLossIsRolledBackByPairsAlone) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(judged({}, {.better = 0.1, .worse = 0.3}, 2000, seed), RolloutStep::roll_back) << seed;
  RolloutPolicy off;
  off.gates = false;
  EXPECT_EQ(judged(off, {.better = 0.1, .worse = 0.3}, 2000, 1), RolloutStep::advance);
}

TEST(JudgedRollout, TwinsAreNotRolledBackThoughEachPairIsLookedAt) {
  int rolled_back = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    rolled_back += judged({}, {}, 1500, seed) == RolloutStep::roll_back;
  EXPECT_LE(rolled_back, 10) << "one in twenty";
}

TEST(JudgedRollout, TwinsPassOnceThereAreEnoughPairs) {
  int passed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    passed += judged({}, {}, 12'000, seed) == RolloutStep::advance;
  EXPECT_GE(passed, 18);
}

// Sixty ties are no proof of a loss below three in a hundred: a model that loses one pair in twenty shows as
// many every twentieth time.
TEST(JudgedRollout, AFewTiesProveNothing) {
  EXPECT_EQ(judged({}, {.better = 0, .worse = 0}, 60, 1), RolloutStep::stay);
  EXPECT_EQ(judged({}, {.better = 0, .worse = 0}, 1000, 1), RolloutStep::advance);
  EXPECT_EQ(judged({}, {.better = 0, .worse = 1}, 20, 1), RolloutStep::stay) << "too few for the bounds";
}

TEST(JudgedRollout, PairsDoNotStandInForCallsOfTheOldSide) {
  StageFacts facts;
  Rng rng(1);
  facts.lasted = std::chrono::hours(1);
  for (int i = 0; i < 300; ++i) facts.fresh.add(plain_call(rng));
  for (int i = 0; i < 1000; ++i) facts.fresh.preference.add(0);
  EXPECT_EQ(judge_stage({}, facts).step, RolloutStep::stay);
}

}  // namespace
}  // namespace troupe::policy
