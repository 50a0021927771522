// The extractive pre-pass: its budget, its choice, and what it knows of its loss.
#include "agents/summary/prepass.hpp"
#include "agents/summary/salience.hpp"
#include "tests/agents/summary_support.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace troupe::summary {
namespace {

using ::testing::ElementsAre;

// Small talk with one subject told at the beginning, in the middle and at the end.
std::vector<Line> meeting() {
  std::vector<Line> out;
  for (int i = 0; i < 300; ++i) {
    std::string text = fmt::format("um yeah okay so number{} right.", i);
    if (i % 100 == 50) text = fmt::format("The remote control shall cost {} euro and its battery lasts.", i);
    out.push_back({.id = fmt::format("{}", i), .who = "ann", .text = text});
  }
  return out;
}

std::size_t cost_of(const Prepass& cut) {
  std::size_t sum = 0;
  for (const auto& kept : cut.kept) sum += line_cost({.text = kept.text});
  return sum;
}

TEST(Prepass, LeavesWhatFitsAsItIs) {
  auto lines = summary_test::chat(10).lines;
  auto cut = prepass(lines, "", {.tokens_max = 10'000});
  ASSERT_EQ(cut.kept.size(), 10u);
  EXPECT_EQ(cut.kept[3].text, lines[3].text);
  EXPECT_EQ(cut.tokens, cut.tokens_before);
  EXPECT_EQ(cut.coverage, 1);
}

TEST(Prepass, KeepsToItsBudgetWhateverIsChosen) {
  auto lines = summary_test::chat(300).lines;
  for (auto& line : lines) line.text += ". And a second sentence on it! And a third one?";
  for (auto choice :
       {PrepassPolicy::Choice::central, PrepassPolicy::Choice::lead, PrepassPolicy::Choice::random}) {
    for (std::size_t budget : {0u, 13u, 100u, 1000u, 5000u}) {
      auto cut = prepass(lines, "release", {.choice = choice, .tokens_max = budget});
      EXPECT_LE(cost_of(cut), budget);
      EXPECT_LE(cost_of(cut), cut.tokens);
      EXPECT_TRUE(std::ranges::is_sorted(cut.kept, {}, &KeptLine::line));
      if (budget >= 1000) {
        EXPECT_GT(cost_of(cut), budget / 2);
      }
    }
  }
}

TEST(Prepass, KeepsWhatIsSaidFromBeginningToEndWhereLeadKeepsTheBeginning) {
  auto lines = meeting();
  auto held = [&](PrepassPolicy::Choice choice) {
    auto cut = prepass(lines, "", {.choice = choice, .tokens_max = 400});
    std::vector<std::size_t> out;
    for (const auto& kept : cut.kept)
      if (kept.text.find("remote control") != std::string::npos) out.push_back(kept.line);
    return out;
  };
  EXPECT_THAT(held(PrepassPolicy::Choice::central), ElementsAre(50, 150, 250));
  EXPECT_TRUE(held(PrepassPolicy::Choice::lead).empty());
}

TEST(Prepass, AQuestionDrawsItToWhatSharesItsWords) {
  auto lines = meeting();
  lines[77].text = "Penguins walk on the ice.";
  auto kept = [&](std::string_view query) {
    auto cut = prepass(lines, query, {.tokens_max = 60, .spread_share = 0});
    return std::ranges::any_of(cut.kept, [](const KeptLine& line) { return line.line == 77; });
  };
  EXPECT_TRUE(kept("What do penguins do on the ice?"));
  EXPECT_FALSE(kept("What does the remote control cost?"));
}

TEST(Prepass, ALineLosesItsSentencesOneByOne) {
  std::vector<Line> lines = {{.id = "a",
                              .text = "Um. Right, so, well, okay then, let us see now. The battery of the "
                                      "remote lasts a year. Yeah. The remote costs ten euro "
                                      "with its battery. Okay."}};
  auto cut = prepass(lines, "", {.tokens_max = 40, .spread_share = 0});
  ASSERT_EQ(cut.kept.size(), 1u);
  EXPECT_EQ(cut.kept[0].text,
            "… The battery of the remote lasts a year. … The remote costs ten euro with its battery. ");
}

TEST(Prepass, CoverageFallsWithTheBudget) {
  auto lines = summary_test::chat(300).lines;
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].text += fmt::format(" subject{}", i);
  double before = 1.1;
  for (std::size_t budget : {20'000u, 3000u, 800u, 100u}) {
    auto cut = prepass(lines, "", {.tokens_max = budget});
    EXPECT_LT(cut.coverage, before);
    before = cut.coverage;
  }
}

TEST(Prepass, SentencesAddUpToTheText) {
  std::string_view text = "One. Two? 3.5 is no end\nThree! Four...";
  std::string joined;
  for (auto sentence : sentences_in(text)) joined += sentence;
  EXPECT_EQ(joined, text);
  EXPECT_EQ(sentences_in(text).size(), 5u);
  EXPECT_LE(sentences_in(std::string(50'000, '\n')).size(), 4000u);
  EXPECT_TRUE(sentences_in("").empty());
}

// The walk through the words is the walk over the graph of cosines: done here the long way.
TEST(Salience, IsLexRankOverAllPairs) {
  std::vector<std::vector<std::string>> pieces;
  for (const auto* text : {"remote control battery", "battery lasts year", "remote costs euro battery",
                           "penguins walk", "control remote design", ""})
    pieces.push_back(meaning_words(text));
  Salience salience(pieces, {});
  auto n = pieces.size();
  std::vector<std::vector<double>> cosine(n, std::vector<double>(n, 0));
  std::vector<double> degree(n, 0), rank(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (const auto& [word, weight] : salience.vector(i))
        for (const auto& [other, more] : salience.vector(j))
          cosine[i][j] += word == other ? weight * more : 0;
      if (i != j) degree[i] += cosine[i][j];
    }
  }
  for (int step = 0; step < 30; ++step) {
    std::vector<double> next(n, 0.15);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (i != j && degree[j] > 1e-9) next[i] += 0.85 * rank[j] * cosine[j][i] / degree[j];
    rank = next;
  }
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(salience.rank()[i], rank[i], 1e-3) << i;
  EXPECT_GT(salience.rank()[2], salience.rank()[3]);
}

}  // namespace
}  // namespace troupe::summary
