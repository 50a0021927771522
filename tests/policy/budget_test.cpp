// Budgets that first degrade, then stop, and what the day will cost (I6).
#include "runtime/policy/budget.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;
// Some midnight.
constexpr std::int64_t kStart = 20'000 * kDay;
WallTime at(double hour, int day = 0) {
  return {kStart + day * kDay + static_cast<std::int64_t>(hour * static_cast<double>(kHour))};
}

BudgetRules rules() {
  BudgetRules out;
  out.features["recap"] = {{.usd_per_day = 10}, 1};
  out.features["free"] = {{}, 2};
  out.tenants["acme"] = {.usd_per_day = 4};
  return out;
}

BudgetVerdict judge(const BudgetBook& book, WallTime now, const char* feature = "recap",
                    const char* tenant = "t") {
  auto state = book.state(now);
  return judge_budget(state.get(), feature, tenant, now);
}

TEST(Budget, WarnsThenDegradesThenStops) {  // I6
  BudgetBook book(rules());
  EXPECT_EQ(judge(book, at(1)).level, BudgetLevel::fine);
  EXPECT_TRUE(book.book("recap", "t", 7, at(1)));
  EXPECT_EQ(judge(book, at(1)).level, BudgetLevel::warned);
  EXPECT_FALSE(judge(book, at(1)).lead);
  EXPECT_FALSE(book.book("recap", "t", 1.9, at(2)));
  EXPECT_TRUE(book.book("recap", "t", 0.1, at(2)));
  auto cheap = judge(book, at(2));
  EXPECT_EQ(cheap.level, BudgetLevel::degraded);
  EXPECT_EQ(cheap.lead, 1u);
  EXPECT_FALSE(cheap.refusal);
  EXPECT_TRUE(book.book("recap", "t", 1, at(20)));
  auto stopped = judge(book, at(20));
  ASSERT_TRUE(stopped.refusal);
  EXPECT_EQ(stopped.refusal->code, Errc::quota_exhausted);
  EXPECT_EQ(stopped.refusal->retry_after, Duration(std::chrono::hours(4)));
  EXPECT_NE(stopped.refusal->what.find("feature recap"), std::string::npos);
  EXPECT_FALSE(stopped.refusal->failover);
}

TEST(Budget, OfATenantHoldsInEveryFeature) {
  BudgetBook book(rules());
  book.book("free", "acme", 3.7, at(3));
  EXPECT_EQ(judge(book, at(3), "free", "acme").lead, 2u) << "the feature's own cheaper model";
  EXPECT_EQ(judge(book, at(3), "free", "other").level, BudgetLevel::fine);
  book.book("recap", "acme", 0.3, at(3));
  auto stopped = judge(book, at(3), "free", "acme");
  ASSERT_TRUE(stopped.refusal);
  EXPECT_NE(stopped.refusal->what.find("tenant acme"), std::string::npos);
}

TEST(Budget, BeginsAnewWithTheDay) {
  BudgetBook book(rules());
  book.book("recap", "t", 50, at(23.9));
  auto old = book.state(at(23.9));
  EXPECT_TRUE(judge_budget(old.get(), "recap", "t", at(23.95)).refusal);
  // The state of yesterday is not believed, and a new one says so.
  EXPECT_FALSE(judge_budget(old.get(), "recap", "t", at(0, 1)).refusal);
  EXPECT_EQ(judge(book, at(0, 1)).level, BudgetLevel::fine);
}

TEST(Budget, WithoutOneNothingIsEverRefused) {
  BudgetBook book(rules());
  book.book("free", "t", 1e9, at(1));
  EXPECT_EQ(judge(book, at(1), "free").level, BudgetLevel::fine);
  EXPECT_EQ(judge(book, at(1), "unheard of").level, BudgetLevel::fine);
  EXPECT_EQ(judge_budget(nullptr, "recap", "t", at(1)).level, BudgetLevel::fine);
}

TEST(Budget, SaysEachMoveOnce) {
  BudgetBook book(rules());
  EXPECT_TRUE(book.moves(at(1)).empty());
  book.book("recap", "t", 7.5, at(1));
  auto moves = book.moves(at(1));
  ASSERT_EQ(moves.size(), 1u);
  EXPECT_EQ(moves[0].whose, "feature recap");
  EXPECT_EQ(moves[0].standing.level, BudgetLevel::warned);
  EXPECT_TRUE(book.moves(at(2)).empty());
  EXPECT_EQ(book.moves(at(1, 1)).size(), 1u) << "fine again";
}

