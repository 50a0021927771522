// Options about money: reserved capacity with its hours, budgets; and what the books make of them (I2, I5,
// I6).
#pragma once

#include "runtime/policy/allocation.hpp"
#include "runtime/policy/budget.hpp"
#include "runtime/policy/charges.hpp"
#include "runtime/policy/focus.hpp"
#include "runtime/policy/tariff.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

struct Config;
struct EndpointConfig;
struct Problem;

/// Units bought for an endpoint of kind `reserved`. No units: its hours are not in the books.
struct ReservedConfig {
  double units = 0;
  /// As in the price list: "model_unit", "gsu" and a term.
  std::string unit, term = "none";
  /// Of one unit. When the file gives none: the price list's for the day of `since`, else of the day it was
  /// read.
  double usd_per_hour = 0;
  /// Days, UTC; empty: since the first attempt, still.
  std::string since, until;
  /// Kept for features that may come; others may use it while they do not.
  std::vector<policy::Reservation> kept;
};

struct FeatureBudgetConfig {
  policy::BudgetPolicy policy;
  /// Leads once `degrade` is reached; empty: the model of the hierarchy whose output costs least.
  std::string model;
};

/// Prices of `list` (config::price_list_of), for choosing and for the books; `today` is yyyy-mm-dd.
void complete_prices(EndpointConfig& endpoint, const policy::PriceTable& prices, const std::string& list,
                     const std::string& today);

/// What the books compute with; `config` must be sound.
std::vector<policy::ReservedPool> reserved_pools(const Config& config);
policy::BudgetRules budget_rules(const Config& config);
/// By endpoint.
std::map<std::string, policy::FocusResource> focus_resources(const Config& config);

/// Unknown features and models, days that are none, shares that fall, more kept than there is.
std::vector<Problem> validate_money(const Config& config);

}  // namespace troupe::config
