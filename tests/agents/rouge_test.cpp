// ROUGE and the Porter stemmer against published figures, and what an interval over groups must do.
#include "agents/evaluation/rouge.hpp"
#include "agents/evaluation/bootstrap.hpp"
#include "agents/evaluation/porter.hpp"
#include "runtime/json/json.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace troupe::evaluation {
namespace {

void expect_score(const RougeScore& score, double precision, double recall, double f1) {
  EXPECT_NEAR(score.precision, precision, 5e-5);
  EXPECT_NEAR(score.recall, recall, 5e-5);
  EXPECT_NEAR(score.f1, f1, 5e-5);
}

void expect_score(const RougeScore& score, const Json& wanted) {
  expect_score(score, get_double(wanted, "p"), get_double(wanted, "r"), get_double(wanted, "f"));
}

// The unit cases of Google's scorer, EVALUATION 4.3.
TEST(Rouge, CountsWhatBothSidesShare) {
  expect_score(rouge_n("testing one two", "testing", 1), 1, 1.0 / 3, 0.5);
  expect_score(rouge_n("testing one two", "testing one", 2), 1, 0.5, 2.0 / 3);
  expect_score(rouge_l("testing one two", "testing one", false), 1, 2.0 / 3, 0.8);
  expect_score(rouge_l("testing one two", "testing two", false), 1, 2.0 / 3, 0.8);
  expect_score(rouge_lsum("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"), 0.4, 0.8, 8.0 / 15);
}

TEST(Rouge, OfNothingIsZero) {
  for (std::size_t n : {1u, 2u}) expect_score(rouge_n("testing one two", "", n), 0, 0, 0);
  expect_score(rouge_l("", "testing"), 0, 0, 0);
  expect_score(rouge_lsum("testing", " \n ... "), 0, 0, 0);
  expect_score(rouge_n("one", "one", 2), 0, 0, 0);
  expect_score(rouge_n("one", "one", 0), 0, 0, 0);
}

TEST(Rouge, AWordSaidTwiceCountsOnceWhereTheOtherSideHasItOnce) {
  expect_score(rouge_n("the cat", "the the the", 1), 1.0 / 3, 0.5, 0.4);
}

TEST(Rouge, TokensAreLowerCaseAsciiAndStemmedFromFourLettersOn) {
  EXPECT_EQ(rouge_tokens("Caf\xc3\xa9, RUNNING dies-2x", false),
            (std::vector<std::string>{"caf", "running", "dies", "2x"}));
  EXPECT_EQ(rouge_tokens("Running dies was", true), (std::vector<std::string>{"run", "die", "was"}));
}

// Porter's own examples, one or two a step, and the words NLTK treats apart.
TEST(Porter, FollowsItsSteps) {
  const std::pair<const char*, const char*> pairs[] = {{"caresses", "caress"},
                                                       {"ponies", "poni"},
                                                       {"ties", "tie"},
                                                       {"cats", "cat"},
                                                       {"feed", "feed"},
                                                       {"agreed", "agre"},
                                                       {"plastered", "plaster"},
                                                       {"bled", "bled"},
                                                       {"motoring", "motor"},
                                                       {"sing", "sing"},
                                                       {"conflated", "conflat"},
                                                       {"hopping", "hop"},
                                                       {"falling", "fall"},
                                                       {"failing", "fail"},
                                                       {"filing", "file"},
                                                       {"happy", "happi"},
                                                       {"sky", "sky"},
                                                       {"relational", "relat"},
                                                       {"conditional", "condit"},
                                                       {"digitizer", "digit"},
                                                       {"vietnamization", "vietnam"},
                                                       {"triplicate", "triplic"},
                                                       {"hopefulness", "hope"},
                                                       {"electrical", "electr"},
                                                       {"adjustment", "adjust"},
                                                       {"adoption", "adopt"},
                                                       {"effective", "effect"},
                                                       {"probate", "probat"},
                                                       {"rate", "rate"},
                                                       {"cease", "ceas"},
                                                       {"controll", "control"},
                                                       {"roll", "roll"},
                                                       {"dying", "die"},
                                                       {"news", "news"},
                                                       {"died", "die"},
                                                       {"spied", "spi"},
                                                       {"enjoy", "enjoy"},
                                                       {"by", "by"},
                                                       {"say", "say"},
                                                       {"yyyy", "yyyi"}};
  for (const auto& [word, stem] : pairs) EXPECT_EQ(porter_stem(word), stem) << word;
}

class RougeReference : public testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("TROUPE_DATA");
    folder_ =
        std::filesystem::path(data != nullptr ? data : TROUPE_SOURCE_DIR "/../shared/data") / "rouge_ref";
    if (!std::filesystem::exists(folder_))
      GTEST_SKIP() << folder_ << " is not there: the figures of other scorers were NOT compared";
  }

  std::string text(const char* name) {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Json json(const char* name) { return parse_json(text(name)).value_or(nullptr); }

  std::vector<std::string> lines(const char* name) {
    std::ifstream in(folder_ / name);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }

  std::filesystem::path folder_;
};

