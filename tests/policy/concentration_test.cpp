// How much hangs on one provider: shares, their index, and an alarm that is raised once (C9).
#include "runtime/policy/concentration.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

constexpr WallTime kNoon{1'800'000'000'000};
constexpr std::int64_t kMinute = 60'000;

WallTime after(std::int64_t minutes) { return {kNoon.ms + minutes * kMinute}; }

TEST(Concentration, IsOneWhenOnePlaceHasAllAndOneNthWhenNShareEqually) {
  Concentration of;
  EXPECT_EQ(of.report(kNoon).index, 0) << "nothing was served";
  of.add("aws", 500, kNoon);
  EXPECT_DOUBLE_EQ(of.report(kNoon).index, 1);
  for (const char* place : {"gcp", "azure", "openai"}) of.add(place, 500, kNoon);
  EXPECT_DOUBLE_EQ(of.report(kNoon).index, 0.25);
  of.add("gcp", 1500, kNoon);
  auto report = of.report(kNoon);
  ASSERT_EQ(report.shares.size(), 4u);
  EXPECT_EQ(report.shares[0].place, "gcp");
  EXPECT_DOUBLE_EQ(report.shares[0].share, 2000.0 / 3500);
  EXPECT_DOUBLE_EQ(report.index, (2000.0 * 2000 + 3 * 500.0 * 500) / (3500.0 * 3500));
}

TEST(Concentration, ForgetsAfterAnHour) {
  Concentration of;
  of.add("aws", 900, kNoon);
  of.add("gcp", 100, after(30));
  EXPECT_DOUBLE_EQ(of.report(after(50)).shares[0].share, 0.9);
  auto later = of.report(after(61));
  ASSERT_EQ(later.shares.size(), 2u);
  EXPECT_EQ(later.shares[0].place, "gcp");
  EXPECT_EQ(later.shares[1].place, "aws") << "told once more, or a gauge would show what it had for ever";
  EXPECT_EQ(later.shares[1].share, 0);
  EXPECT_DOUBLE_EQ(later.index, 1);
  EXPECT_EQ(of.report(after(61)).shares.size(), 1u);
  of.add("aws", 300, after(62));  // in the piece that held the first
  EXPECT_DOUBLE_EQ(of.report(after(62)).shares[0].share, 0.75);
  EXPECT_EQ(of.report(after(200)).shares[0].share, 0);
  EXPECT_TRUE(of.report(after(200)).shares.empty());
}

TEST(Concentration, RaisesItsAlarmOnceUntilTheShareHasFallen) {
  ConcentrationAlarm alarm(0.6), never(1);
  ConcentrationReport high{{{"aws", 0.7}, {"gcp", 0.3}}, 1e6, 0.58},
      low{{{"aws", 0.5}, {"gcp", 0.5}}, 1e6, 0.5};
  ConcentrationReport first{{{"aws", 1}}, 500, 1};
  EXPECT_FALSE(alarm.rises(first)) << "a single call is no concentration";
  EXPECT_FALSE(alarm.rises(low));
  EXPECT_TRUE(alarm.rises(high));
  EXPECT_FALSE(alarm.rises(high));
  EXPECT_FALSE(alarm.rises(low));
  EXPECT_TRUE(alarm.rises(high));
  EXPECT_FALSE(alarm.rises({}));
  EXPECT_FALSE(never.rises({{{"aws", 1}}, 1e6, 1})) << "off";
}

}  // namespace
}  // namespace troupe::policy