TEST(Budget, IsTheSameWhenReadBackFromTheBooks) {  // restart
  BudgetBook whole(rules()), revived(rules());
  Rng rng(4);
  std::map<std::int64_t, double> hours;
  for (int i = 0; i < 2000; ++i) {
    auto when = at(191.5 * rng.uniform());
    auto usd = 0.01 * rng.uniform();
    whole.book("recap", "acme", usd, when);
    hours[when.ms / kHour * kHour] += usd;
  }
  for (auto [hour, usd] : hours) revived.book("recap", "acme", usd, {hour});
  auto a = whole.state(at(23.6, 7))->features.find("recap")->second.standing;
  auto b = revived.state(at(23.6, 7))->features.find("recap")->second.standing;
  EXPECT_EQ(a.level, b.level);
  EXPECT_NEAR(a.spent, b.spent, 1e-9);
  EXPECT_NEAR(a.forecast, b.forecast, 1e-9);
}

double usual(int hour) { return hour >= 8 && hour < 20 ? 1 : 0.1; }

TEST(Forecast, KnowsTheShapeOfTheDay) {
  BudgetMeter meter({.usd_per_day = 20});
  double day = 0;
  for (int hour = 0; hour < 24; ++hour) day += usual(hour);
  for (int past = 0; past < 5; ++past)
    for (int hour = 0; hour < 24; ++hour) meter.add(usual(hour), at(hour, past));
  // At midnight: as always. Then a day of twice the traffic.
  EXPECT_NEAR(meter.standing(at(0, 5)).forecast, day, 1e-9);
  for (int hour = 0; hour < 12; ++hour) meter.add(2 * usual(hour), at(hour, 5));
  auto noon = meter.standing(at(12, 5));
  EXPECT_NEAR(noon.forecast, 2 * day, 0.15 * day);
  EXPECT_TRUE(noon.overrun()) << noon.forecast;
  EXPECT_EQ(noon.level, BudgetLevel::fine) << "said in time: not half is spent";
  // Without the shape one would think the night's rate goes on.
  BudgetMeter flat({.usd_per_day = 20});
  for (int hour = 0; hour < 8; ++hour) flat.add(usual(hour), at(hour));
  EXPECT_LT(flat.standing(at(8)).forecast, 0.3 * day);
}

TEST(Forecast, DoesNotTakeTheFirstCallForTheDaysHabit) {
  BudgetMeter meter({.usd_per_day = 10});
  meter.add(0.01, at(0.001));
  EXPECT_LE(meter.standing(at(0.002)).forecast, 0.01 * 96 + 1e-9);
}

TEST(Forecast, IsFiniteForAnyHistory) {
  Rng rng(8);
  for (int i = 0; i < 2000; ++i) {
    BudgetMeter meter({.usd_per_day = 10});
    for (auto n = rng.below(20); n > 0; --n)
      meter.add(rng.below(5) == 0 ? NAN : std::exp(3 * rng.normal()), at(24.0 * 12 * rng.uniform()));
    auto standing = meter.standing(at(24.0 * 12 * rng.uniform()));
    ASSERT_TRUE(std::isfinite(standing.forecast));
    ASSERT_GE(standing.forecast, standing.spent - 1e-9);
  }
}

TEST(Budget, RefusesSharesThatFall) {
  EXPECT_FALSE(validate(BudgetPolicy{}));
  EXPECT_TRUE(validate(BudgetPolicy{.usd_per_day = -1}));
  EXPECT_TRUE(validate(BudgetPolicy{.usd_per_day = 1, .warn = 0.95}));
  EXPECT_TRUE(validate(BudgetPolicy{.usd_per_day = 1, .stop = NAN}));
}

TEST(CheapestModel, IsTheOneThatCostsLeastOnDemand) {
  std::vector<std::string> hierarchy{"large", "small", "tiny"};
  std::vector<EndpointFacts> endpoints(3);
  endpoints[0].model = "large";
  endpoints[0].price.output = 15;
  endpoints[1].model = "small";
  endpoints[1].price.output = 1;
  endpoints[2].model = "tiny";
  EXPECT_EQ(cheapest_model(hierarchy, endpoints), 1u) << "no price is not the best price";
  endpoints[0].price.output = 0.5;
  EXPECT_FALSE(cheapest_model(hierarchy, endpoints)) << "it leads already";
}

TEST(Budget, SavesMoneyOnlyWhileItIsOn) {  // I6, off
  auto spend = [](const BudgetRules& some) {
    BudgetBook book(some);
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
      auto now = at(20.0 * i / 10'000);
      auto verdict = judge(book, now);
      if (verdict.refusal) continue;
      auto usd = verdict.lead ? 0.001 : 0.01;
      book.book("recap", "t", usd, now);
      sum += usd;
    }
    return sum;
  };
  EXPECT_NEAR(spend(rules()), 10, 0.02);
  auto off = rules();
  off.features["recap"].policy.usd_per_day = 0;
  EXPECT_NEAR(spend(off), 100, 0.02);
}

}  // namespace
}  // namespace troupe::policy
