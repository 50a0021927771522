// How many units to commit to (I7), and where reserved and on demand break even (C14).
#include "runtime/policy/commitment.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

std::vector<double> random_demand(Rng& rng) {
  std::vector<double> demand(1 + rng.below(200));
  auto shape = rng.below(3);
  for (auto& each : demand) {
    if (shape == 0)
      each = static_cast<double>(rng.below(12));
    else if (shape == 1)
      each = 12 * rng.uniform();
    else
      each = std::exp(1 + rng.normal());
  }
  return demand;
}

Commitment best_by_trying(const std::vector<double>& demand, const CommitmentPrices& prices,
                          std::uint32_t units_max) {
  auto best = commitment_of(0, demand, prices);
  for (std::uint32_t units = 1; units <= units_max; ++units) {
    auto tried = commitment_of(units, demand, prices);
    if (tried.usd < best.usd - 1e-9) best = tried;
  }
  return best;
}

TEST(BestCommitment, IsWhatTryingAllFinds) {  // I7
  Rng rng(3);
  for (int i = 0; i < 2000; ++i) {
    auto demand = random_demand(rng);
    CommitmentPrices prices{.unit = 1 + 9 * rng.uniform(), .spill = 1 + 19 * rng.uniform()};
    auto best = best_commitment(demand, prices, 25);
    ASSERT_TRUE(best);
    auto tried = best_by_trying(demand, prices, 25);
    ASSERT_NEAR(best->usd, tried.usd, 1e-9);
    ASSERT_EQ(best->units, tried.units);
  }
}

TEST(BestCommitment, IsTheFractileOfWholeDemand) {
  // Ten equally likely demands 1..10, a unit at 3, spilling at 10: F(q) >= 0.7.
  std::vector<double> demand{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(best_commitment(demand, {3.0, 10.0}, 100)->units, 7u);
  EXPECT_EQ(best_commitment(demand, {3.0, 10.0}, 5)->units, 5u) << "no more than may be had";
  EXPECT_EQ(best_commitment(demand, {11.0, 10.0}, 100)->units, 0u) << "dearer even when always full";
  EXPECT_FALSE(best_commitment(demand, {0, 10}, 100));
  EXPECT_EQ(best_commitment({}, {1, 10}, 100)->units, 0u);
}

TEST(BestCommitment, CommittingToTheMeanOrThePeakCostsMore) {  // off
  std::vector<double> demand;
  for (int hour = 0; hour < 24; ++hour) demand.push_back(hour >= 9 && hour < 17 ? 10 : 1);
  CommitmentPrices prices{4, 10};
  auto best = best_commitment(demand, prices, 50);
  EXPECT_EQ(best->units, 1u) << "eight hours of 24 are less than 4 of 10";
  EXPECT_LT(best->usd, 0.95 * commitment_of(4, demand, prices).usd);
  EXPECT_LT(best->usd, 0.95 * commitment_of(10, demand, prices).usd);
}

/// Calls of a shape come at random; each is served by the unit while its buckets hold, else on demand.
struct SimulatedMonth {
  double reserved_usd = 0, on_demand_usd = 0, utilisation = 0;
};
SimulatedMonth simulate_month(double load, const QuotaPolicy& limits, const Price& price, double unit_usd) {
  Rng rng(9);
  constexpr int hours = 720;
  constexpr double input = 4000, output = 400;
  auto calls_per_hour = limits.input_tokens_per_minute * 60 / input;
  SimulatedMonth out;
  for (int hour = 0; hour < hours; ++hour) {
    auto wanted = std::max(0.0, load * calls_per_hour + std::sqrt(load * calls_per_hour) * rng.normal());
    auto served = std::min(wanted, calls_per_hour);
    auto call_usd = (price.input * input + price.output * output) / 1e6;
    out.reserved_usd += unit_usd + (wanted - served) * call_usd;
    out.on_demand_usd += wanted * call_usd;
    out.utilisation += served / calls_per_hour / hours;
  }
  return out;
}

TEST(BreakEven, IsWhereASimulatedMonthCostsTheSame) {  // C14
  QuotaPolicy limits{.input_tokens_per_minute = 1'000'000, .output_tokens_per_minute = 200'000};
  Price price{.input = 3, .output = 15};
  double unit_usd = 150;
  CommitmentPrices prices{unit_usd, on_demand_per_hour(limits, 4000, 400, price)};
  // 15,000 calls of 1.8 cents.
  EXPECT_NEAR(prices.spill, 270, 1e-9);
  auto even = break_even_utilisation(prices);
  EXPECT_NEAR(even, 150.0 / 270, 1e-12);
  auto at = simulate_month(even, limits, price, unit_usd);
  EXPECT_NEAR(at.reserved_usd / at.on_demand_usd, 1, 0.002);
  EXPECT_NEAR(at.utilisation, even, 0.002);
  auto below = simulate_month(0.9 * even, limits, price, unit_usd);
  auto above = simulate_month(1.1 * even, limits, price, unit_usd);
  EXPECT_GT(below.reserved_usd, below.on_demand_usd);
  EXPECT_LT(above.reserved_usd, above.on_demand_usd);
}

TEST(OnDemandPerHour, IsBoundByTheTighterBucket) {
  Price price{.input = 1, .output = 10};
  EXPECT_NEAR(on_demand_per_hour({.input_tokens_per_minute = 1000}, 1000, 100, price), 60 * 0.002, 1e-12);
  QuotaPolicy both{.input_tokens_per_minute = 1000, .output_tokens_per_minute = 10};
  EXPECT_NEAR(on_demand_per_hour(both, 1000, 100, price), 6 * 0.002, 1e-12);
  EXPECT_EQ(on_demand_per_hour({}, 1000, 100, price), 0);
}

}  // namespace
}  // namespace troupe::policy
