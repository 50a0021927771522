// How hard a text looks, learning it from judged answers, and what choosing by it is worth (E1, D5).
#include "runtime/policy/difficulty_fit.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::policy {
namespace {

double figure(std::string_view text, std::string_view name) {
  auto place = std::ranges::find(text_figure_names, name) - text_figure_names.begin();
  return text_figures(text)[static_cast<std::size_t>(place)];
}
long count(std::string_view text, std::string_view name) {
  return std::lround(std::expm1(figure(text, name)));
}

TEST(TextFigures, CountWhatTheyAreNamedFor) {
  const char* text = "Anna's 3 boxes cost $1,250.50! Half, or 1/4, of twelve are Ben's.";
  EXPECT_EQ(count(text, "words"), 9);
  EXPECT_EQ(count(text, "sentences"), 2);
  EXPECT_EQ(count(text, "numbers"), 4);
  EXPECT_NEAR(figure(text, "magnitude"), std::log10(1251.5), 1e-9);
  EXPECT_EQ(count(text, "number_words"), 2);
  EXPECT_EQ(count(text, "fractions"), 2);
  EXPECT_EQ(count(text, "commas"), 2);
  EXPECT_EQ(count(text, "capitals"), 3);
  EXPECT_NEAR(figure("a b A c", "variety"), 0.75, 1e-9);
}

TEST(TextFigures, TakeAnyBytesAndOnlySoMany) {
  Rng rng(1);
  std::string noise;
  for (int i = 0; i < 5000; ++i) noise += static_cast<char>(rng.below(256));
  for (std::size_t end = 0; end < noise.size(); end += 97)
    for (double each : text_figures(std::string_view(noise).substr(0, end))) EXPECT_TRUE(std::isfinite(each));
  for (double each : text_figures("")) EXPECT_TRUE(std::isfinite(each));
  EXPECT_TRUE(std::isfinite(figure(std::string(1000, '9'), "magnitude")));
  std::string longest(difficulty_text_max, ',');
  EXPECT_EQ(text_figures(longest), text_figures(longest + " and more"));
  EXPECT_NE(text_figures(longest), text_figures(longest.substr(1)));
}

/// Texts of 5 to 60 words; the longer, the likelier the weak model fails.
std::vector<std::string> made_texts(std::size_t n) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < n; ++i) {
    std::string text;
    for (std::size_t k = 0; k < 5 + i % 56; ++k) text += "word ";
    out.push_back(text + std::to_string(i % 10));
  }
  return out;
}
std::vector<JudgedText> judged_texts(const std::vector<std::string>& texts, bool linked) {
  Rng rng(7);
  std::vector<JudgedText> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    double fails = linked ? static_cast<double>(i % 56) / 56 : 0.5;
    out.push_back({texts[i], rng.uniform() >= fails, rng.uniform() < 0.9});
  }
  return out;
}
std::vector<JudgedChoice> judged_choices(const DifficultyModel& model, std::span<const JudgedText> texts) {
  std::vector<JudgedChoice> out;
  for (const auto& each : texts)
    out.push_back({difficulty_of(model, each.text), each.weak_right, each.strong_right});
  return out;
}

TEST(Difficulty, IsLearnedWhereThereIsSomethingToLearnAndNotOtherwise) {
  auto texts = made_texts(2000);
  for (bool linked : {true, false}) {
    auto all = judged_texts(texts, linked);
    auto model = fit_difficulty(std::span(all).first(1000), 10);
    ASSERT_TRUE(model);
    ChoiceCurve curve(judged_choices(*model, std::span(all).subspan(1000)));
    if (linked)
      EXPECT_GT(curve.area(), 0.62);
    else
      EXPECT_NEAR(curve.area(), 0.5, 0.06);  // the mechanism has nothing to go by: no better than dice
  }
}

TEST(Difficulty, SendsTheAskedShareOfTextsLikeThoseOfTheTraining) {
  auto texts = made_texts(2000);
  auto all = judged_texts(texts, true);
  auto model = fit_difficulty(std::span(all).first(1000), 10);
  ASSERT_TRUE(model);
  auto share_at = [&](double wanted) {
    auto threshold = difficulty_threshold(*model, wanted);
    auto hard = std::ranges::count_if(
        texts, [&](const std::string& text) { return difficulty_of(*model, text) >= threshold; });
    return static_cast<double>(hard) / static_cast<double>(texts.size());
  };
  EXPECT_EQ(share_at(0), 0);
  EXPECT_EQ(share_at(1), 1);
  for (double wanted : {0.1, 0.25, 0.5, 0.9}) EXPECT_NEAR(share_at(wanted), wanted, 0.03);
}

TEST(Difficulty, NeedsTextsOfBothKinds) {
  auto texts = made_texts(200);
  auto all = judged_texts(texts, true);
  EXPECT_FALSE(fit_difficulty(std::span(all).first(99), 1));
  for (auto& each : all) each.weak_right = true;
  EXPECT_FALSE(fit_difficulty(all, 1));
}

DifficultyModel small_model() {
  auto texts = made_texts(200);
  return *fit_difficulty(judged_texts(texts, true), 10);
}

