// Cron expressions: what they mean, when they come, and the nights on which clocks change.
#include "runtime/policy/cron.hpp"

#include "runtime/base/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace troupe::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr WallTime kNoon{1'774'699'200'000};  // 2026-03-28T12:00Z, a Saturday

TimeZone zone_of(const char* name) {
  auto zone = TimeZone::load(name);
  EXPECT_TRUE(zone) << zone.error().what;
  return zone ? *zone : TimeZone::utc();
}
bool zones_are_missing() { return !std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin"); }

/// The next `count` slots, as "2026-03-28T12:00".
std::vector<std::string> slots(const char* text, std::size_t count, const TimeZone& zone = TimeZone::utc(),
                               WallTime after = kNoon) {
  auto cron = parse_cron(text);
  std::vector<std::string> out;
  if (!cron) return {cron.error().what};
  while (out.size() < count) {
    auto next = next_slot(*cron, zone, after);
    if (!next) return out;
    out.push_back(to_iso8601(*next).substr(0, 16));
    after = *next;
  }
  return out;
}
std::string complaint(const char* text) {
  auto cron = parse_cron(text);
  return cron ? "" : cron.error().what;
}

TEST(Cron, FieldsAreNumbersRangesStepsListsAndNames) {
  EXPECT_THAT(slots("*/20 * * * *", 3),
              ElementsAre("2026-03-28T12:20", "2026-03-28T12:40", "2026-03-28T13:00"));
  EXPECT_THAT(slots("5,50 8-9 * * *", 3),
              ElementsAre("2026-03-29T08:05", "2026-03-29T08:50", "2026-03-29T09:05"));
  EXPECT_THAT(slots("0 10/6 * * *", 3),
              ElementsAre("2026-03-28T16:00", "2026-03-28T22:00", "2026-03-29T10:00"));
  EXPECT_THAT(slots("0 0 1 jan,JUL *", 2), ElementsAre("2026-07-01T00:00", "2027-01-01T00:00"));
  EXPECT_THAT(slots("0 9 * * mon-wed", 2), ElementsAre("2026-03-30T09:00", "2026-03-31T09:00"));
  EXPECT_THAT(slots("0 9 * * fri-sun", 3),
              ElementsAre("2026-03-29T09:00", "2026-04-03T09:00", "2026-04-04T09:00"));
  EXPECT_THAT(slots("0 9 * * 7", 1), ElementsAre("2026-03-29T09:00"));
  EXPECT_THAT(slots("0 9 * * 0", 1), ElementsAre("2026-03-29T09:00"));
}

TEST(Cron, MacrosAreFields) {
  EXPECT_THAT(slots("@hourly", 1), ElementsAre("2026-03-28T13:00"));
  EXPECT_THAT(slots("@daily", 1), ElementsAre("2026-03-29T00:00"));
  EXPECT_THAT(slots("@weekly", 1), ElementsAre("2026-03-29T00:00"));
  EXPECT_THAT(slots("@monthly", 1), ElementsAre("2026-04-01T00:00"));
  EXPECT_THAT(slots("@yearly", 1), ElementsAre("2027-01-01T00:00"));
}

// crontab(5): two restricted kinds of day, either suffices.
TEST(Cron, DayOfMonthOrDayOfWeek) {
  EXPECT_THAT(slots("0 0 1,15 * fri", 3),
              ElementsAre("2026-04-01T00:00", "2026-04-03T00:00", "2026-04-10T00:00"));
  EXPECT_THAT(slots("0 0 */10 * fri", 1), ElementsAre("2026-05-01T00:00"))
      << "beginning with * both must fit";
}

TEST(Cron, ALeapDayIsFoundEightYearsAhead) {
  EXPECT_THAT(slots("0 0 29 2 *", 1, TimeZone::utc(), WallTime{4'070'908'800'000}),
              ElementsAre("2104-02-29T00:00"))
      << "2100 has none";
}

TEST(Cron, SaysWhichFieldIsWrongAndWhatWouldBeRight) {
  EXPECT_THAT(complaint("* * * *"), HasSubstr("is no cron expression; write minute, hour"));
  EXPECT_THAT(complaint("* * * * * *"), HasSubstr("is no cron expression"));
  EXPECT_THAT(complaint("@often"), HasSubstr("is no cron expression"));
  EXPECT_THAT(complaint("60 * * * *"), HasSubstr("minute: \"60\" is not understood; write * or 0-59"));
  EXPECT_THAT(complaint("* 24 * * *"), HasSubstr("hour: \"24\""));
  EXPECT_THAT(complaint("* * 0 * *"), HasSubstr("day of month: \"0\""));
  EXPECT_THAT(complaint("* * * 13 *"), HasSubstr("month: \"13\""));
  EXPECT_THAT(complaint("* * * * 8"), HasSubstr("day of week: \"8\""));
  for (const char* wrong :
       {"*/0 * * * *", "5-1 * * * *", "a * * * *", "-1 * * * *", "1-2-3 * * * *", "1,,2 * * * *",
        "*/2/2 * * * *", "1- * * * *", "*/x * * * *", "1.5 * * * *", "* * * * fri-mon"})
    EXPECT_THAT(complaint(wrong), HasSubstr("is not understood")) << wrong;
  EXPECT_THAT(complaint("0 0 30 2 *"), HasSubstr("never comes"));
  EXPECT_THAT(complaint("0 0 31 4,6,9,11 *"), HasSubstr("never comes"));
  EXPECT_EQ(complaint("0 0 30 2 mon"), "") << "but there are Mondays";
  EXPECT_THAT(complaint(std::string(300, '*').c_str()), HasSubstr("is no cron expression"));
}

// A7: nights on which clocks change, against the law's own dates.
TEST(Cron, ASkippedTimeRunsOnceWhenTheClocksGoOn) {
  if (zones_are_missing()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto berlin = zone_of("Europe/Berlin");
  EXPECT_THAT(slots("30 2 * * *", 2, berlin), ElementsAre("2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(slots("*/30 2-3 * * *", 3, berlin),
              ElementsAre("2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"))
      << "02:00, 02:30 and 03:00 are one moment";
}

TEST(Cron, ATimeThatComesTwiceRunsTheFirstTimeOnly) {
  if (zones_are_missing()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  constexpr WallTime october{1'792'843'200'000};  // 2026-10-24T12:00Z
  EXPECT_THAT(slots("30 2 * * *", 2, zone_of("Europe/Berlin"), october),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
}

TEST(Cron, HalfAnHourAndMidnightChangesToo) {
  if (zones_are_missing()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  constexpr WallTime october{1'790'942'400'000};  // 2026-10-02T12:00Z
  EXPECT_THAT(slots("15 2 * * *", 2, zone_of("Australia/Lord_Howe"), october),
              ElementsAre("2026-10-02T15:45", "2026-10-03T15:30"))
      << "clocks go from 02:00 to 02:30";
  constexpr WallTime september{1'788'609'600'000};  // 2026-09-05T12:00Z
  EXPECT_THAT(slots("0 0 * * *", 2, zone_of("America/Santiago"), september),
              ElementsAre("2026-09-06T04:00", "2026-09-07T03:00"))
      << "there is no midnight on the 6th";
}

// Whatever a zone does, a daily schedule runs once for every day of its calendar.
TEST(Cron, OnceADayForTenYearsInEveryZone) {
  if (zones_are_missing()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  for (const char* name :
       {"Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns",
        "America/Santiago", "Australia/Lord_Howe", "Australia/Sydney", "Asia/Kolkata", "Asia/Kathmandu",
        "Africa/Casablanca", "Africa/Cairo", "Pacific/Chatham"}) {
    auto zone = zone_of(name);
    auto cron = parse_cron("30 2 * * *");
    WallTime at{1'767'268'800'000};  // 2026-01-01T12:00Z
    std::int64_t day = 0;
    for (int i = 0; i < 3652; ++i) {
      auto next = next_slot(*cron, zone, at);
      ASSERT_TRUE(next);
      auto seconds = next->ms / 1000;
      auto local_day = (seconds + zone.offset_at(seconds)) / 86'400;
      if (i > 0) {
        ASSERT_EQ(local_day, day + 1) << name << " " << to_iso8601(*next);
      }
      day = local_day;
      at = *next;
    }
  }
}

}  // namespace
}  // namespace troupe::policy