// ROUGE-1.5.5 as Google's tests quote it, with and without stemming.
TEST_F(RougeReference, AgreesWithTheOriginalProgram) {
  auto targets = lines("google_rouge_target.txt");
  auto predictions = lines("google_rouge_prediction.txt");
  auto wanted = json("google_rouge_expected.json");
  ASSERT_TRUE(wanted.is_object());
  std::size_t compared = 0;
  for (bool stem : {false, true}) {
    for (const auto& each : wanted[stem ? "porter_stemming" : "no_stemming"]) {
      auto i = static_cast<std::size_t>(get_int(each, "pair"));
      ASSERT_LT(i, std::min(targets.size(), predictions.size()));
      expect_score(rouge_n(targets[i], predictions[i], 1, stem), each["rouge1"]);
      expect_score(rouge_n(targets[i], predictions[i], 2, stem), each["rouge2"]);
      if (find(each, "rougeL") != nullptr)
        expect_score(rouge_l(targets[i], predictions[i], stem), each["rougeL"]);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 4u);
  EXPECT_GE(get_double(wanted["no_stemming"][1]["rouge1"], "f") + 0.02,
            rouge_n(targets[1], predictions[1], 1, false).f1);
}

// The mean's interval must cover the truth about as often as it says. Items of a group are alike here, so
// resampling items alone, as if each group were many independent draws, covers it far less often.
TEST(MeanInterval, CoversTheTruthOnlyWhenGroupsAreKeptTogether) {
  Rng rng(7);
  int by_group = 0, by_item = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<std::vector<double>> groups, items;
    for (int g = 0; g < 30; ++g) {
      auto level = rng.normal();
      groups.emplace_back();
      for (int i = 0; i < 10; ++i) {
        groups.back().push_back(level + 0.1 * rng.normal());
        items.push_back({groups.back().back()});
      }
    }
    auto whole = mean_interval(groups, rng, 400);
    auto apart = mean_interval(items, rng, 400);
    by_group += whole.low <= 0 && 0 <= whole.high ? 1 : 0;
    by_item += apart.low <= 0 && 0 <= apart.high ? 1 : 0;
  }
  EXPECT_GE(by_group, 176);  // 88 %: the percentile interval of 30 groups is a little narrow
  EXPECT_LE(by_item, 120);
}

TEST(MeanInterval, OfNothingIsZeroAndOfOneGroupIsItsMean) {
  Rng rng(1);
  EXPECT_EQ(mean_interval({}, rng).mean, 0);
  EXPECT_EQ(mean_interval({{}, {}}, rng).high, 0);
  auto one = mean_interval({{1, 2, 3}}, rng);
  EXPECT_EQ(one.low, 2);
  EXPECT_EQ(one.high, 2);
}

}  // namespace
}  // namespace troupe::evaluation
