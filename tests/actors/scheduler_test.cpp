// Schedules that begin runs: one for each slot over restarts, downtimes, two nodes and a store that fails.
#include "tests/actors/scheduler_world.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace troupe::actors::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(SchedulerTest, BeginsEachSlotAtItsMomentAndOnce) {
  add_flow();
  begin({hourly(policy::CatchUp::none)});
  EXPECT_THAT(runs(), IsEmpty());
  pass(46min);
  EXPECT_THAT(runs(), IsEmpty());
  pass(1min);  // 23:00
  EXPECT_THAT(runs(), ElementsAre("hourly/default@2023-11-14T23:00Z"));
  pass(2h, 10s);
  EXPECT_THAT(runs(), ElementsAre("hourly/default@2023-11-14T23:00Z", "hourly/default@2023-11-15T00:00Z",
                                  "hourly/default@2023-11-15T01:00Z"));
  EXPECT_EQ(submitted_, 3);
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(inputs_["hourly/default@2023-11-15T00:00Z"], R"({"day":"2023-11-15","for":"default"})");
}

TEST_F(SchedulerTest, ARestartAtAnyMomentBeginsNoSecondRunOfASlot) {
  add_flow();
  begin({hourly(policy::CatchUp::last)});
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  for (int again = 0; again < 3; ++again) restart(1s);
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(starts(), 1u);
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ(submitted_, 1);
}

TEST_F(SchedulerTest, ASlotWhoseRunWasNotYetRecordedIsNotLost) {
  add_flow();
  // The process dies between the submission and the run's first row.
  lost_ = 1;
  begin({hourly(policy::CatchUp::last)});
  EXPECT_THAT(runs(), IsEmpty());
  restart(1s);
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(calls(), 1);
}

TEST_F(SchedulerTest, ADyingRunGoesOnUnderItsName) {
  add_flow();
  hold_ = true;
  begin({hourly(policy::CatchUp::last)});
  EXPECT_EQ(calls(), 1);
  hold_ = false;
  restart(5s);
  settle();
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(starts(), 1u);
  EXPECT_EQ((*journal_.run(kNewestHour))->state, journal::RunState::done);
}

TEST_F(SchedulerTest, ASubmissionThatFailsIsTriedAgainAfterGrowingPauses) {
  add_flow();
  refuses_ = true;
  begin({hourly(policy::CatchUp::last)});
  pass(200s);
  EXPECT_THAT(runs(), IsEmpty());
  EXPECT_GE(submitted_, 6);
  EXPECT_LE(submitted_, 12);  // 1 s, 2 s, 4 s … 60 s
  refuses_ = false;
  pass(61s);
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
}

TEST_F(SchedulerTest, AnAcceptedRunThatNeverBeganIsSubmittedAgain) {
  add_flow();
  lost_ = 2;
  begin({hourly(policy::CatchUp::last)});
  pass(20s);
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(submitted_, 3);
  EXPECT_EQ(calls(), 1);
}

TEST_F(SchedulerTest, AFailedRunIsNotBegunAnew) {
  add_flow();
  errors_["ask/1"] = Errc::invalid_input;
  begin({hourly(policy::CatchUp::last)});
  EXPECT_EQ((*journal_.run(kNewestHour))->state, journal::RunState::failed);
  restart(1s);
  pass(10s);
  EXPECT_EQ(submitted_, 1);
}

// ---- after days in which no node was up ----

TEST_F(SchedulerTest, NoneLeavesOutWhatWasMissed) {
  add_flow();
  begin({hourly(policy::CatchUp::none)});
  pass(1h, 10s);
  auto before = runs();
  ASSERT_EQ(before.size(), 1u);
  restart(72h);
  EXPECT_EQ(runs(), before);
  pass(1h, 10s);
  EXPECT_EQ(runs().size(), 2u);
}

TEST_F(SchedulerTest, LastRunsTheNewestSlotAlone) {
  add_flow();
  begin({hourly(policy::CatchUp::last)});
  restart(72h);
  EXPECT_THAT(runs(), ElementsAre(kNewestHour, "hourly/default@2023-11-17T22:00Z"));
}

