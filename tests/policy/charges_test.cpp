// Every grouping of what was spent has the same sum, and FOCUS has the ledger's (I2, I3).
#include "runtime/policy/charges.hpp"
#include "runtime/policy/csv.hpp"
#include "runtime/policy/focus.hpp"
#include "runtime/policy/price_table.hpp"

#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>

namespace troupe::policy {
namespace {

constexpr std::int64_t kHour = 3'600'000;
const WallTime kBegin{midnight_of("2026-10-30")->ms};
const WallTime kEnd{midnight_of("2026-11-03")->ms};

std::vector<LedgerLine> random_ledger(Rng& rng) {
  std::vector<LedgerLine> lines;
  for (auto n = rng.below(300); n > 0; --n) {
    LedgerLine line;
    line.hour = {kBegin.ms + static_cast<std::int64_t>(rng.below(96)) * kHour};
    line.feature = std::vector<std::string>{"recap", "search, \"deep\"", "summary"}[rng.below(3)];
    line.tenant = rng.below(2) == 0 ? "acme" : "globex";
    line.cause = std::vector<std::string>{"primary", "retry", "fallback", "spillover", "hedge",
                                          "trickle", "probe", "shadow",   "judge"}[rng.below(9)];
    bool reserved = rng.below(2) == 0;
    line.endpoint = reserved ? "pt" : "od";
    line.model = "large";
    line.price = reserved ? "reserved" : "2026-06-30";
    line.attempts = 1 + rng.below(9);
    line.usage.input = static_cast<std::int64_t>(rng.below(1'000'000));
    line.usage.output = static_cast<std::int64_t>(rng.below(100'000));
    if (reserved)
      line.unit_hours = 2 * rng.uniform();
    else
      line.nano = static_cast<NanoUsd>(rng.below(5'000'000'000));
    lines.push_back(line);
  }
  return lines;
}

ReservedPool pool() {
  ReservedPool out;
  out.endpoint = "pt";
  out.model = "large";
  out.units = 3;
  out.usd_per_unit_hour = 39.6123;
  out.reservations = {{"recap", 1}, {"quiet", 0.5}};
  return out;
}

NanoUsd tokens_of(const std::vector<LedgerLine>& lines) {
  NanoUsd sum = 0;
  for (const auto& line : lines) sum += line.nano;
  return sum;
}

TEST(Charges, SumToTheSameByEveryKey) {  // I2, I3
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    auto lines = random_ledger(rng);
    auto charges = charges_of(lines, std::vector{pool()}, kBegin, kEnd);
    NanoUsd billed = 0, bought = 0;
    for (const auto& charge : charges) {
      billed += charge.billed;
      if (charge.kind == ChargeKind::purchase) bought += charge.billed;
    }
    // 48 hours of October and 48 of November, each rounded as a month's bill is.
    ASSERT_EQ(bought, 2 * 570'417 * kNanoPerCent);
    ASSERT_EQ(billed, bought + tokens_of(lines));
    ASSERT_EQ(total_of(charges), billed);
    for (auto key : {"feature", "tenant", "model", "endpoint", "cause", "run"}) {
      NanoUsd sum = 0;
      std::uint64_t attempts = 0;
      for (const auto& row : sums_by(key, charges)) {
        sum += row.nano;
        attempts += row.attempts;
      }
      ASSERT_EQ(sum, billed) << key;
      std::uint64_t expected = 0;
      for (const auto& line : lines) expected += line.attempts;
      ASSERT_EQ(attempts, expected) << key;
    }
  }
}

TEST(Charges, HideNoCauseInAFeature) {  // I3
  LedgerLine line;
  line.hour = kBegin;
  line.feature = "recap";
  line.endpoint = "pt";
  line.cause = "shadow";
  line.unit_hours = 1;
  auto other = line;
  other.cause = "primary";
  other.unit_hours = 2;
  auto charges = charges_of(std::vector{line, other}, std::vector{pool()}, kBegin, {kBegin.ms + kHour});
  std::map<std::string, NanoUsd> by_cause;
  for (const auto& row : sums_by("cause", charges)) by_cause[row.key] = row.nano;
  // The hour costs 118.84 USD; what a borrowed of quiet's half unit, it pays.
  EXPECT_EQ(by_cause["shadow"] + by_cause["primary"], 11'884 * kNanoPerCent);
  EXPECT_NEAR(static_cast<double>(by_cause["primary"]) / static_cast<double>(by_cause["shadow"]), 2, 1e-6);
}

TEST(Charges, OfAPoolBeginAndEndWithIt) {
  auto some = pool();
  some.since = {kBegin.ms + 10 * kHour};
  some.until = {kBegin.ms + 20 * kHour};
  auto charges = charges_of({}, std::vector{some}, kBegin, kEnd);
  EXPECT_EQ(total_of(charges), 118'837 * kNanoPerCent);
  auto rows = sums_by("feature", charges);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].key, "(idle)");
  EXPECT_NEAR(rows[0].unit_hours, 15, 1e-9);
}

TEST(Charges, KnowNoOtherKey) { EXPECT_TRUE(sums_by("weather", {}).empty()); }

TEST(UsdText, IsExact) {
  EXPECT_EQ(usd_text(0), "0.000000000");
  EXPECT_EQ(usd_text(-1), "-0.000000001");
  EXPECT_EQ(usd_text(12'345'678'901, 6), "12.345678");
}

NanoUsd nano_in(const std::string& text) {
  bool below = text.starts_with('-');
  auto digits = text.substr(below ? 1 : 0);
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  NanoUsd value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return below ? -value : value;
}

TEST(Focus, HasTheColumnsAndTheSumOfTheLedger) {
  Rng rng(7);
  auto lines = random_ledger(rng);
  auto charges = charges_of(lines, std::vector{pool()}, kBegin, kEnd);
  auto text = focus_csv(charges, {{"pt", {"AWS", "Amazon Bedrock", "aws-east", "us-east-1", "m,1"}},
                                  {"od", {"AWS", "Amazon Bedrock", "aws-east", "us-east-1", "m,1"}}});
  auto rows = parse_csv(text);
  ASSERT_TRUE(rows) << rows.error().what;
  const auto& header = rows->front().fields;
  EXPECT_EQ(header, focus_columns());
  for (auto name : {"BilledCost",
                    "EffectiveCost",
                    "ListCost",
                    "ContractedCost",
                    "BillingCurrency",
                    "BillingPeriodStart",
                    "BillingPeriodEnd",
                    "ChargeCategory",
                    "ChargePeriodStart",
                    "ChargePeriodEnd",
                    "ServiceName",
                    "ProviderName",
                    "PublisherName",
                    "InvoiceIssuerName",
                    "RegionId",
                    "ResourceId",
                    "SkuId",
                    "PricingQuantity",
                    "PricingUnit",
                    "ListUnitPrice",
                    "ConsumedQuantity",
                    "ConsumedUnit",
                    "Tags"})
    EXPECT_EQ(std::count(header.begin(), header.end(), name), 1) << name;
  EXPECT_EQ(std::count_if(header.begin(), header.end(), [](const auto& n) { return !n.starts_with("x_"); }),
            43);
  auto column = [&](const char* name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  ASSERT_EQ(rows->size(), charges.size() + 1);
  NanoUsd billed = 0, effective = 0;
  for (auto row = rows->begin() + 1; row != rows->end(); ++row) {
    ASSERT_EQ(row->fields.size(), header.size());
    billed += nano_in(row->fields[column("BilledCost")]);
    effective += nano_in(row->fields[column("EffectiveCost")]);
    EXPECT_EQ(row->fields[column("SkuId")], "m,1");
    EXPECT_LT(row->fields[column("ChargePeriodStart")], row->fields[column("ChargePeriodEnd")]);
    EXPECT_LE(row->fields[column("BillingPeriodStart")], row->fields[column("ChargePeriodStart")]);
    EXPECT_GE(row->fields[column("BillingPeriodEnd")], row->fields[column("ChargePeriodEnd")]);
    auto quantity = std::stod(row->fields[column("PricingQuantity")]);
    auto list = std::stod(row->fields[column("ListCost")]);
    if (quantity <= 0) continue;
    EXPECT_NEAR(quantity * std::stod(row->fields[column("ListUnitPrice")]), list, 1e-6);
  }
  EXPECT_EQ(billed, total_of(charges));
  EXPECT_EQ(effective, total_of(charges));
}

TEST(Focus, SaysWhatAPurchaseIs) {
  auto charges = charges_of({}, std::vector{pool()}, kBegin, {kBegin.ms + kHour});
  auto rows = parse_csv(focus_csv(charges, {}));
  ASSERT_TRUE(rows);
  const auto& header = rows->front().fields;
  std::map<std::string, std::string> bought;
  for (std::size_t i = 0; i < header.size(); ++i) bought[header[i]] = (*rows)[1].fields[i];
  EXPECT_EQ(bought["ChargeCategory"], "Purchase");
  EXPECT_EQ(bought["BilledCost"], "118.840000000");
  EXPECT_EQ(bought["EffectiveCost"], "0.000000000");
  EXPECT_EQ(bought["ChargePeriodStart"], "2026-10-30T00:00:00Z");
  EXPECT_EQ(bought["BillingPeriodEnd"], "2026-11-01T00:00:00Z");
  EXPECT_EQ(bought["CommitmentDiscountId"], "pt");
  EXPECT_EQ(bought["ProviderName"], "Unknown");
}

}  // namespace
}  // namespace troupe::policy
