// Which slots run after a time in which nobody looked.
#include "runtime/policy/schedule.hpp"

#include "runtime/base/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kHour = 3'600'000;
constexpr WallTime kMidnight{1'774'656'000'000};  // 2026-03-28T00:00Z

WallTime at(double hours) { return {kMidnight.ms + static_cast<std::int64_t>(hours * kHour)}; }

ScheduleRule hourly(CatchUp catch_up) {
  ScheduleRule rule;
  rule.cron = *parse_cron("@hourly");
  rule.catch_up = catch_up;
  return rule;
}
std::vector<double> hours(const std::vector<WallTime>& slots) {
  std::vector<double> out;
  for (auto slot : slots) out.push_back(static_cast<double>(slot.ms - kMidnight.ms) / kHour);
  return out;
}

TEST(DueSlots, NothingIsDueBetweenSlots) {
  auto due = due_slots(hourly(CatchUp::all), at(3), at(3.9));
  EXPECT_THAT(due.run, IsEmpty());
  EXPECT_EQ(due.judged, at(3));
  EXPECT_EQ(due.next, at(4));
}

TEST(DueSlots, ASlotIsDueAtItsMomentAndOnce) {
  for (auto policy : {CatchUp::none, CatchUp::last, CatchUp::all}) {
    auto due = due_slots(hourly(policy), at(3), at(4));
    EXPECT_THAT(hours(due.run), ElementsAre(4)) << to_string(policy);
    EXPECT_THAT(due_slots(hourly(policy), due.judged, at(4)).run, IsEmpty());
  }
}

TEST(DueSlots, AfterADowntimeThePolicyDecides) {
  auto none = due_slots(hourly(CatchUp::none), at(0), at(5.5));
  EXPECT_THAT(none.run, IsEmpty());
  EXPECT_EQ(none.left_out, 5u);
  EXPECT_EQ(none.judged, at(5));
  auto last = due_slots(hourly(CatchUp::last), at(0), at(5.5));
  EXPECT_THAT(hours(last.run), ElementsAre(5));
  EXPECT_EQ(last.left_out, 4u);
  auto all = due_slots(hourly(CatchUp::all), at(0), at(5.5));
  EXPECT_THAT(hours(all.run), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(all.left_out, 0u);
}

TEST(DueSlots, CatchingUpHasABound) {
  auto rule = hourly(CatchUp::all);
  rule.catch_up_max = 3;
  auto due = due_slots(rule, at(0), at(10));
  EXPECT_THAT(hours(due.run), ElementsAre(8, 9, 10));
  EXPECT_EQ(due.left_out, 7u);
}

TEST(DueSlots, ALookThatComesALittleLateIsNoDowntime) {
  auto rule = hourly(CatchUp::none);
  EXPECT_THAT(hours(due_slots(rule, at(3), {at(4).ms + 59'000}).run), ElementsAre(4));
  EXPECT_THAT(due_slots(rule, at(3), {at(4).ms + 61'000}).run, IsEmpty());
}

TEST(DueSlots, AClockThatWentBackRunsNothingTwice) {
  auto due = due_slots(hourly(CatchUp::all), at(5), at(3));
  EXPECT_THAT(due.run, IsEmpty());
  EXPECT_EQ(due.judged, at(5));
}

TEST(DueSlots, YearsOfMinutesEndSoon) {
  auto rule = hourly(CatchUp::last);
  rule.cron = *parse_cron("* * * * *");
  auto due = due_slots(rule, at(0), at(24 * 365));
  EXPECT_THAT(hours(due.run), ElementsAre(24 * 365));
  EXPECT_GT(due.left_out, 100'000u);
}

TEST(DueSlots, JitterDelaysByTheSameAmountEverywhere) {
  auto rule = hourly(CatchUp::none);
  rule.jitter = std::chrono::minutes(10);
  auto delay = delay_of(rule, "recap", "acme");
  EXPECT_GT(delay, Duration{});
  EXPECT_LT(delay, rule.jitter);
  EXPECT_EQ(delay, delay_of(rule, "recap", "acme"));
  EXPECT_NE(delay, delay_of(rule, "recap", "other"));
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
  EXPECT_THAT(due_slots(rule, at(3), {at(4).ms + ms - 1}, delay).run, IsEmpty());
  EXPECT_THAT(hours(due_slots(rule, at(3), {at(4).ms + ms}, delay).run), ElementsAre(4));
  EXPECT_EQ(due_slots(rule, at(3), at(3.1), delay).next->ms, at(4).ms + ms);
  EXPECT_EQ(delay_of(hourly(CatchUp::none), "recap", "acme"), Duration{});
}

TEST(DueSlots, ThePastIsToldNewestFirst) {
  EXPECT_THAT(hours(past_slots(hourly(CatchUp::last), at(0), at(5.5), 3)), ElementsAre(5, 4, 3));
}

TEST(DueSlots, ASlotsRunHasOneNameWhereverItIsStarted) {
  EXPECT_EQ(slot_run_id("nightly", "acme", at(4)), "nightly/acme@2026-03-28T04:00Z");
}

}  // namespace
}  // namespace troupe::policy
