// A night of recaps through whole nodes (K2, K7, J4, J5, J7). One seed again:
//   NIGHT_SEED=9 build/test/tests/actors_test --gtest_filter='RecapNight.*'
#include "tests/actors/night_node.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace troupe::actors::testing {
namespace {

NightPlan night_of(std::size_t users, std::uint64_t seed = 7) {
  if (const char* one = std::getenv("NIGHT_SEED")) seed = std::strtoull(one, nullptr, 10);
  NightPlan plan;
  plan.town.users = users;
  plan.seed = plan.town.seed = plan.clouds.seed = seed;
  plan.folder = std::filesystem::temp_directory_path() /
                fmt::format("troupe-night-{}-{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name());
  return plan;
}

NightPlan changing_town() {
  auto plan = night_of(300);
  plan.town.channels = 20;
  plan.town.deletions = plan.town.revocations = 150;
  plan.deaths = 10;
  return plan;
}

NightFigures play(const NightPlan& plan) {
  auto figures = NightNode(plan).play();
  std::printf("%s", night_table(plan, figures).c_str());
  return figures;
}

TEST(RecapNight, GivesEveryoneOneRecapInTimeAndMakesEachChannelDayOnce) {
  auto night = play(night_of(1000));
  EXPECT_EQ(night.nights_done, 12u);
  EXPECT_GE(night.deaths, 10u);
  EXPECT_GT(night.town.expected, 900u);
  EXPECT_EQ(night.town.none, 0u);
  EXPECT_EQ(night.town.more, 0u);
  EXPECT_EQ(night.town.late, 0u);
  EXPECT_EQ(night.town.unwanted, 0u);
  EXPECT_EQ(night.town.forbidden, 0u);
  EXPECT_EQ(night.town.stale, 0u);
  EXPECT_EQ(night.town.old, 0u);
  // Each edition of a channel-day is one run with one recorded answer to each of its questions.
  EXPECT_GE(night.days_made, night.days_wanted);
  EXPECT_EQ(night.days_twice, 0u);
  EXPECT_EQ(night.digests_twice, 0u);
  EXPECT_TRUE(night.broken_rules.empty()) << night.broken_rules.front();
  std::int64_t sum = 0;
  for (const auto& line : night.costs) sum += line.nano_usd;
  EXPECT_EQ(sum, night.ledger_nano_usd);
  EXPECT_GE(night.clouds.usd * 1e9 + 1, static_cast<double>(night.ledger_nano_usd));
}

TEST(RecapNight, BooksAllTheCloudsBillWhenNoProcessDies) {
  auto plan = night_of(200);
  plan.deaths = 0;
  auto night = play(plan);
  EXPECT_EQ(night.deaths, 0u);
  EXPECT_NEAR(night.clouds.usd * 1e9, static_cast<double>(night.ledger_nano_usd), 10);
}

TEST(RecapNight, ShowsNothingThatWasTakenAwayMeanwhile) {
  auto plan = changing_town();
  auto night = play(plan);
  EXPECT_EQ(night.town.forbidden + night.town.stale, 0u);
  EXPECT_EQ(night.town.none, 0u);
  plan.town.checked_when_read = false;
  auto unchecked = play(plan);
  EXPECT_GT(unchecked.town.forbidden, 0u);
  EXPECT_GT(unchecked.town.stale, 0u);
}

TEST(RecapNight, DeliversTwiceWhereMailboxesDoNotKnowKeys) {
  auto plan = night_of(300);
  plan.town.answer_lost = 0.03;
  auto night = play(plan);
  EXPECT_GT(night.town.repeats_dropped, 0u);
  EXPECT_EQ(night.town.more, 0u);
  plan.town.mailbox_knows_keys = false;
  EXPECT_GT(play(plan).town.more, 0u);
}

TEST(RecapNight, BuysChannelDaysAgainWhereZonesShareNothing) {
  auto plan = night_of(300);
  plan.deaths = 5;
  plan.shared = false;
  auto night = play(plan);
  EXPECT_GT(night.days_twice, 40u);
  EXPECT_GT(night.days_made, 2 * night.days_wanted);
  EXPECT_EQ(night.town.none, 0u);
}

TEST(RecapNight, TheSameSeedIsTheSameNight) {
  auto plan = night_of(100);
  auto first = play(plan), second = play(plan);
  EXPECT_EQ(first.ledger_nano_usd, second.ledger_nano_usd);
  EXPECT_EQ(first.clouds.attempts, second.clouds.attempts);
  EXPECT_EQ(first.night, second.night);
}

}  // namespace
}  // namespace troupe::actors::testing
