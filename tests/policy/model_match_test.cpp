// Which model leads which feature, from judged answers (MECHANISMS D4).
#include "runtime/policy/model_match.hpp"
#include "runtime/base/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

struct Asked {
  std::string feature = "summary", model;
  std::size_t right = 0, of = 0;
  double usd = 0.001, seconds = 1;
};

// The first `right` of the questions get a score of 1.
void ask(std::vector<JudgedAnswer>& answers, const Asked& asked) {
  for (std::size_t i = 0; i < asked.of; ++i)
    answers.push_back({asked.feature, asked.model, "q" + std::to_string(i), i < asked.right ? 1.0 : 0.0,
                       asked.usd, asked.seconds});
}

std::vector<std::string> order(const FeatureMatch& feature) {
  std::vector<std::string> out;
  for (const auto& each : feature.models) out.push_back(each.model);
  return out;
}

std::vector<JudgedAnswer> two_features() {
  std::vector<JudgedAnswer> answers;
  ask(answers, {"summary", "flash", 90, 100, 0.001, 2});
  ask(answers, {"summary", "haiku", 60, 100, 0.004, 1});
  ask(answers, {"verse", "flash", 20, 100, 0.001, 2});
  ask(answers, {"verse", "haiku", 50, 100, 0.004, 1});
  return answers;
}

TEST(MatchModels, EachFeatureIsLedByTheModelThatIsBestAtIt) {
  auto found = match_models(two_features(), {}, {});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].feature, "summary");
  EXPECT_THAT(order(found[0]), ElementsAre("flash", "haiku"));
  EXPECT_EQ(found[0].better, 30u);
  EXPECT_EQ(found[0].worse, 0u);
  EXPECT_TRUE(found[0].lead_is_shown());
  EXPECT_THAT(order(found[1]), ElementsAre("haiku", "flash"));
  EXPECT_NEAR(found[0].models[0].quality.low, 0.8256, 5e-4) << "Wilson's for 90 of 100";
}

TEST(MatchModels, WhoBreaksALimitMayNotLeadAndIsToldWhy) {
  auto leader = [](const MatchLimits& limits, const ContextWindows& windows) {
    return match_models(two_features(), limits, windows)[1].models;
  };
  EXPECT_THAT(leader({.usd_max = 0.003}, {}),
              ElementsAre(Field(&ModelMatch::unfit, ""), Field(&ModelMatch::unfit, "too dear")));
  EXPECT_EQ(leader({.seconds_max = 1.5}, {})[1].unfit, "too slow");
  EXPECT_EQ(leader({.tokens = 100'000}, {{"haiku", 8192}, {"flash", 1'000'000}})[1].unfit,
            "holds 8192 tokens");
  auto nobody = match_models(two_features(), {.usd_max = 1e-9}, {});
  EXPECT_FALSE(nobody[0].has_leader());
}

TEST(MatchModels, WhatNobodyMeasuredPassesNoLimit) {
  std::vector<JudgedAnswer> answers{{"summary", "flash", "q", 1, std::nullopt, std::nullopt}};
  EXPECT_EQ(match_models(answers, {.usd_max = 1}, {})[0].models[0].unfit, "price not known");
  EXPECT_EQ(match_models(answers, {.seconds_max = 1}, {})[0].models[0].unfit, "latency not known");
  EXPECT_TRUE(match_models(answers, {}, {})[0].has_leader());
}

TEST(MatchModels, AmongEqualsTheCheaperLeads) {
  std::vector<JudgedAnswer> answers;
  ask(answers, {"summary", "dear", 805, 1000, 0.009});
  ask(answers, {"summary", "cheap", 800, 1000, 0.001});
  EXPECT_THAT(order(match_models(answers, {}, {})[0]), ElementsAre("cheap", "dear"));
  EXPECT_THAT(order(match_models(answers, {.quality_margin = 0}, {})[0]), ElementsAre("dear", "cheap"));
}

TEST(MatchModels, AFewLuckyAnswersDoNotBeatManyGoodOnes) {  // E1
  std::vector<JudgedAnswer> answers;
  ask(answers, {"summary", "known", 85, 100});
  ask(answers, {"summary", "lucky", 4, 4});
  EXPECT_THAT(order(match_models(answers, {}, {})[0]), ElementsAre("known", "lucky"));
}

TEST(MatchModels, EqualsAreRarelySaidToDiffer) {
  Rng rng(7);
  std::size_t shown = 0;
  constexpr std::size_t trials = 400;
  for (std::size_t t = 0; t < trials; ++t) {
    std::vector<JudgedAnswer> answers;
    for (const char* model : {"a", "b"})
      for (int q = 0; q < 60; ++q)
        answers.push_back({"f", model, std::to_string(q), rng.uniform() < 0.6 ? 1.0 : 0.0, 0.001, 1.0});
    shown += match_models(answers, {}, {})[0].lead_is_shown();
  }
  EXPECT_LE(shown, trials * 7 / 100) << "5 % and three standard deviations";
  EXPECT_GT(shown, 0u) << "a test that finds nothing ever would pass as well";
}

TEST(SignTest, IsTheBinomialsTails) {
  EXPECT_DOUBLE_EQ(sign_test(0, 0), 1);
  EXPECT_NEAR(sign_test(5, 0), 0.0625, 1e-12);
  EXPECT_NEAR(sign_test(8, 2), 0.109375, 1e-12);
  EXPECT_NEAR(sign_test(2, 8), 0.109375, 1e-12);
  EXPECT_LT(sign_test(700, 300), 1e-30);
}

}  // namespace
}  // namespace troupe::policy
