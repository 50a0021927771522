// What an attempt costs: the price that was in force on its own day, for its own size and tier (I5). Pure.
#pragma once

#include "runtime/policy/price_table.hpp"
#include "runtime/policy/quota.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// Prices of one endpoint over time. Immutable.
struct Tariff {
  CapacityKind kind = CapacityKind::on_demand;
  /// From the configuration: holds on every day, whatever the list says.
  std::optional<Price> fixed;
  /// The list's rows for this model in this scope, oldest first.
  std::vector<PriceRow> rows;
  /// The provider's, by tier ("batch", "flex", "priority").
  std::vector<PriceFactor> factors;
  /// Reserved: how many units there are, and what they take together. Zero units: not known.
  double units = 0;
  QuotaPolicy limits;
};

/// Of a model as `find_price` names it. The regional factor is applied to rows that hold everywhere, since
/// rows with a scope have it in them already.
Tariff tariff_from(const PriceTable& table, std::string_view provider, std::string_view model,
                   std::string_view region);

/// How a cost was arrived at, as the ledger keeps it: a row's day, or one of these.
inline constexpr std::string_view kPricedByConfig = "config";
inline constexpr std::string_view kPricedByHour = "reserved";
inline constexpr std::string_view kUnpriced = "unpriced";

struct AttemptCost {
  /// 0 when reserved capacity served it or no price is known; `version` says which.
  double usd = 0;
  /// The day from which the price holds, yyyy-mm-dd, "config", "reserved" or "unpriced".
  std::string version;
  /// Reserved capacity used, in unit-hours.
  double unit_hours = 0;
  bool unpriced() const { return version == kUnpriced; }
};

/// `tier` is Completion::tier. A provider that says it served from the other kind of capacity is believed:
/// Vertex spills from provisioned throughput by itself (trafficType ON_DEMAND). An attempt that used nothing
/// costs nothing at any price.
AttemptCost cost_of(const Tariff& tariff, const Usage& usage, WallTime started, std::string_view tier = {});

/// Unit-hours that `usage` takes of `units` whose buckets are `limits`: the fuller of the two buckets, or
/// the one when output draws on input. Linear in the tokens, so that an hour's attempts may be added. What is
/// read from a cache takes nothing (WIRE 1.9). Zero when no limit is known.
double unit_hours_of(const QuotaPolicy& limits, double units, const Usage& usage);

}  // namespace troupe::policy
