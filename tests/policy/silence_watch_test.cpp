// When an attempt's silence has lasted long enough to say so.
#include "runtime/policy/silence_watch.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBegun{1h};

TEST(SilenceWatch, NamesEachAttemptOnceWhenItsPatienceIsOver) {
  SilenceWatch watch;
  for (std::uint64_t i = 1; i <= 3; ++i) watch.began(i, kBegun + i * 1s);
  EXPECT_FALSE(watch.due(kBegun + 5900ms, 5s));
  EXPECT_EQ(watch.due(kBegun + 6s, 5s), 1u);
  EXPECT_FALSE(watch.due(kBegun + 6s, 5s));
  EXPECT_EQ(watch.due(kBegun + 1min, 5s), 2u);
  EXPECT_EQ(watch.due(kBegun + 1min, 5s), 3u);
  EXPECT_FALSE(watch.due(kBegun + 1min, 5s));
}

TEST(SilenceWatch, WhileNobodyKnowsHowLongIsTooLongAllAreLetGo) {
  SilenceWatch watch;
  for (std::uint64_t i = 1; i <= 100; ++i) watch.began(i, kBegun);
  EXPECT_FALSE(watch.due(kBegun + 1h, 0s));
  EXPECT_EQ(watch.watched(), 0u);
}

TEST(SilenceWatch, KeepsTheOrderHoweverManyCome) {
  SilenceWatch watch;
  std::uint64_t begun = 0, named = 0;
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < round % 37; ++i) watch.began(++begun, kBegun + round * 1s);
    while (auto due = watch.due(kBegun + round * 1s, 20s)) ASSERT_EQ(*due, ++named);
  }
  while (auto due = watch.due(kBegun + 1h, 20s)) ASSERT_EQ(*due, ++named);
  EXPECT_EQ(named, begun);
}

TEST(SilenceWatch, BeyondItsBoundTheNewestAreNotWatched) {
  SilenceWatch watch;
  for (std::uint64_t i = 1; i <= SilenceWatch::watched_max + 5; ++i) watch.began(i, kBegun);
  EXPECT_EQ(watch.watched(), SilenceWatch::watched_max);
  std::uint64_t last = 0;
  while (auto due = watch.due(kBegun + 1h, 1s)) last = *due;
  EXPECT_EQ(last, SilenceWatch::watched_max);
}

}  // namespace
}  // namespace troupe::policy
