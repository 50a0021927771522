// The price list as values: which row applies to a model in a place on a day. Pure.
#pragma once

#include "runtime/policy/route.hpp"

#include <troupe/time.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// USD per 1,000,000 tokens. Zero in cache, batch and long members: the wire's price list names none, so
/// cache reads and writes cost as input does, batch as on demand.
struct PriceRow {
  /// "bedrock", "vertex", "openai" or "anthropic".
  std::string provider;
  /// The provider's own id, without geographic prefix.
  std::string model;
  /// "global", "regional" or empty: the same everywhere.
  std::string scope;
  /// First day it is used, yyyy-mm-dd UTC.
  std::string from;
  double input = 0, output = 0, cache_read = 0, cache_write = 0, cache_write_1h = 0;
  double batch_input = 0, batch_output = 0;
  /// The whole request costs this once its prompt exceeds `long_from` tokens. Zero: no such step.
  double long_from = 0, long_input = 0, long_output = 0, long_cache_read = 0;
};

/// Reserved capacity: one Bedrock model unit or Vertex scale unit, for an hour.
struct UnitPrice {
  std::string provider;
  /// "model_unit" or "gsu".
  std::string unit;
  /// Empty: any.
  std::string model;
  /// "none", "1_week", "1_month", "3_months", "6_months" or "1_year".
  std::string term;
  std::string from;
  double usd_per_hour = 0;
};

struct PriceFactor {
  std::string provider;
  /// "batch", "flex", "priority" or "regional".
  std::string kind;
  double factor = 1;
};

struct PriceTable {
  std::string as_of;
  std::vector<PriceRow> models;
  /// On on-demand prices.
  std::vector<PriceFactor> factors;
  std::vector<UnitPrice> units;
  /// On unit prices.
  std::vector<PriceFactor> unit_factors;
};

/// yyyy-mm-dd, a day that exists.
bool is_date(std::string_view text);
/// When that day begins; nothing when it is no date.
std::optional<WallTime> midnight_of(std::string_view date);
/// The UTC day of a moment, as yyyy-mm-dd.
std::string date_of(WallTime wall);

/// The latest row for this model that has begun on `date`; nullptr when there is none. `model` may carry a
/// geographic prefix ("us.", "global."): that, or else `region` ("global"), chooses between the scopes.
/// Provisioned and application ARNs name no model and have no price here.
const PriceRow* find_price(const PriceTable& table, std::string_view provider, std::string_view model,
                           std::string_view region, std::string_view date);

/// What routing and the ledger compute with, for prompts of `input_tokens`.
Price price_of(const PriceRow& row, double input_tokens = 0);

/// USD for one unit for an hour, the regional factor included; nothing when the list names none.
std::optional<double> unit_price(const PriceTable& table, std::string_view unit, std::string_view model,
                                 std::string_view term, std::string_view region, std::string_view date);

/// One line for each row that cannot be right (a bad date, a negative price, a row twice); empty when sound.
std::vector<std::string> problems_of(const PriceTable& table);

}  // namespace troupe::policy
