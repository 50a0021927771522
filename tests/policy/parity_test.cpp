// Twins are found equal, and a model that is a little slower or a little worse is not (B6).
#include "runtime/policy/parity.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

struct TwinLaw {
  double slower = 1, quality = 0.8, error = 0.005;
};

// Both answer the same request: half of what makes one slow or hard is the request's own.
std::vector<ParityPair> draw_pairs(const TwinLaw& law, std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<ParityPair> out(count);
  for (auto& pair : out) {
    double size = rng.normal(), ease = rng.uniform();
    auto answer = [&](ParitySide& side, double slower, double quality, double error) {
      if (rng.uniform() < error) side.error = Errc::transient_server;
      side.ttft = slower * std::exp(0.15 * size + 0.15 * rng.normal());
      side.total = 4 * slower * std::exp(0.2 * size + 0.15 * rng.normal());
      side.output_tokens = static_cast<std::uint64_t>(200 * std::exp(0.5 * size + 0.1 * rng.normal()));
      side.quality = (rng.uniform() < 0.7 ? ease : rng.uniform()) < quality ? 1 : 0;
    };
    answer(pair.old, 1, 0.8, 0.005);
    answer(pair.fresh, law.slower, law.quality, law.error);
  }
  return out;
}
constexpr std::size_t kPairs = 10'000;

int count_equal(const TwinLaw& law, int seeds) {
  int equal = 0;
  for (int seed = 1; seed <= seeds; ++seed)
    equal += compare(draw_pairs(law, kPairs, static_cast<std::uint64_t>(seed)), {}).verdict == Parity::equal;
  return equal;
}

TEST(ParityReport, FindsIdenticalTwinsEqualInNineteenOfTwenty) { EXPECT_GE(count_equal({}, 100), 95); }

TEST(ParityReport, NeverCallsFivePercentSlowerEqual) { EXPECT_LE(count_equal({.slower = 1.05}, 40), 0); }

TEST(ParityReport, NeverCallsThreePointsWorseEqual) { EXPECT_LE(count_equal({.quality = 0.77}, 40), 0); }

TEST(ParityReport, NeverCallsTwoMorePercentOfErrorsEqual) { EXPECT_LE(count_equal({.error = 0.025}, 20), 0); }

const ParityLine* line_of(const ParityReport& report, const std::string& what) {
  for (const auto& line : report.lines)
    if (line.what == what) return &line;
  return nullptr;
}

TEST(ParityReport, NamesWhatDiffersAndByHowMuch) {
  auto report = compare(draw_pairs({.quality = 0.7}, kPairs, 1), {});
  EXPECT_EQ(report.verdict, Parity::different);
  const auto* quality = line_of(report, "quality");
  ASSERT_NE(quality, nullptr);
  EXPECT_EQ(quality->verdict, Parity::different);
  EXPECT_LT(quality->low, -0.1);
  EXPECT_GT(quality->high, -0.12);
  EXPECT_EQ(line_of(report, "ttft p50, logarithm of the ratio")->verdict, Parity::equal);
  EXPECT_NE(line_of(report, "errors: transient_server"), nullptr);
}

// What a test for difference would get wrong: twenty pairs differ significantly in nothing.
TEST(ParityReport, TooFewPairsAreNotEqualButUnproven) {
  auto report = compare(draw_pairs({.slower = 1.05, .quality = 0.77}, 20, 1), {});
  EXPECT_EQ(report.verdict, Parity::unproven);
  for (const auto& line : report.lines) EXPECT_NE(line.verdict, Parity::different) << line.what;
  EXPECT_EQ(compare({}, {}).verdict, Parity::unproven);
}

TEST(ParityReport, TheMixOfErrorsCountsEvenIfTheirSumIsTheSame) {
  auto pairs = draw_pairs({.error = 0}, kPairs, 1);
  Rng rng(9);
  for (auto& pair : pairs) {
    pair.old.error.reset();
    if (rng.uniform() > 0.05) continue;
    pair.old.error = Errc::rate_limited;
    pair.fresh.error = Errc::content_filtered;
  }
  auto report = compare(pairs, {});
  EXPECT_EQ(line_of(report, "errors")->verdict, Parity::equal);
  EXPECT_EQ(line_of(report, "errors: content_filtered")->verdict, Parity::different);
  EXPECT_EQ(report.verdict, Parity::different);
}

TEST(ParityReport, WithoutJudgesThereIsNoQualityLine) {
  auto pairs = draw_pairs({}, 100, 1);
  for (auto& pair : pairs) pair.fresh.quality.reset();
  EXPECT_EQ(line_of(compare(pairs, {}), "quality"), nullptr);
}

// As a judge of pairs has it: won, lost or neither.
Parity judged_quality(double better, double worse, std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<ParityPair> pairs(count);
  for (auto& pair : pairs) {
    double draw = rng.uniform();
    pair.fresh.quality = draw < better ? 1 : draw < better + worse ? 0 : 0.5;
    pair.old.quality = 1 - *pair.fresh.quality;
  }
  return line_of(compare(pairs, {}), "quality")->verdict;
}

TEST(ParityReport, FindsTwinsEqualOrUndecidedByTheirJudgeInNineteenOfTwenty) {
  int equal = 0, different = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    different += judged_quality(0.15, 0.15, 1000, seed) == Parity::different;
    equal += judged_quality(0.15, 0.15, 20'000, seed) == Parity::equal;
  }
  EXPECT_LE(different, 5);
  EXPECT_GE(equal, 95);
}

TEST(ParityReport, NeverCallsThreeMoreLostThanWonInAHundredEqual) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    EXPECT_NE(judged_quality(0.1, 0.13, 10'000, seed), Parity::equal) << seed;
  EXPECT_EQ(judged_quality(0.1, 0.3, 1000, 1), Parity::different);
}

// Whatever may differ by chance, it is one report.
TEST(ParityReport, NamesNothingThatDiffersOfTwinsOfFewPairs) {
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    different += compare(draw_pairs({}, 300, seed), {}).verdict == Parity::different;
  EXPECT_LE(different, 5);
}

TEST(NormalQuantile, AgreesWithTheTables) {
  EXPECT_NEAR(normal_quantile(0.95), 1.6448536269514722, 1e-8);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-9);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-8);
  EXPECT_NEAR(normal_quantile(0.999), 3.090232306167813, 1e-8);
}

TEST(ParityPolicy, UnsoundOnesAreRefused) {
  EXPECT_FALSE(validate(ParityPolicy{}));
  EXPECT_TRUE(validate(ParityPolicy{.latency_margin = 0}));
  EXPECT_TRUE(validate(ParityPolicy{.quality_margin = 1}));
  EXPECT_TRUE(validate(ParityPolicy{.alpha = 0.5}));
}

}  // namespace
}  // namespace troupe::policy