TEST_F(SchedulerTest, AllRunsThemInOrderAndUpToItsBound) {
  add_flow();
  auto all = hourly(policy::CatchUp::all);
  all.rule.catch_up_max = 5;
  begin({all});
  pass(10s);
  EXPECT_EQ(runs().size(), 5u);  // a new schedule cannot tell itself from one that was down
  restart(3h);
  pass(10s);
  auto names = runs();
  ASSERT_EQ(names.size(), 8u);  // exactly those between
  EXPECT_EQ(names.back(), "hourly/default@2023-11-15T01:00Z");
  restart(72h);
  pass(10s);
  EXPECT_EQ(runs().size(), 13u);
  auto began = told("start");
  EXPECT_EQ(began.size(), 13u);
}

TEST_F(SchedulerTest, WhatCameBeforeTheNewestRunIsOverEvenIfItWasForgotten) {
  add_flow();
  auto all = hourly(policy::CatchUp::all);
  all.rule.catch_up_max = 5;
  begin({all});
  pass(10s);
  ASSERT_EQ(runs().size(), 5u);
  pass(1h, 10s);
  ASSERT_EQ(runs().size(), 6u);
  // Those of the first moments are forgotten; the newest, an hour later, is not.
  WallTime before{clock_.wall().ms - kHour / 2};
  ASSERT_EQ(*journal_.forget(before, "", UINT64_MAX), 5u);
  restart(1h);
  pass(10s);
  EXPECT_THAT(runs(), ElementsAre("hourly/default@2023-11-14T23:00Z", "hourly/default@2023-11-15T00:00Z"));
  EXPECT_EQ(submitted_, 7);
}

TEST_F(SchedulerTest, APausedScheduleBeginsNothingAndItsCatchUpJudgesWhatPassed) {
  add_flow();
  struct Case {
    policy::CatchUp catch_up;
    std::size_t later;
  };
  for (auto [catch_up, later] :
       {Case{policy::CatchUp::none, 0}, Case{policy::CatchUp::last, 1}, Case{policy::CatchUp::all, 3}}) {
    SCOPED_TRACE(to_string(catch_up));
    auto name = std::string(to_string(catch_up));
    auto each = scheduled(name, "@hourly", catch_up);
    each.rule.catch_up_max = 3;
    begin({each});
    pass(10s);
    paused_ = {name};
    auto before = runs();
    pass(3h, 1min);
    EXPECT_EQ(runs(), before);
    paused_.clear();
    pass(10s);
    EXPECT_EQ(runs().size(), before.size() + later);
    pass(1h, 1min);  // from here on each slot, as ever
    EXPECT_EQ(runs().size(), before.size() + later + 1);
  }
}

TEST_F(SchedulerTest, APauseThatOutlivesTheProcessEndsAsADowntimeDoes) {
  add_flow();
  auto all = hourly(policy::CatchUp::all);
  all.rule.catch_up_max = 4;
  begin({all});
  pass(10s);
  ASSERT_EQ(runs().size(), 4u);
  paused_ = {"hourly"};
  pass(1h, 1min);
  restart(1h);
  pass(10s);
  EXPECT_EQ(runs().size(), 4u);
  paused_.clear();
  pass(10s);
  EXPECT_EQ(runs().size(), 6u);
  EXPECT_EQ(runs().back(), "hourly/default@2023-11-15T00:00Z");
}

TEST_F(SchedulerTest, WhatWasDueAndNotYetSubmittedIsJudgedWithThePause) {
  add_flow();
  refuses_ = true;
  begin({hourly(policy::CatchUp::last)});
  pass(10s);
  ASSERT_TRUE(runs().empty());
  paused_ = {"hourly"};
  refuses_ = false;
  pass(2h, 1min);
  EXPECT_TRUE(runs().empty());
  paused_.clear();
  pass(10s);
  EXPECT_THAT(runs(), ElementsAre("hourly/default@2023-11-15T00:00Z"));  // the newest alone
}

TEST_F(SchedulerTest, WhatIsNotRecordedYetHoldsBackWhatFollows) {
  add_flow();
  auto all = hourly(policy::CatchUp::all);
  all.rule.catch_up_max = 3;
  lost_ = 1;
  begin({all});
  EXPECT_THAT(runs(), IsEmpty());
  pass(20s);
  EXPECT_EQ(runs().size(), 3u);
}