TEST(DifficultyFile, HoldsTheModelExactly) {
  auto model = small_model();
  auto text = to_text(model);
  auto read = parse_difficulty(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(difficulty_of(*read, "How many are left?"), difficulty_of(model, "How many are left?"));
}

TEST(DifficultyFile, IsRefusedWithItsLineWhenItIsNotWhole) {
  auto text = to_text(small_model());
  // The last line's digits may be fewer and still a number; every other prefix lacks something.
  for (std::size_t end = 0; end < text.rfind("quantile"); ++end)
    EXPECT_FALSE(parse_difficulty(text.substr(0, end)));
  auto changed = [&](std::string_view from, std::string_view to) {
    auto copy = text;
    copy.replace(copy.find(from), from.size(), to);
    auto read = parse_difficulty(copy);
    return read ? std::string("no error") : read.error().what;
  };
  EXPECT_NE(changed("difficulty 1", "difficulty 2").find("line 1"), std::string::npos);
  EXPECT_NE(changed("intercept ", "intercept nan ").find("line 2"), std::string::npos);
  EXPECT_NE(changed("words ", "words 1 0 ").find("line 3"), std::string::npos);
  EXPECT_NE(changed("quantile ", "quantile 7").find("ascending"), std::string::npos);
  EXPECT_NE(changed("commas", "comas").find("commas MEAN DEVIATION WEIGHT"), std::string::npos);
  EXPECT_FALSE(parse_difficulty(text + "more\n"));
  EXPECT_FALSE(parse_difficulty(std::string(difficulty_file_max + 1, ' ')));
}

TEST(ChoiceCurve, IsTheRandomMixWhenAllLookAlikeAndTheOracleWhenItKnows) {
  std::vector<JudgedChoice> blind, seeing;
  for (int i = 0; i < 100; ++i) {
    bool weak = i % 2 == 0, strong = i % 10 != 0;  // 10 weak alone, 50 strong alone
    blind.push_back({0.5, weak, strong});
    seeing.push_back({strong && !weak ? 1.0 : (weak && !strong ? 0.0 : 0.5), weak, strong});
  }
  ChoiceCurve mix(blind), oracle(seeing);
  for (double share : {0.0, 0.1, 0.5, 1.0}) {
    EXPECT_NEAR(mix.recovered(share), share, 1e-9);
  }
  for (double share : {0.0, 0.1, 0.5, 0.9})
    EXPECT_NEAR(oracle.recovered(share), oracle_recovered(seeing, share), 1e-9);
  EXPECT_NEAR(mix.area(), 0.5, 1e-9);
  EXPECT_NEAR(mix.share_for(0.5), 0.5, 1e-9);
  EXPECT_NEAR(oracle.share_for(0.5), 0.2, 1e-9);
  EXPECT_NEAR(oracle.recovered(0.5), 1.25, 1e-9);
}

TEST(ChoiceCurve, HasIntervalsThatCoverTheTruthAndDependOnTheSeedAlone) {
  auto area = [](const ChoiceCurve& curve, double) { return curve.area(); };
  int covered = 0;
  constexpr int worlds = 40;
  for (int world = 0; world < worlds; ++world) {
    Rng rng(static_cast<std::uint64_t>(world) + 1);
    std::vector<JudgedChoice> choices;
    for (int i = 0; i < 400; ++i)
      choices.push_back({rng.uniform(), rng.uniform() < 0.6, rng.uniform() < 0.85});
    ChoiceCurve curve(choices);
    auto interval = bootstrap_choice(curve, area, 0, {400, 1});
    covered += interval.low <= 0.5 && 0.5 <= interval.high ? 1 : 0;
    if (world > 0) continue;
    EXPECT_EQ(interval.low, bootstrap_choice(curve, area, 0, {400, 1}).low);
  }
  EXPECT_GE(covered, 34);
}

TEST(ChoiceCurve, IsComparedOnTheSameRequests) {
  auto area = [](const ChoiceCurve& curve, double) { return curve.area(); };
  Rng rng(3);
  std::vector<JudgedChoice> choices, blurred;
  for (int i = 0; i < 400; ++i) {
    bool weak = rng.uniform() < 0.6;
    choices.push_back({weak ? rng.uniform() : rng.uniform() + 0.2, weak, rng.uniform() < 0.85});
    blurred.push_back(choices.back());
    blurred.back().difficulty += 1e-6 * rng.uniform();
  }
  ChoiceCurve a(choices), b(blurred);
  auto apart = bootstrap_choice(a, area, 0, {400, 1});
  auto difference = bootstrap_difference(a, b, area, 0, {400, 1});
  // Nearly the same choices differ by nearly nothing, though each alone is known only roughly.
  EXPECT_LT(difference.high - difference.low, 0.01 * (apart.high - apart.low));
  EXPECT_EQ(bootstrap_difference(a, a, area, 0, {50, 1}).high, 0);
}

TEST(ChoiceCurve, SaysSoWhenThereIsNoGap) {
  std::vector<JudgedChoice> equal(10, {0.5, true, true});
  ChoiceCurve curve(equal);
  EXPECT_FALSE(curve.resample({}));
  auto interval = bootstrap_choice(curve, [](const ChoiceCurve& c, double) { return c.area(); }, 0, {10, 1});
  EXPECT_LE(interval.low, interval.high);
}

}  // namespace
}  // namespace troupe::policy
