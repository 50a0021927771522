// The price list: the file that ships, and which row counts where and when.
#include "runtime/config/config.hpp"
#include "runtime/config/price_file.hpp"

#include <gtest/gtest.h>

namespace troupe::config {
namespace {

using policy::find_price;

policy::PriceTable shipped() {
  auto table = load_prices(std::string(TROUPE_SOURCE_DIR) + "/configs/prices.yaml");
  EXPECT_TRUE(table) << table.error().what;
  return table.value_or(policy::PriceTable{});
}

TEST(Prices, TheLatestRowThatHasBegunCounts) {
  auto table = shipped();
  auto input_on = [&](const char* date) {
    return find_price(table, "bedrock", "global.anthropic.claude-sonnet-5", "us-east-1", date)->input;
  };
  EXPECT_EQ(input_on("2026-08-31"), 2);
  EXPECT_EQ(input_on("2026-09-01"), 3);
  EXPECT_EQ(find_price(table, "bedrock", "global.anthropic.claude-sonnet-5", "", "2026-01-01"), nullptr);
}

TEST(Prices, AGeographicProfileOrARegionCostsWhatItsScopeSays) {
  auto table = shipped();
  auto input_of = [&](const char* model, const char* region) {
    return find_price(table, "bedrock", model, region, "2026-11-01")->input;
  };
  EXPECT_EQ(input_of("global.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"), 1);
  EXPECT_EQ(input_of("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"), 1.1);
  EXPECT_EQ(input_of("anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"), 1.1);
  EXPECT_EQ(input_of("us.anthropic.claude-sonnet-4-20250514-v1:0", "us-east-1"), 3);  // one price everywhere
  auto arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl";
  EXPECT_EQ(find_price(table, "bedrock", arn, "us-east-1", "2026-11-01"), nullptr);
}

TEST(Prices, ALongPromptMakesTheWholeRequestDearer) {
  auto table = shipped();
  const auto* row = find_price(table, "vertex", "gemini-2.5-pro", "global", "2026-11-01");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(policy::price_of(*row, 200'000).input, 1.25);
  EXPECT_EQ(policy::price_of(*row, 200'001).input, 2.5);
  EXPECT_EQ(policy::price_of(*row, 200'001).cache_read, 0.25);
}

TEST(Prices, UnitsHaveTermsAndARegionalFactor) {
  auto table = shipped();
  EXPECT_EQ(*policy::unit_price(table, "gsu", "", "1_month", "global", "2026-11-01"), 3.6986);
  EXPECT_NEAR(*policy::unit_price(table, "gsu", "", "1_month", "europe-west4", "2026-11-01"), 4.06846, 1e-9);
  EXPECT_FALSE(policy::unit_price(table, "model_unit", "Claude Opus 5", "1_month", "", "2026-11-01"));
}

TEST(Prices, AnHourLongCacheWriteHasAPriceOfItsOwn) {  // G6, G7
  auto table = shipped();
  const auto* row = find_price(table, "anthropic", "claude-haiku-4-5", "", "2026-11-01");
  auto price = policy::price_of(*row);
  Usage usage{.cache_write = 1'000'000, .cache_write_1h = 400'000};
  EXPECT_NEAR(policy::cost_usd(price, usage), 0.6 * 1.25 + 0.4 * 2, 1e-12);
  price.cache_write_1h = 0;
  EXPECT_NEAR(policy::cost_usd(price, usage), 1.25, 1e-12);
}

TEST(Prices, BadRowsAreNamed) {
  auto problem = [](const char* text) {
    auto table = parse_prices(text, "p.yaml");
    return table ? std::string("none") : table.error().what;
  };
  auto row = [](const std::string& members) {
    return "models: [{provider: bedrock, model: m, " + members + "}]";
  };
  EXPECT_NE(problem(row("from: \"2026-02-30\"").c_str()).find("must be a date"), std::string::npos);
  EXPECT_NE(problem(row("from: \"2026-02-03\", scope: mars").c_str()).find("scope"), std::string::npos);
  EXPECT_NE(problem(row("form: \"2026-02-03\"").c_str()).find("p.yaml:1"), std::string::npos);
  EXPECT_NE(problem("models: [{from: \"2026-02-03\"}, {from: \"2026-02-03\"}]").find("two rows"),
            std::string::npos);
  EXPECT_NE(problem("[").find("not YAML"), std::string::npos);
  EXPECT_EQ(problem("models: []"), "none");
}

TEST(Prices, AnEndpointWithoutAPriceTakesTheListsAndOneWithKeepsIts) {
  std::string text = R"(
prices: {file: prices.yaml}
providers:
  cloud: {dialect: bedrock, region: us-east-1}
  other: {dialect: anthropic}
models: {m: {}}
endpoints:
  list:
    - {id: a, provider: cloud, model: m, remote_model: us.anthropic.claude-haiku-4-5-20251001-v1:0}
    - {id: b, provider: other, model: m, remote_model: claude-haiku-4-5, price: {input: 7, output: 7}}
)";
  auto config = parse_config(text, "t.yaml", std::string(TROUPE_SOURCE_DIR) + "/configs");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->endpoints.list[0].price.input, 1.1);
  EXPECT_EQ(config->endpoints.list[0].price.cache_write_1h, 2.2);
  EXPECT_EQ(config->endpoints.list[1].price.input, 7);
  auto missing = parse_config("prices: {file: nowhere.yaml}", "t.yaml", ".");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("nowhere.yaml"), std::string::npos);
}

}  // namespace
}  // namespace troupe::config
