// Synthetic users who speak up the more, the more they are annoyed: asking some at random finds the truth,
// listening to those who speak does not (MECHANISMS K8).
#include "runtime/policy/satisfaction.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>

namespace troupe::policy {
namespace {

/// Users of one surface: how many are content, who of them speaks unasked, and how often we ask.
struct Stratum {
  double content, content_speak, annoyed_speak, asked;
  std::size_t answers;
};
// The surface with most complaints is asked least, so that forgetting the weights shows.
constexpr std::array<Stratum, 3> kStrata{
    {{0.90, 0.02, 0.30, 0.20, 2000}, {0.70, 0.05, 0.25, 0.10, 1500}, {0.40, 0.01, 0.40, 0.05, 2500}}};

struct Population {
  std::vector<RatedAnswer> answers;
  double truth = 0;
};

/// `asked_answer`: the chance that one who was asked answers.
Population populate(Rng& rng, double asked_answer = 1) {
  Population all;
  for (const auto& stratum : kStrata)
    for (std::size_t i = 0; i < stratum.answers; ++i) {
      bool content = rng.uniform() < stratum.content;
      bool asked = rng.uniform() < stratum.asked;
      bool speaks = rng.uniform() < (content ? stratum.content_speak : stratum.annoyed_speak);
      bool answers_us = asked && rng.uniform() < asked_answer;
      all.answers.push_back({content ? 1.0 : 0.0, speaks || answers_us, asked ? stratum.asked : 0});
      all.truth += content;
    }
  all.truth /= static_cast<double>(all.answers.size());
  return all;
}

std::vector<RatedAnswer> drawn_of(const Population& all) {
  std::vector<RatedAnswer> drawn;
  for (const auto& each : all.answers)
    if (each.asked_share > 0) drawn.push_back(each);
  return drawn;
}

/// What an estimator does over 1,000 populations.
struct Trial {
  double bias = 0, standard_error_of_bias = 0, coverage = 0;
  bool unbiased() const { return std::abs(bias) <= 3 * standard_error_of_bias; }
  bool covers() const { return coverage >= 0.93 && coverage <= 0.97; }
};

Trial try_out(const std::function<MeanEstimate(const Population&)>& estimator) {
  constexpr int rounds = 1000;
  double sum = 0, squares = 0, covered = 0;
  for (int round = 0; round < rounds; ++round) {
    Rng rng(static_cast<std::uint64_t>(round) * 7919 + 1);
    auto all = populate(rng);
    auto found = estimator(all);
    double off = found.mean - all.truth;
    sum += off;
    squares += off * off;
    covered += found.low <= all.truth && all.truth <= found.high;
  }
  double bias = sum / rounds;
  return {bias, std::sqrt((squares / rounds - bias * bias) / rounds), covered / rounds};
}

MeanEstimate weighed(const Population& all) { return hajek(drawn_of(all)); }

TEST(Satisfaction, AskingAtRandomFindsTheTruth) {
  auto trial = try_out(weighed);
  EXPECT_TRUE(trial.unbiased()) << trial.bias << " +- " << trial.standard_error_of_bias;
  EXPECT_TRUE(trial.covers()) << trial.coverage;
  RecordProperty("bias", std::to_string(trial.bias));
  RecordProperty("coverage", std::to_string(trial.coverage));
}

TEST(Satisfaction, HorvitzThompsonFindsTheTruthToo) {
  auto trial =
      try_out([](const Population& all) { return horvitz_thompson(drawn_of(all), all.answers.size()); });
  EXPECT_TRUE(trial.unbiased()) << trial.bias << " +- " << trial.standard_error_of_bias;
  EXPECT_TRUE(trial.covers()) << trial.coverage;
  RecordProperty("bias", std::to_string(trial.bias));
  RecordProperty("coverage", std::to_string(trial.coverage));
}

TEST(Satisfaction, WhoSpeaksUnaskedIsNotEveryone) {
  auto naive = try_out([](const Population& all) { return satisfaction(all.answers).spoken; });
  EXPECT_LT(naive.bias, -0.2) << "the annoyed speak";
  EXPECT_LT(naive.coverage, 0.01) << "and their interval is narrow around the wrong figure";
  RecordProperty("bias", std::to_string(naive.bias));
}

TEST(Satisfaction, WithoutTheWeightsAskingIsWrongAsWell) {
  auto unweighed = try_out([](const Population& all) {
    auto drawn = drawn_of(all);
    for (auto& each : drawn) each.asked_share = 0.1;
    return hajek(drawn);
  });
  EXPECT_GT(unweighed.bias, 0.05) << "the contented surface was asked more";
  EXPECT_FALSE(unweighed.unbiased());
  EXPECT_LT(unweighed.coverage, 0.5);
}

TEST(Satisfaction, TheReportSaysWhenNobodyWasAsked) {
  std::vector<RatedAnswer> answers(100);
  for (std::size_t i = 0; i < 10; ++i) answers[i] = {i < 4 ? 1.0 : 0.0, true, 0};
  auto report = satisfaction(answers);
  EXPECT_EQ(report.basis, Basis::volunteers);
  EXPECT_EQ(report.rated, 10u);
  EXPECT_DOUBLE_EQ(report.spoken.mean, 0.4);
  EXPECT_EQ(report.low, 0) << "of everyone nothing is known";
  EXPECT_EQ(report.high, 1);
}

TEST(Satisfaction, SilenceOfThoseAskedWidensWhatMayBeTrue) {
  int inside = 0;
  double width = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    auto all = populate(rng, 0.6);
    auto report = satisfaction(all.answers);
    ASSERT_EQ(report.basis, Basis::partly_answered);
    inside += report.low <= all.truth && all.truth <= report.high;
    width += (report.high - report.low) / 200;
  }
  EXPECT_EQ(inside, 200) << "the bounds hold whoever kept silent";
  EXPECT_GT(width, 0.3);
}

TEST(Satisfaction, EveryoneAskedIsNoSampleAndOneOpinionIsNoCertainty) {
  std::vector<RatedAnswer> everyone{{1, true, 1}, {0, true, 1}, {1, true, 1}, {1, true, 1}};
  auto census = hajek(everyone);
  EXPECT_DOUBLE_EQ(census.low, 0.75);
  EXPECT_DOUBLE_EQ(census.high, 0.75);
  std::vector<RatedAnswer> alike(8, {1, true, 0.1});
  EXPECT_LT(hajek(alike).low, 0.7) << "eight contented of many are not all";
  EXPECT_EQ(hajek({}).high, 1);
  EXPECT_EQ(horvitz_thompson({}, 0).mean, 0);
}

}  // namespace
}  // namespace troupe::policy
