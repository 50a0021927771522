// A night of recaps: who wakes up when, who may read what, what is new, and what is stale.
#include "agents/recap_night/cursor.hpp"
#include "agents/recap_night/derived.hpp"
#include "agents/recap_night/night.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::recap_night {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;

TEST(LocalHour, FollowsTheClockOnTheWall) {
  Zone india{.offset_s = 5 * 3600 + 1800, .changes = {}};
  EXPECT_EQ(local_hour(india, 10, 6).ms, 10 * kDay + kHour / 2);
  // Summer from day 100, 01:00 UTC, to day 200, 01:00 UTC, as in central Europe.
  Zone berlin{.offset_s = 3600,
              .changes = {{WallTime{100 * kDay + kHour}, 7200}, {WallTime{200 * kDay + kHour}, 3600}}};
  EXPECT_EQ(local_hour(berlin, 99, 6).ms, 99 * kDay + 5 * kHour);
  EXPECT_EQ(local_hour(berlin, 100, 6).ms, 100 * kDay + 4 * kHour);
  EXPECT_EQ(local_hour(berlin, 200, 6).ms, 200 * kDay + 5 * kHour);
  // 02:00 does not exist on day 100 and comes twice on day 200.
  EXPECT_EQ(local_hour(berlin, 100, 2).ms, 100 * kDay + kHour);
  EXPECT_EQ(local_hour(berlin, 200, 2).ms, 200 * kDay);
}

NightAsked company() {
  NightAsked asked;
  asked.zones = {{.offset_s = 0}, {.offset_s = -8 * 3600}};
  asked.channels_allowed = {"general", "ops"};
  asked.users = {{"ann", 0, {"general", "ops"}, true},
                 {"bob", 1, {"general", "secret"}, true},
                 {"cy", 0, {"general"}, false},
                 {"dora", 0, {"secret"}, true}};
  return asked;
}

// K2: a shared channel once, in time for whoever wakes up first. J7: off by default.
TEST(Night, SummarisesEachChannelOnceForTheFirstWhoWakesUp) {
  auto plan = plan_night(company());
  ASSERT_EQ(plan.channels.size(), 2u);
  EXPECT_EQ(plan.channels[0].channel, "general");
  EXPECT_EQ(plan.channels[0].readers, 2u);
  EXPECT_EQ(plan.channels[0].deadline.ms, 6 * kHour);
  ASSERT_EQ(plan.digests.size(), 2u);
  EXPECT_EQ(plan.digests[0].user, "ann");
  EXPECT_EQ(plan.digests[1].deadline.ms, 14 * kHour);
  EXPECT_THAT(plan.digests[1].channels, ElementsAre("general"));
}

