// Reserved hours shared out to the cent (I2).
#include "runtime/policy/allocation.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace troupe::policy {
namespace {

std::int64_t sum_of(const std::vector<std::int64_t>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
}

TEST(Apportion, SumsToTheTotalForAnyWeights) {
  Rng rng(11);
  std::size_t naive_wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<double> weights(1 + rng.below(30));
    for (auto& each : weights) each = rng.below(4) == 0 ? 0 : std::exp(8 * rng.normal());
    auto total = static_cast<std::int64_t>(rng.below(10'000'000)) - 1'000'000;
    auto parts = apportion(total, weights);
    ASSERT_EQ(sum_of(parts), total);
    auto sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t k = 0; sum > 0 && k < parts.size(); ++k)
      ASSERT_LE(std::abs(static_cast<double>(parts[k]) - static_cast<double>(total) * weights[k] / sum),
                1.001);
    naive_wrong += sum > 0 && sum_of(apportion_naively(total, weights)) != total;
  }
  EXPECT_GT(naive_wrong, 5'000u) << "rounding each share by itself does not add up";
}

TEST(Apportion, BearsWeightsThatAreNone) {
  auto inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(apportion(100, {}).empty());
  EXPECT_EQ(apportion(100, std::vector<double>{0, 0, 0}), (std::vector<std::int64_t>{0, 0, 100}));
  EXPECT_EQ(apportion(100, std::vector<double>{-1, inf, std::nan(""), 1, 1}),
            (std::vector<std::int64_t>{0, 0, 0, 50, 50}));
  EXPECT_EQ(sum_of(apportion(100, std::vector<double>{1e308, 1e308, 1e308})), 100);
  EXPECT_EQ(apportion(1, std::vector<double>{1, 1}), (std::vector<std::int64_t>{1, 0}))
      << "the earlier first";
}

TEST(Allocate, SharesByUseAndByHeadroomAndShowsIdle) {
  // Ten units for an hour at 10 USD: a used 3 of 4 kept, b none of 2 kept, c one without reservation.
  auto bill = allocate(10'000, 10, 1, std::vector<CapacityUse>{{"a", 3}, {"c", 1}},
                       std::vector<Reservation>{{"a", 4}, {"b", 2}});
  ASSERT_EQ(bill.lines.size(), 3u);
  EXPECT_EQ(bill.lines[0].used_cents, 3000);
  EXPECT_EQ(bill.lines[0].headroom_cents, 1000);
  EXPECT_EQ(bill.lines[1].cents(), 2000) << "without traffic: its reservation, no more";
  EXPECT_EQ(bill.lines[2].cents(), 1000);
  EXPECT_EQ(bill.idle_cents, 3000);
  EXPECT_EQ(bill.total_cents(), 10'000);
}

TEST(Allocate, WhoBorrowsHeadroomPaysForIt) {
  auto bill = allocate(1000, 10, 1, std::vector<CapacityUse>{{"a", 9}}, std::vector<Reservation>{{"b", 5}});
  EXPECT_EQ(bill.lines[0].cents(), 900);
  EXPECT_EQ(bill.lines[1].cents(), 100);
  EXPECT_EQ(bill.idle_cents, 0);
}

TEST(Allocate, SharesByUseAloneWhenMoreWasUsedThanThereWas) {
  auto bill = allocate(1000, 10, 1, std::vector<CapacityUse>{{"a", 15}, {"b", 5}}, {});
  EXPECT_EQ(bill.lines[0].cents(), 750);
  EXPECT_EQ(bill.lines[1].cents(), 250);
  EXPECT_EQ(bill.idle_cents, 0);
}

TEST(Allocate, ReservesByTheHourNotByTheMean) {
  // A feature that works by day only keeps its headroom by night.
  CapacityAllocation pool(10, std::vector<Reservation>{{"a", 5}});
  pool.add(12, std::vector<CapacityUse>{{"a", 12 * 10.0}});
  pool.add(12, {});
  auto bill = pool.close(24'000);
  EXPECT_EQ(bill.lines[0].used_cents, 12'000);
  EXPECT_EQ(bill.lines[0].headroom_cents, 6'000);
  EXPECT_EQ(bill.idle_cents, 6'000);
}

TEST(Allocate, NoHoursAreAllIdle) {
  auto bill = allocate(500, 10, 0, {}, {});
  EXPECT_EQ(bill.idle_cents, 500);
}

struct RandomPool {
  double units = 0;
  std::vector<Reservation> reservations;
  std::vector<std::vector<CapacityUse>> hours;
};

RandomPool random_pool(Rng& rng) {
  RandomPool pool;
  pool.units = 1 + static_cast<double>(rng.below(20));
  auto left = pool.units;
  for (auto name : {"a", "b", "c", "d", "quiet"}) {
    auto units = left * rng.uniform();
    if (rng.below(2) == 0) pool.reservations.push_back({name, units});
    left -= units;
  }
  for (auto n = rng.below(48); n > 0; --n) {
    std::vector<CapacityUse> uses;
    for (auto name : {"a", "b", "c", "d"})
      if (rng.below(3) > 0) uses.push_back({name, pool.units * 0.5 * rng.uniform()});
    pool.hours.push_back(uses);
  }
  return pool;
}

TEST(Allocate, IsTheBillToTheCentForAnyLoad) {  // I2
  Rng rng(5);
  for (int i = 0; i < 3000; ++i) {
    auto pool = random_pool(rng);
    CapacityAllocation allocation(pool.units, pool.reservations);
    for (const auto& uses : pool.hours) allocation.add(1, uses);
    auto cents = static_cast<std::int64_t>(rng.below(100'000'000));
    auto bill = allocation.close(cents);
    ASSERT_EQ(bill.total_cents(), cents);
    ASSERT_GE(bill.idle_cents, 0);
    auto hours = static_cast<double>(pool.hours.size());
    for (const auto& line : bill.lines) {
      if (line.feature != "quiet") continue;
      ASSERT_EQ(line.used_cents, 0);
      auto kept = pool.reservations.back().units / pool.units;
      auto at_most = hours > 0 ? kept * static_cast<double>(cents) + 1 : 0;
      ASSERT_LE(static_cast<double>(line.cents()), at_most);
    }
  }
}

}  // namespace
}  // namespace troupe::policy
