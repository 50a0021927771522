// Taking interleaved talk apart, and the scores it is measured with.
#include "agents/summary/disentangle.hpp"
#include "agents/evaluation/clusters.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace troupe::summary {
namespace {

using ::testing::ElementsAre;

struct Said {
  const char* who;
  const char* text;
  int minute;
};

std::vector<Line> talk(const std::vector<Said>& said) {
  std::vector<Line> out;
  for (const auto& each : said)
    out.push_back({.id = fmt::format("m{}", out.size()),
                   .who = each.who,
                   .text = each.text,
                   .at = WallTime{each.minute * 60'000ll}});
  return out;
}

std::vector<Line> two_conversations() {
  return talk({{"ann", "is the staging database down for anybody else?", 0},
               {"cy", "who ordered the cake for friday?", 0},
               {"bob", "ann: yes, staging refuses connections since nine", 1},
               {"dora", "cy: I did, chocolate cake", 1},
               {"ann", "bob: I will restart the staging database", 2},
               {"cy", "dora: great, how many people does it serve?", 2},
               {"bob", "ann: thanks, the connections are back", 3},
               {"dora", "cy: twelve people", 3}});
}

TEST(Disentangle, TakesTwoInterleavedConversationsApart) {
  auto found = disentangle(two_conversations());
  EXPECT_THAT(found.conversation, ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_EQ(found.conversations, 2u);
  EXPECT_THAT(by_conversation(found), ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
}

// The mechanism off: by nearness alone everything hangs together.
TEST(Disentangle, WithoutItsSignsEverythingIsOneConversation) {
  DisentanglePolicy nearness_only{.join_min = 0,
                                  .addresses_weight = 0,
                                  .addressed_weight = 0,
                                  .elsewhere_weight = 0,
                                  .question_weight = 0,
                                  .opening_weight = 0,
                                  .newcomer_weight = 0,
                                  .word_weight = 0};
  EXPECT_EQ(disentangle(two_conversations(), nearness_only).conversations, 1u);
}

TEST(Disentangle, BelievesThreadsAndRepliesWhateverTheWordsSay) {
  auto lines = talk(
      {{"ann", "the cake", 0}, {"bob", "the database", 100}, {"cy", "cake", 101}, {"dora", "cake", 600}});
  lines[2].reply_to = "m1";
  lines[3].thread = "m1";
  auto found = disentangle(lines);
  EXPECT_EQ(found.parent[2], 1u);
  EXPECT_EQ(found.conversation[2], found.conversation[1]);
  EXPECT_EQ(found.conversation[3], found.conversation[1]);
  EXPECT_NE(found.conversation[0], found.conversation[1]);
}

TEST(Disentangle, AReplyToNothingKnownIsJudgedByItsWords) {
  auto lines = two_conversations();
  lines[2].reply_to = "long gone";
  EXPECT_EQ(disentangle(lines).parent[2], 0u);
}

TEST(Disentangle, NothingIsAnsweredAfterALongSilence) {
  auto lines = talk({{"ann", "staging is down", 0}, {"ann", "staging is down", 600}});
  EXPECT_EQ(disentangle(lines).conversations, 2u);
  EXPECT_EQ(disentangle(lines, {.silence_max = std::chrono::hours(11)}).parent[0], 0u);
}

TEST(Disentangle, NeverAnswersALaterLineAndNumbersConversationsInOrder) {
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i)
    lines.push_back({.id = fmt::format("{}", i),
                     .who = fmt::format("person{}", i % 17),
                     .text = fmt::format("person{}: about subject{}", (i * 7) % 17, i % 5),
                     .at = WallTime{i * 20'000ll}});
  auto found = disentangle(lines);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_LE(found.parent[i], i);
    ASSERT_LE(found.conversation[i], seen);
    seen = std::max(seen, found.conversation[i] + 1);
  }
  EXPECT_EQ(seen, found.conversations);
}

TEST(Disentangle, LooksNoFurtherThanItsReach) {
  std::vector<Said> said = {{"ann", "zebra crossing repainted", 0}};
  for (int i = 0; i < 10; ++i) said.push_back({"noise", "lorem", 0});
  said.push_back({"bob", "ann: which zebra crossing?", 1});
  EXPECT_EQ(disentangle(talk(said)).parent.back(), 0u);
  EXPECT_NE(disentangle(talk(said), {.reach = 10}).parent.back(), 0u);
}

TEST(Disentangle, OfNothingIsNothing) { EXPECT_EQ(disentangle({}).conversations, 0u); }

}  // namespace
}  // namespace troupe::summary

namespace troupe::evaluation {
namespace {

TEST(ClusterScores, OfEqualGroupingsAreOneWhateverTheirNumbers) {
  auto scores = score_clusters({0, 0, 1, 1, 2}, {7, 7, 3, 3, 5});
  EXPECT_DOUBLE_EQ(scores.one_to_one, 1);
  EXPECT_NEAR(scores.vi, 1, 1e-12);
  EXPECT_DOUBLE_EQ(scores.exact_f1, 1);
  EXPECT_DOUBLE_EQ(scores.pair_f1, 1);
}

// Six items in two groups against one group: half can be paired; VI is the one bit that was lost.
TEST(ClusterScores, OfEverythingInOneGroup) {
  auto scores = score_clusters({0, 0, 0, 1, 1, 1}, {0, 0, 0, 0, 0, 0});
  EXPECT_DOUBLE_EQ(scores.one_to_one, 0.5);
  EXPECT_NEAR(scores.vi, 1 - 1 / std::log2(6.0), 1e-12);
  EXPECT_DOUBLE_EQ(scores.exact_f1, 0);
  EXPECT_NEAR(scores.pair_f1, 2.0 * 6 / (6 + 15), 1e-12);
}

// Taking the largest overlap first would pair a with x (3) and leave b to y (0): 3 of 7. The best is 4.
TEST(ClusterScores, PairingIsTheBestOneNotTheGreedyOne) {
  Labels right = {0, 0, 0, 0, 0, 1, 1};
  Labels found = {0, 0, 0, 1, 1, 0, 0};
  EXPECT_DOUBLE_EQ(score_clusters(right, found).one_to_one, 4.0 / 7);
}

TEST(ClusterScores, SingleItemsAreNoExactMatches) {
  auto scores = score_clusters({0, 1, 2, 2, 3, 3}, {0, 1, 2, 2, 3, 4});
  EXPECT_DOUBLE_EQ(scores.exact_precision, 1);
  EXPECT_DOUBLE_EQ(scores.exact_recall, 0.5);
}

TEST(ClusterScores, LinksAreSetsOfPairs) {
  auto scores = score_links({{1, 0}, {2, 2}, {3, 1}}, {{1, 0}, {2, 1}, {1, 0}});
  EXPECT_DOUBLE_EQ(scores.precision, 0.5);
  EXPECT_NEAR(scores.recall, 1.0 / 3, 1e-12);
  EXPECT_EQ(score_clusters({}, {}).items, 0u);
}

TEST(ClusterScores, FilesAreKeptApart) {
  Labels all = {0, 1};
  append_labels(all, {0, 0, 1});
  EXPECT_EQ(all, (Labels{0, 1, 2, 2, 3}));
}

}  // namespace
}  // namespace troupe::evaluation
