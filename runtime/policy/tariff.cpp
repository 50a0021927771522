#include "runtime/policy/tariff.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::policy {
namespace {

constexpr double kMinutesPerHour = 60;

double total_input(const Usage& usage) {
  return static_cast<double>(usage.input_total());
}

// Tiers have different names at each provider ("flex", "ON_DEMAND_FLEX"); these words are in all of them.
bool says(std::string_view tier, std::string_view word) {
  auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(tier.begin(), tier.end(), word.begin(), word.end(), same) != tier.end();
}

bool served_reserved(const Tariff& tariff, std::string_view tier) {
  if (says(tier, "on_demand")) return false;
  if (says(tier, "provisioned") || says(tier, "reserved")) return true;
  return tariff.kind == CapacityKind::reserved;
}

const PriceRow* row_on(const std::vector<PriceRow>& rows, std::string_view day) {
  const PriceRow* latest = nullptr;
  for (const auto& row : rows)
    if (row.from <= day) latest = &row;
  return latest;
}

double tier_factor(const std::vector<PriceFactor>& factors, std::string_view tier) {
  for (const auto& each : factors)
    if (says(tier, each.kind)) return each.factor;
  return 1;
}

// A row may say what a batch costs; the factor is for those that do not.
Price price_in_tier(const Tariff& tariff, const PriceRow& row, double input, std::string_view tier) {
  auto price = price_of(row, input);
  bool own = says(tier, "batch") && row.batch_input > 0 && row.batch_output > 0;
  if (own) {
    auto by = price.input > 0 ? row.batch_input / price.input : 1;
    price.cache_read *= by;
    price.cache_write *= by;
    price.cache_write_1h *= by;
    price.input = row.batch_input;
    price.output = row.batch_output;
    return price;
  }
  auto by = tier_factor(tariff.factors, tier);
  for (auto* each :
       {&price.input, &price.output, &price.cache_read, &price.cache_write, &price.cache_write_1h})
    *each *= by;
  return price;
}

void scale_row(PriceRow& row, double by) {
  for (auto* each :
       {&row.input, &row.output, &row.cache_read, &row.cache_write, &row.cache_write_1h, &row.batch_input,
        &row.batch_output, &row.long_input, &row.long_output, &row.long_cache_read})
    *each *= by;
}

}  // namespace

Tariff tariff_from(const PriceTable& table, std::string_view provider, std::string_view model,
                   std::string_view region) {
  Tariff tariff;
  double regional = 1;
  for (const auto& factor : table.factors) {
    if (factor.provider != provider) continue;
    if (factor.kind == "regional")
      regional = factor.factor;
    else
      tariff.factors.push_back(factor);
  }
  for (const auto& row : table.models) {
    // On its first day a row is in force, or one of the same model and scope that is listed twice.
    const auto* found = find_price(table, provider, model, region, row.from);
    if (found != &row) continue;
    tariff.rows.push_back(row);
    if (row.scope.empty() && region != "global" && !region.empty()) scale_row(tariff.rows.back(), regional);
  }
  std::ranges::stable_sort(tariff.rows, {}, &PriceRow::from);
  return tariff;
}

AttemptCost cost_of(const Tariff& tariff, const Usage& usage, WallTime started, std::string_view tier) {
  AttemptCost cost;
  if (served_reserved(tariff, tier)) {
    cost.version = kPricedByHour;
    cost.unit_hours = unit_hours_of(tariff.limits, tariff.units, usage);
    return cost;
  }
  if (tariff.fixed) {
    cost.version = kPricedByConfig;
    cost.usd = cost_usd(*tariff.fixed, usage);
    return cost;
  }
  const auto* row = row_on(tariff.rows, date_of(started));
  bool nothing = total_input(usage) == 0 && usage.output == 0;
  if (row == nullptr) {
    cost.version = nothing ? std::string_view() : kUnpriced;
    return cost;
  }
  cost.version = row->from;
  cost.usd = cost_usd(price_in_tier(tariff, *row, total_input(usage), tier), usage);
  return cost;
}

double unit_hours_of(const QuotaPolicy& limits, double units, const Usage& usage) {
  auto input = static_cast<double>(usage.input + usage.cache_write);
  auto output = limits.output_burndown * static_cast<double>(usage.output);
  auto of = [](double tokens, double per_minute) {
    return per_minute > 0 ? tokens / (per_minute * kMinutesPerHour) : 0;
  };
  if (limits.output_from_input) return units * of(input + output, limits.input_tokens_per_minute);
  return units *
         std::max(of(input, limits.input_tokens_per_minute), of(output, limits.output_tokens_per_minute));
}

}  // namespace troupe::policy
