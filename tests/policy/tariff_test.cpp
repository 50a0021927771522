// What an attempt costs on its own day (I5), and what reserved capacity of it was used.
#include "runtime/policy/tariff.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

WallTime noon(const char* day) { return {midnight_of(day)->ms + 12 * 3'600'000}; }

PriceTable two_prices() {
  PriceTable table;
  table.models = {{.provider = "p", .model = "m", .from = "2026-09-01", .input = 3, .output = 15},
                  {.provider = "p", .model = "m", .from = "2026-06-30", .input = 2, .output = 10},
                  {.provider = "q", .model = "m", .from = "2026-01-01", .input = 99, .output = 99}};
  table.factors = {{"p", "batch", 0.5}, {"p", "priority", 1.75}, {"p", "regional", 1.1}};
  return table;
}

const Usage kMillion{.input = 1'000'000};

TEST(CostOf, TakesTheRowOfTheAttemptsOwnDay) {  // I5
  auto tariff = tariff_from(two_prices(), "p", "m", "global");
  auto before = cost_of(tariff, kMillion, noon("2026-08-31"));
  auto after = cost_of(tariff, kMillion, noon("2026-09-01"));
  EXPECT_DOUBLE_EQ(before.usd, 2);
  EXPECT_EQ(before.version, "2026-06-30");
  EXPECT_DOUBLE_EQ(after.usd, 3);
  EXPECT_EQ(after.version, "2026-09-01");
  // The last millisecond of the old price and the first of the new one.
  auto midnight = midnight_of("2026-09-01")->ms;
  EXPECT_EQ(cost_of(tariff, kMillion, {midnight - 1}).version, "2026-06-30");
  EXPECT_EQ(cost_of(tariff, kMillion, {midnight}).version, "2026-09-01");
}

TEST(CostOf, WouldMisprizeOldAttemptsByThePriceOfToday) {  // I5, off: one price for all days
  auto tariff = tariff_from(two_prices(), "p", "m", "global");
  Tariff off;
  off.fixed = price_of(tariff.rows.back());
  EXPECT_NEAR(cost_of(off, kMillion, noon("2026-08-31")).usd, 3, 1e-12) << "half as much again";
}

TEST(CostOf, SaysThatAModelHasNoPrice) {
  auto tariff = tariff_from(two_prices(), "p", "other", "global");
  EXPECT_TRUE(cost_of(tariff, kMillion, noon("2026-09-01")).unpriced());
  // Before the first row there is none either.
  EXPECT_TRUE(cost_of(tariff_from(two_prices(), "p", "m", ""), kMillion, noon("2026-01-01")).unpriced());
  // What used nothing is not missing a price.
  EXPECT_FALSE(cost_of(tariff, {}, noon("2026-09-01")).unpriced());
}

TEST(CostOf, TakesTheLongPromptStepByAllInputOfTheAttempt) {
  PriceTable table;
  table.models = {{.provider = "p",
                   .model = "m",
                   .from = "2026-01-01",
                   .input = 1,
                   .output = 10,
                   .cache_read = 0.1,
                   .long_from = 200'000,
                   .long_input = 2,
                   .long_output = 15}};
  auto tariff = tariff_from(table, "p", "m", "");
  Usage at_step{.input = 150'000, .output = 1000, .cache_read = 50'000};
  EXPECT_NEAR(cost_of(tariff, at_step, noon("2026-02-01")).usd, 0.15 + 0.01 + 0.005, 1e-12);
  auto above = at_step;
  above.cache_read += 1;
  EXPECT_GT(cost_of(tariff, above, noon("2026-02-01")).usd, 0.3);
}

TEST(CostOf, AppliesTheFactorsOfTierAndRegion) {
  auto day = noon("2026-09-02");
  auto global = tariff_from(two_prices(), "p", "m", "global");
  auto regional = tariff_from(two_prices(), "p", "m", "eu-west-1");
  EXPECT_DOUBLE_EQ(cost_of(global, kMillion, day, "batch").usd, 1.5);
  EXPECT_DOUBLE_EQ(cost_of(global, kMillion, day, "ON_DEMAND_PRIORITY").usd, 5.25);
  EXPECT_DOUBLE_EQ(cost_of(global, kMillion, day, "default").usd, 3);
  EXPECT_NEAR(cost_of(regional, kMillion, day).usd, 3.3, 1e-12);
  // A row with a scope has its region in it.
  auto scoped = two_prices();
  scoped.models[0].scope = "regional";
  EXPECT_DOUBLE_EQ(cost_of(tariff_from(scoped, "p", "m", "eu-west-1"), kMillion, day).usd, 3);
}

TEST(CostOf, UsesARowsOwnBatchPrice) {
  auto table = two_prices();
  table.models[0].batch_input = 1.2;
  table.models[0].batch_output = 6;
  auto tariff = tariff_from(table, "p", "m", "global");
  EXPECT_DOUBLE_EQ(cost_of(tariff, kMillion, noon("2026-09-02"), "batch").usd, 1.2);
}

TEST(CostOf, ReservedTokensCostNothingButTakeUnitHours) {
  auto tariff = tariff_from(two_prices(), "p", "m", "global");
  tariff.kind = CapacityKind::reserved;
  tariff.units = 4;
  tariff.limits.input_tokens_per_minute = 1'000'000;
  tariff.limits.output_tokens_per_minute = 100'000;
  auto cost = cost_of(tariff, {.input = 1'500'000, .output = 300'000}, noon("2026-09-02"));
  EXPECT_EQ(cost.usd, 0);
  EXPECT_EQ(cost.version, "reserved");
  // Output is the tighter: 300,000 of 6,000,000 an hour, of four units.
  EXPECT_NEAR(cost.unit_hours, 4 * 0.05, 1e-12);
  // The provider says it was not served from there.
  auto spilled = cost_of(tariff, kMillion, noon("2026-09-02"), "ON_DEMAND");
  EXPECT_DOUBLE_EQ(spilled.usd, 3);
  EXPECT_EQ(spilled.unit_hours, 0);
}

TEST(UnitHoursOf, WeighsOutputThatDrawsOnInput) {
  QuotaPolicy limits{.input_tokens_per_minute = 100'000, .output_burndown = 5, .output_from_input = true};
  EXPECT_NEAR(unit_hours_of(limits, 1, {.input = 1'000'000, .output = 1'000'000, .cache_read = 7'000'000}), 1,
              1e-12);
  EXPECT_EQ(unit_hours_of({}, 1, kMillion), 0) << "no limit, no unit";
}

TEST(CostOf, AConfiguredPriceHoldsOnEveryDay) {
  Tariff tariff;
  tariff.fixed = Price{.input = 7};
  EXPECT_DOUBLE_EQ(cost_of(tariff, kMillion, noon("1999-01-01")).usd, 7);
  EXPECT_EQ(cost_of(tariff, kMillion, noon("1999-01-01")).version, "config");
}

}  // namespace
}  // namespace troupe::policy
