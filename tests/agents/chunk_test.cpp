// How days are cut: nothing lost, nothing twice, within the budget, conversations whole where they fit.
#include "agents/recap/chunk.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace troupe::recap {
namespace {

using testing::ElementsAre;

slack::ChannelDay day_with(const std::vector<std::size_t>& bytes) {
  slack::ChannelDay day{.channel = "c", .date = "2019-03-05"};
  for (auto size : bytes) day.messages.push_back({.user = "ann", .text = std::string(size, 'x')});
  return day;
}

// With these a message of 4n bytes by "ann" costs n + 1 tokens.
ChunkPolicy small_chunks(std::size_t tokens) {
  return {.chunk_tokens_max = tokens, .message_tokens_max = 1000, .line_tokens = 0};
}

TEST(EstimateTokens, IsFourBytesEachRoundedUp) {
  EXPECT_EQ(estimate_tokens(""), 0u);
  EXPECT_EQ(estimate_tokens("abcd"), 1u);
  EXPECT_EQ(estimate_tokens("abcde"), 2u);
}

TEST(ChunkDay, GivesNothingForAnEmptyDay) { EXPECT_TRUE(chunk_day(day_with({}), {}).empty()); }

TEST(ChunkDay, KeepsConversationsWholeAndInOrder) {
  auto day = day_with({12, 12, 12, 12});  // four tokens each
  std::vector<Conversation> talk{{.messages = {0, 2}}, {.messages = {1, 3}}};
  auto chunks = chunk_day(day, talk, small_chunks(12));
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_THAT(chunks[0].messages, ElementsAre(0, 2));
  EXPECT_THAT(chunks[1].messages, ElementsAre(1, 3));
  EXPECT_EQ(chunks[0].tokens, 8u);
}

TEST(ChunkDay, FillsAChunkToTheLimitExactly) {
  auto day = day_with({12, 12, 12, 12});
  std::vector<Conversation> talk{{.messages = {0, 2}}, {.messages = {1, 3}}};
  EXPECT_EQ(chunk_day(day, talk, small_chunks(16)).size(), 1u);
  EXPECT_EQ(chunk_day(day, talk, small_chunks(15)).size(), 2u);
}

TEST(ChunkDay, SplitsOnlyAConversationLargerThanAChunk) {
  auto day = day_with({12, 12, 12, 12, 12});
  std::vector<Conversation> talk{{.messages = {0}}, {.messages = {1, 2, 3, 4}}};
  auto chunks = chunk_day(day, talk, small_chunks(8));
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_THAT(chunks[0].messages, ElementsAre(0));
  EXPECT_THAT(chunks[1].messages, ElementsAre(1, 2));
  EXPECT_THAT(chunks[2].messages, ElementsAre(3, 4));
}

TEST(ChunkDay, CountsAHugeMessageAsItIsShown) {
  auto day = day_with({1'000'000, 12});
  std::vector<Conversation> talk{{.messages = {0, 1}}};
  ChunkPolicy policy{.chunk_tokens_max = 500, .message_tokens_max = 200};
  auto chunks = chunk_day(day, talk, policy);
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_LE(chunks[0].tokens, 500u);
}

TEST(ChunkDay, HasEveryMessageOnceWithinTheBudgetWhateverTheDay) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    std::vector<std::size_t> sizes(rng.below(60));
    for (auto& size : sizes) size = rng.below(600);
    std::vector<Conversation> talk(1 + rng.below(8));
    for (std::size_t i = 0; i < sizes.size(); ++i) talk[rng.below(talk.size())].messages.push_back(i);
    ChunkPolicy policy{.chunk_tokens_max = 180 + rng.below(500), .message_tokens_max = 150};
    std::vector<std::size_t> seen;
    for (const auto& chunk : chunk_day(day_with(sizes), talk, policy)) {
      EXPECT_FALSE(chunk.messages.empty());
      EXPECT_LE(chunk.tokens, policy.chunk_tokens_max) << seed;
      seen.insert(seen.end(), chunk.messages.begin(), chunk.messages.end());
    }
    std::ranges::sort(seen);
    std::vector<std::size_t> all(sizes.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    EXPECT_EQ(seen, all) << seed;
  }
}

TEST(CutText, LeavesWhatFitsAlone) { EXPECT_EQ(cut_text(std::string(40, 'a'), 10), std::string(40, 'a')); }

TEST(CutText, MarksTheCutAndKeepsToTheBound) {
  auto cut = cut_text(std::string(1000, 'a'), 50);
  EXPECT_LE(estimate_tokens(cut), 50u);
  EXPECT_EQ(cut, std::string(136, 'a') + " [… cut: 136 of 1000 bytes shown]");
}

TEST(CutText, NeverCutsACharacterApart) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "é😀";
  for (std::size_t tokens = 0; tokens < 150; ++tokens) EXPECT_TRUE(is_utf8(cut_text(text, tokens))) << tokens;
}

}  // namespace
}  // namespace troupe::recap
