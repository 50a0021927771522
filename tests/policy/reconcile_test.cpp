// Bills against the books (I1): made from a ground truth with everything that bills do.
#include "runtime/policy/reconcile.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

constexpr MicroUsd kCent = 10'000;

std::string day_text(int day) { return date_of({(20'600 + day) * std::int64_t{86'400'000}}); }

/// What really happened, what we booked of it, and what the providers make of it.
struct BilledWorld {
  std::map<std::string, MicroUsd> truth;         // by feature, of settled days
  std::map<std::string, MicroUsd> by_bill_tags;  // what one would know from the bill alone
  std::vector<BookedLine> booked;
  std::string csv = "Day,Provider,SKU,Region,Quantity,Unit,Cost,Currency,tag_feature\n";
  MicroUsd injected = 0, credits = 0;
  std::size_t lines = 0;
};

constexpr int kDays = 30, kSettle = 2;
constexpr double kEuro = 1.08;

// Of forty attempts; two of a hundred streams are cut, and their tokens are our own estimate.
MicroUsd booked_of(MicroUsd cost, Rng& rng) {
  double sum = 0;
  for (int attempt = 0; attempt < 40; ++attempt) sum += rng.uniform() < 0.02 ? 0.8 + 0.4 * rng.uniform() : 1;
  return static_cast<MicroUsd>(static_cast<double>(cost) * sum / 40);
}

void bill_line(BilledWorld& world, int day, const std::string& provider, const std::string& sku,
               MicroUsd cost, const std::string& tag) {
  bool euro = provider == "gcp";
  auto amount = static_cast<double>(cost) / 1e6 / (euro ? kEuro : 1);
  world.csv += fmt::format("{},{},{},r,1,tokens,{:.2f},{},{}\n", day_text(day), provider, sku, amount,
                           euro ? "EUR" : "USD", tag);
  ++world.lines;
}

BilledWorld billed_world(std::uint64_t seed) {
  Rng rng(seed);
  BilledWorld world;
  for (int day = 0; day < kDays; ++day)
    for (const std::string provider : {"aws", "gcp", "openai"})
      for (const std::string sku : {"large", "small"})
        for (const std::string feature : {"recap", "search", "summary"}) {
          auto cost = static_cast<MicroUsd>(20e6 * std::exp(rng.normal()));
          auto ours = booked_of(cost, rng);
          world.booked.push_back({day_text(day), provider, sku, feature, ours});
          bool settled = day < kDays - kSettle;
          if (settled) world.truth[feature] += cost;
          // The last days are on the bill in part only.
          if (!settled && rng.below(2) == 0) continue;
          bool tagged = rng.below(10) >= 3;
          if (settled && tagged) world.by_bill_tags[feature] += cost;
          bill_line(world, day, provider, sku, cost, tagged ? feature : "");
        }
  // Someone called a provider past us; and a credit.
  world.injected = 137'500'000;
  bill_line(world, 12, "openai", "unknown-model", world.injected, "");
  world.credits = -50'000'000;
  bill_line(world, 5, "aws", "large", world.credits, "");
  return world;
}

TEST(Reconcile, FindsWhatFeaturesCostAndWhatIsLeftOver) {  // I1
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto world = billed_world(seed);
    auto bill = parse_bill(world.csv, {{"EUR", kEuro}});
    ASSERT_TRUE(bill) << bill.error().what;
    auto found = reconcile(*bill, world.booked, {.settle_days = kSettle});
    for (const auto& [feature, cost] : world.truth) {
      auto error =
          std::abs(static_cast<double>(found.by_feature.at(feature) - cost)) / static_cast<double>(cost);
      EXPECT_LT(error, 0.005) << "stated: half a percent, from estimates of cut streams; " << feature;
      auto by_tags = 1 - static_cast<double>(world.by_bill_tags.at(feature)) / static_cast<double>(cost);
      EXPECT_GT(by_tags, 0.1) << "off: by the bill's tags alone";
    }
    ASSERT_EQ(found.providers.size(), 3u);
    for (const auto& provider : found.providers) {
      auto expected = provider.provider == "openai" ? world.injected : 0;
      // Rounding of each line to the cent, and the estimates: half a percent of what was billed.
      auto slack = static_cast<MicroUsd>(world.lines) * kCent + provider.billed / 200;
      EXPECT_LT(std::abs(provider.residual() - expected), slack) << provider.provider;
      EXPECT_EQ(provider.credits, provider.provider == "aws" ? world.credits : 0);
      EXPECT_EQ(provider.agrees, provider.provider != "openai");
    }
    const auto& openai = found.providers.back();
    EXPECT_EQ(openai.skus.front().sku, "unknown-model") << "where it comes from";
    EXPECT_EQ(openai.skus.front().residual(), world.injected);
  }
}

TEST(Reconcile, TheResidualIsTheInjectedDiscrepancyToTheCentWhereBooksAreExact) {
  std::vector<BookedLine> booked{{"2026-11-01", "aws", "m", "a", 5'010'000},
                                 {"2026-11-02", "aws", "m", "b", 4'990'000}};
  std::vector<BillLine> bill{{.day = "2026-11-01", .provider = "aws", .sku = "m", .cost = 6'010'000},
                             {.day = "2026-11-02", .provider = "aws", .sku = "m", .cost = 4'990'000}};
  auto found = reconcile(bill, booked, {.settle_days = 0});
  EXPECT_EQ(found.residual, 1'000'000);
  MicroUsd features = 0;
  for (const auto& [name, cost] : found.by_feature) features += cost;
  EXPECT_EQ(features + found.residual, found.billed);
}

TEST(Reconcile, DoesNotCallLateDaysADiscrepancy) {
  std::vector<BookedLine> booked;
  std::vector<BillLine> bill;
  for (int day = 1; day <= 9; ++day) {
    booked.push_back({fmt::format("2026-11-0{}", day), "aws", "m", "a", 1'000'000});
    if (day < 8)
      bill.push_back({.day = fmt::format("2026-11-0{}", day),
                      .provider = "aws",
                      .sku = "m",
                      .cost = day < 7 ? 1'000'000 : 300'000});
  }
  auto found = reconcile(bill, booked, {.settle_days = 1}).providers.front();
  EXPECT_EQ(found.to, "2026-11-06");
  EXPECT_EQ(found.residual(), 0);
  EXPECT_EQ(found.booked_later, 3'000'000);
  EXPECT_EQ(found.billed_later, 300'000);
  // Off: every day compared at once.
  EXPECT_NE(reconcile(bill, booked, {.settle_days = 0}).residual, 0);
}

TEST(Reconcile, ListsWhoSentNoBill) {
  std::vector<BookedLine> booked{{"2026-11-01", "aws", "m", "a", 7}};
  auto found = reconcile({}, booked);
  EXPECT_TRUE(found.providers.empty());
  EXPECT_EQ(found.unbilled.at("aws"), 7);
  EXPECT_TRUE(found.by_feature.empty());
}

TEST(ParseBill, ReadsColumnsByName) {
  auto bill = parse_bill(
      "currency,cost,model,provider,day,note\r\n,1.25,\"m, large\",aws,2026-11-03T00:00:00Z,x\r\n");
  ASSERT_TRUE(bill) << bill.error().what;
  ASSERT_EQ(bill->size(), 1u);
  EXPECT_EQ(bill->front().sku, "m, large");
  EXPECT_EQ(bill->front().day, "2026-11-03");
  EXPECT_EQ(bill->front().cost, 1'250'000);
}

TEST(ParseBill, NamesTheLineOfWhatIsWrong) {
  std::string head = "day,provider,cost,currency\n";
  for (auto [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"", "empty"},
           {"day,provider\n", "no column cost"},
           {"day,day,provider,cost\n", "twice"},
           {head + "2026-11-01,aws,1\n2026-02-30,aws,1\n", "line 3: day"},
           {head + "2026-11-01,,1\n", "provider"},
           {head + "2026-11-01,aws,\n", "cost is empty"},
           {head + "2026-11-01,aws,1e3x\n", "cost is no number"},
           {head + "2026-11-01,aws,nan\n", "cost is no number"},
           {head + "2026-11-01,aws,1e300\n", "beyond"},
           {head + "2026-11-01,aws,1,EUR\n", "one EUR in USD"},
           {head + "2026-11-01,aws,\"1\n", "not closed"},
           {head + "2026-11-01,\"aws\"x,1\n", "closing quote"}}) {
    auto bill = parse_bill(text);
    ASSERT_FALSE(bill) << text;
    EXPECT_EQ(bill.error().code, Errc::invalid_input);
    EXPECT_NE(bill.error().what.find(word), std::string::npos) << bill.error().what;
  }
}

TEST(ParseBill, SurvivesAnyBytes) {
  Rng rng(6);
  const std::string seeds = "day,provider,cost\n\"2026-11-01\",aws,1.5\r\n,;'\x80\xff";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = rng.below(2) == 0 ? "day,provider,cost\n" : "";
    for (auto n = rng.below(60); n > 0; --n) text += seeds[rng.below(seeds.size())];
    (void)parse_bill(text);
  }
  SUCCEED();
}

}  // namespace
}  // namespace troupe::policy
