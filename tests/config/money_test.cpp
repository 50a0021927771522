// Options about money: prices by day, reserved hours, budgets.
#include "runtime/config/config.hpp"
#include "runtime/policy/price_table.hpp"

#include <gtest/gtest.h>

namespace troupe::config {
namespace {

constexpr const char* kSound = R"(
providers:
  east: {dialect: bedrock, base_url: "https://a", region: us-east-1}
  west: {dialect: vertex_gemini, base_url: "https://b", region: europe-west4, project: p}
prices: {file: configs/prices.yaml, models: {small-id: {input: 0.5, output: 1}}}
endpoints:
  list:
    - id: pt
      provider: east
      model: large
      remote_model: "arn:aws:bedrock:x"
      kind: reserved
      reserved:
        {units: 3, unit: model_unit, usd_per_hour: 40, since: "2026-11-01",
         kept: [{feature: recap, units: 2}]}
      limits: {input_tokens_per_minute: 300000, output_tokens_per_minute: 30000}
    - {id: od, provider: east, model: large, remote_model: global.anthropic.claude-sonnet-5}
    - id: gsu
      provider: west
      model: small
      remote_model: gemini-2.5-flash
      kind: reserved
      reserved: {units: 2, unit: gsu, term: 1_month}
    - {id: cheap, provider: west, model: small, remote_model: small-id}
models: {large: {}, small: {}}
features:
  recap: {hierarchy: [large, small], budget: {usd_per_day: 10}}
tenants:
  acme: {budget: {usd_per_day: 3, warn: 0.5}}
  other: {}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Result<Config> read(const std::string& text) { return parse_config(text, "money.yaml", TROUPE_SOURCE_DIR); }

TEST(Money, KnowsEveryPriceAModelHasHad) {  // I5
  auto config = read(kSound);
  ASSERT_TRUE(config) << config.error().what;
  const auto& tariff = config->endpoints.list[1].tariff;
  ASSERT_EQ(tariff.rows.size(), 2u);
  Usage million{.input = 1'000'000};
  EXPECT_EQ(policy::cost_of(tariff, million, *policy::midnight_of("2026-08-31")).usd, 2);
  EXPECT_EQ(policy::cost_of(tariff, million, *policy::midnight_of("2026-09-01")).usd, 3);
  // What the file says itself holds always.
  EXPECT_EQ(policy::cost_of(config->endpoints.list[3].tariff, million, {}).usd, 0.5);
}

TEST(Money, ReservedCapacityIsPaidByTheHour) {
  auto config = read(kSound);
  ASSERT_TRUE(config) << config.error().what;
  auto pools = reserved_pools(*config);
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_EQ(pools[0].usd_per_unit_hour, 40);
  EXPECT_EQ(pools[0].since, *policy::midnight_of("2026-11-01"));
  EXPECT_EQ(pools[0].reservations.at(0).feature, "recap");
  EXPECT_NEAR(pools[1].usd_per_unit_hour, 3.6986 * 1.1, 1e-9) << "the list's, outside the global location";
  auto cost = policy::cost_of(config->endpoints.list[0].tariff, {.input = 18'000'000}, {});
  EXPECT_EQ(cost.usd, 0);
  EXPECT_NEAR(cost.unit_hours, 3, 1e-9);
}

TEST(Money, BudgetsNameTheModelThatLeadsWhenMoneyIsShort) {  // I6
  auto config = read(kSound);
  ASSERT_TRUE(config) << config.error().what;
  auto rules = budget_rules(*config);
  EXPECT_EQ(rules.features.at("recap").cheaper, 1u) << "the cheapest, as none is named";
  EXPECT_EQ(rules.features.at("recap").policy.usd_per_day, 10);
  EXPECT_EQ(rules.tenants.size(), 1u);
  EXPECT_EQ(rules.tenants.at("acme").warn, 0.5);
  auto named = read(with(kSound, "usd_per_day: 10", "usd_per_day: 10, model: large"));
  ASSERT_TRUE(named);
  EXPECT_EQ(budget_rules(*named).features.at("recap").cheaper, 0u);
}

TEST(Money, FocusKnowsTheClouds) {
  auto config = read(kSound);
  ASSERT_TRUE(config) << config.error().what;
  auto resources = focus_resources(*config);
  EXPECT_EQ(resources.at("od").provider_name, "AWS");
  EXPECT_EQ(resources.at("gsu").service_name, "Vertex AI");
  EXPECT_EQ(resources.at("od").account, "east");
}

TEST(Money, WhatCannotBeIsRefused) {
  using Case = std::array<std::string, 3>;
  for (const auto& [from, to, word] : std::vector<Case>{
           {"units: 3,", "units: -3,", "units"},
           {"kind: reserved\n      reserved:\n", "kind: on_demand\n      reserved:\n", "kind reserved only"},
           {"usd_per_hour: 40", "usd_per_hour: 0", "say what one costs"},
           {"term: 1_month", "term: 2_months", "none of"},
           {"2026-11-01", "2026-11-31", "must be a day"},
           {"feature: recap, units: 2", "feature: recal, units: 2", "no feature"},
           {"feature: recap, units: 2", "feature: recap, units: 4", "kept of 3"},
           {"usd_per_day: 10", "usd_per_day: 10, model: larg", "not in the hierarchy"},
           {"usd_per_day: 10", "usd_per_day: 10, degrade: 0.5", "do not fall"},
           {"warn: 0.5", "warn: 1.5", "do not fall"}}) {
    auto config = read(with(kSound, from, to));
    ASSERT_FALSE(config) << to;
    EXPECT_EQ(config.error().code, Errc::bad_config);
    EXPECT_NE(config.error().what.find(word), std::string::npos) << config.error().what;
  }
}

}  // namespace
}  // namespace troupe::config