TEST_F(SchedulerTest, APausedScheduleBeginsNothingAndCatchesUpAfterwards) {
  add_flow();
  auto what = hourly(policy::CatchUp::last);
  what.paused = true;
  begin({what});
  pass(2h, 60s);
  EXPECT_THAT(runs(), IsEmpty());
  what.paused = false;
  begin({what});
  EXPECT_THAT(runs(), ElementsAre("hourly/default@2023-11-15T00:00Z"));
}

// ---- time zones ----

class ZonedSchedulerTest : public SchedulerTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin"))
      GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  }
  Scheduled in_zone(const std::string& tenant, const std::string& zone, const std::string& cron) {
    auto what = scheduled("nightly", cron, policy::CatchUp::none);
    what.tenant = tenant;
    what.rule.zone = *TimeZone::load(zone);
    return what;
  }
  void go_to(WallTime when) { clock_.pass(std::chrono::milliseconds(when.ms - clock_.wall().ms)); }
};

TEST_F(ZonedSchedulerTest, EachTenantsNightHasItsOwnMoment) {
  add_flow();
  begin({in_zone("berlin", "Europe/Berlin", "0 4 * * *"), in_zone("tokyo", "Asia/Tokyo", "0 4 * * *"),
         in_zone("lima", "America/Lima", "0 4 * * *")});
  pass(24h, 30s);
  EXPECT_THAT(runs(),
              UnorderedElementsAre("nightly/berlin@2023-11-15T03:00Z", "nightly/tokyo@2023-11-15T19:00Z",
                                   "nightly/lima@2023-11-15T09:00Z"));
  EXPECT_EQ(inputs_["nightly/tokyo@2023-11-15T19:00Z"], R"({"day":"2023-11-16","for":"tokyo"})");
}

TEST_F(ZonedSchedulerTest, WhereClocksGoForwardTheSkippedTimeRunsOnce) {
  add_flow();
  go_to({1'711'843'200'000 - 12 * kHour});  // 2024-03-30T12:00Z; the night in which 02:30 does not come
  begin({in_zone("a", "Europe/Berlin", "30 2 * * *")});
  pass(48h, 60s);
  EXPECT_THAT(runs(), ElementsAre("nightly/a@2024-03-31T01:00Z", "nightly/a@2024-04-01T00:30Z"));
}

TEST_F(ZonedSchedulerTest, WhereClocksGoBackTheRepeatedTimeRunsOnce) {
  add_flow();
  go_to({1'729'944'000'000});  // 2024-10-26T12:00Z; 02:30 comes twice in the night that follows
  begin({in_zone("a", "Europe/Berlin", "30 2 * * *")});
  pass(48h, 60s);
  EXPECT_THAT(runs(), ElementsAre("nightly/a@2024-10-27T00:30Z", "nightly/a@2024-10-28T01:30Z"));
}

// ---- many ----

TEST_F(SchedulerTest, VeryManyTenantsAreBegunInTurns) {
  add_flow();
  std::vector<Scheduled> many;
  for (int i = 0; i < 1500; ++i) {
    many.push_back(hourly(policy::CatchUp::last));
    many.back().tenant = "t" + std::to_string(i);
  }
  begin(std::move(many));
  EXPECT_LE(runs().size(), 512u);
  pass(10s);
  EXPECT_EQ(journal_.runs(10'000, {})->size(), 1500u);
  EXPECT_EQ(submitted_, 1500);
}

// ---- what people are told ----

TEST_F(SchedulerTest, LocalTimeSaysItsOffset) {
  if (!std::filesystem::exists("/usr/share/zoneinfo/Asia/Kolkata"))
    GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  EXPECT_EQ(local_text(*TimeZone::load("Asia/Kolkata"), {1'700'000'000'000}), "2023-11-15 03:43 +05:30");
  EXPECT_EQ(local_text(*TimeZone::load("America/St_Johns"), {1'700'000'000'000}), "2023-11-14 18:43 -03:30");
  EXPECT_EQ(local_text(TimeZone::utc(), {1'700'000'000'000}), "2023-11-14 22:13 +00:00");
}

TEST_F(SchedulerTest, SeldomSlotsAreFoundToo) {
  auto leap = scheduled("leap", "0 0 29 2 *", policy::CatchUp::last);
  auto slots = newest_slots(leap.rule, {1'700'000'000'000}, 1);
  ASSERT_EQ(slots.size(), 1u);
  EXPECT_EQ(to_iso8601(slots[0]).substr(0, 10), "2020-02-29");
}

}  // namespace
}  // namespace troupe::actors::testing