TEST(Night, AtFiftyThousandUsersEachGetsOneDigestAndEachChannelOneJob) {
  NightAsked asked;
  Rng rng(5);
  asked.zones.resize(24);
  for (int z = 0; z < 24; ++z) asked.zones[z].offset_s = (z - 12) * 3600;
  for (int c = 0; c < 2000; ++c) asked.channels_allowed.insert(fmt::format("c{}", c));
  for (int u = 0; u < 50'000; ++u) {
    NightUser user{fmt::format("u{}", u), rng.below(24), {}, true};
    for (int k = 0; k < 8; ++k) user.channels.insert(fmt::format("c{}", rng.below(2000)));
    asked.users.push_back(std::move(user));
  }
  auto plan = plan_night(asked);
  EXPECT_EQ(plan.digests.size(), 50'000u);
  EXPECT_EQ(plan.channels.size(), 2000u);
  std::ranges::reverse(asked.users);
  EXPECT_EQ(plan_night(asked).digests, plan.digests);
}

// J4: what a user gets is what they would get of a company that holds nothing else, for a thousand random
// ACLs.
TEST(Night, WhatAUserMayNotReadChangesNothingForThem) {
  Rng rng(9);
  for (int round = 0; round < 1000; ++round) {
    NightAsked whole;
    whole.zones.resize(1);
    for (int c = 0; c < 6; ++c)
      if (rng.below(4) > 0) whole.channels_allowed.insert(fmt::format("c{}", c));
    for (int u = 0; u < 5; ++u) {
      NightUser user{fmt::format("u{}", u), 0, {}, rng.below(3) > 0};
      for (int c = 0; c < 6; ++c)
        if (rng.below(2) == 0) user.channels.insert(fmt::format("c{}", c));
      whole.users.push_back(std::move(user));
    }
    const auto& me = whole.users[0];
    auto stripped = whole;
    stripped.users = {me};
    std::erase_if(stripped.channels_allowed, [&](const auto& c) { return !me.channels.contains(c); });
    auto mine = [&](const NightPlan& plan) {
      auto it = std::ranges::find(plan.digests, me.id, &DigestJob::user);
      return it == plan.digests.end() ? DigestJob{} : *it;
    };
    ASSERT_EQ(mine(plan_night(whole)), mine(plan_night(stripped)));
  }
}

// J7: revocation counts when the digest is shown, not only when it was made.
TEST(Night, WhatWasRevokedSinceIsNotShown) {
  auto asked = company();
  auto ann = plan_night(asked).digests[0];
  asked.users[0].channels.erase("ops");
  EXPECT_THAT(still_allowed(ann, asked).channels, ElementsAre("general"));
  asked.channels_allowed.erase("general");
  EXPECT_THAT(still_allowed(ann, asked).channels, IsEmpty());
  asked = company();
  asked.users[0].opted_in = false;
  EXPECT_THAT(still_allowed(ann, asked).channels, IsEmpty());
  asked.users.erase(asked.users.begin());
  EXPECT_THAT(still_allowed(ann, asked).channels, IsEmpty());
}

// K7: any order, any splitting, any repetition gives each message once.
TEST(Cursor, GivesEachMessageOnceForAnySplitting) {
  std::vector<SeenMessage> all;
  for (int i = 0; i < 200; ++i) all.push_back({fmt::format("{}.{}", i / 3, i), (i / 3) * 1'000'000ll});
  Rng rng(2);
  for (int round = 0; round < 200; ++round) {
    auto messages = all;
    for (auto i = messages.size(); i > 1; --i) std::swap(messages[i - 1], messages[rng.below(i)]);
    Cursor cursor;
    std::vector<SeenMessage> got;
    for (std::size_t at = 0; at < messages.size();) {
      auto size = std::min<std::size_t>(messages.size() - at, 1 + rng.below(40));
      auto batch = std::span(messages).subspan(at, size);
      for (const auto& message : cursor.take(batch)) got.push_back(message);
      EXPECT_THAT(cursor.take(batch), IsEmpty());
      at += size;
    }
    std::ranges::sort(got);
    auto wanted = all;
    std::ranges::sort(wanted);
    ASSERT_EQ(got, wanted);
  }
}

TEST(Cursor, RemembersNoMoreThanItsLateness) {
  Cursor cursor(10'000'000);
  for (int i = 0; i < 1000; ++i) {
    SeenMessage message{fmt::format("{}", i), i * 1'000'000ll};
    EXPECT_EQ(cursor.take({&message, 1}).size(), 1u);
    EXPECT_LE(cursor.remembered(), 10u);
  }
  SeenMessage late{"late", 5};
  EXPECT_THAT(cursor.take({&late, 1}), IsEmpty());
}

std::vector<std::string> names(std::initializer_list<const char*> list) { return {list.begin(), list.end()}; }

// J5
TEST(Derivations, ADeletedMessageTakesItsPointsAndTheirDigestsWithIt) {
  Derivations made;
  made.add("point1", names({"m1", "m2"}));
  made.add("point2", names({"m3"}));
  made.add("digest", names({"point1", "point2"}));
  made.add("cache", names({"digest"}));
  EXPECT_THAT(made.invalidate("m1"), UnorderedElementsAre("m1", "point1", "digest", "cache"));
  EXPECT_FALSE(made.stale("point2"));
  EXPECT_THAT(made.invalidate("m1"), IsEmpty());
}

TEST(Derivations, ADeletionThatComesBeforeTheSummaryIsNotLost) {
  Derivations made;
  made.invalidate("m1");
  made.add("point1", names({"m1"}));
  made.add("digest", names({"point1"}));
  EXPECT_TRUE(made.stale("digest"));
}

TEST(Derivations, SurviveCyclesLongChainsAndTheirBound) {
  Derivations made(20'003);
  made.add("a", names({"b"}));
  made.add("b", names({"a"}));
  EXPECT_EQ(made.invalidate("a").size(), 2u);
  for (int i = 0; i < 20'000; ++i) {
    auto source = fmt::format("x{}", i);
    ASSERT_TRUE(made.add(fmt::format("x{}", i + 1), {&source, 1}));
  }
  EXPECT_EQ(made.invalidate("x0").size(), 20'001u);
  EXPECT_FALSE(made.add("one more", {}));
}

// Whenever a source goes, nothing made of it is fresh afterwards: made at random, deleted at random.
TEST(Derivations, NothingStaleIsEverFreshAtRandomTimes) {
  Rng rng(4);
  for (int round = 0; round < 200; ++round) {
    Derivations made;
    std::vector<std::vector<std::size_t>> sources(60);
    std::vector<bool> dead(60, false);
    for (std::size_t item = 0; item < 60; ++item) {
      std::vector<std::string> of;
      for (auto k = item == 0 ? 0 : rng.below(3); k > 0; --k) {
        sources[item].push_back(rng.below(item));
        of.push_back(fmt::format("{}", sources[item].back()));
      }
      made.add(fmt::format("{}", item), of);
      auto victim = rng.below(60);
      if (rng.below(4) == 0) {
        made.invalidate(fmt::format("{}", victim));
        dead[victim] = true;
      }
    }
    for (std::size_t item = 0; item < 60; ++item) {
      for (auto source : sources[item]) dead[item] = dead[item] || dead[source];
      ASSERT_EQ(made.stale(fmt::format("{}", item)), dead[item]) << item;
    }
  }
}

}  // namespace
}  // namespace troupe::recap_night
