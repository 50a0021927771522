// What the books make of the options about money, and what makes these sound.
#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace troupe::config {
namespace {

constexpr std::array kTerms{"none", "1_week", "1_month", "3_months", "6_months", "1_year"};

bool has_units(const EndpointConfig& endpoint) {
  return endpoint.kind == policy::CapacityKind::reserved && endpoint.reserved.units > 0;
}

/// Names of a cloud and its service, as FOCUS wants them; the configuration's own word where we know none.
std::pair<std::string, std::string> names_of(const std::string& provider, const std::string& dialect) {
  constexpr std::array<std::tuple<std::string_view, const char*, const char*>, 6> known{
      {{"bedrock", "AWS", "Amazon Bedrock"},
       {"sagemaker", "AWS", "Amazon SageMaker AI"},
       {"vertex", "Google Cloud", "Vertex AI"},
       {"azure", "Microsoft", "Azure OpenAI"},
       {"anthropic", "Anthropic", "Claude API"},
       {"openai", "OpenAI", "OpenAI API"}}};
  for (const auto& [prefix, cloud, service] : known)
    if (dialect.starts_with(prefix)) return {cloud, service};
  return {provider, provider};
}

class MoneyCheck {
 public:
  explicit MoneyCheck(const Config& config) : config_(config) {}

  std::vector<Problem> run() {
    for (std::size_t i = 0; i < config_.endpoints.list.size(); ++i)
      check_reserved(fmt::format("endpoints.list[{}].reserved", i), config_.endpoints.list[i]);
    for (const auto& [name, feature] : config_.features) check_feature("features." + name, feature);
    for (const auto& [name, tenant] : config_.tenants) check_budget("tenants." + name, tenant.budget);
    return std::move(problems_);
  }

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }

  void check_day(const std::string& path, const std::string& text) {
    if (!text.empty() && !policy::is_date(text)) add(path, "must be a day such as 2027-01-31");
  }

  void check_reserved(const std::string& path, const EndpointConfig& endpoint) {
    const auto& reserved = endpoint.reserved;
    if (reserved.units == 0) return;
    if (endpoint.kind != policy::CapacityKind::reserved)
      add(path, "units are bought for endpoints of kind reserved only");
    bool amounts = reserved.units > 0 && std::isfinite(reserved.units) && reserved.usd_per_hour >= 0;
    if (!amounts) add(path, "units and usd_per_hour must not be negative");
    if (std::ranges::find(kTerms, reserved.term) == kTerms.end())
      add(path + ".term", fmt::format("\"{}\" is none of {}", reserved.term, fmt::join(kTerms, ", ")));
    if (reserved.usd_per_hour == 0)
      add(path + ".usd_per_hour",
          fmt::format("no price list has a price for unit \"{}\" with term \"{}\"; say what one costs",
                      reserved.unit, reserved.term));
    check_day(path + ".since", reserved.since);
    check_day(path + ".until", reserved.until);
    check_kept(path + ".kept", reserved);
  }

  void check_kept(const std::string& path, const ReservedConfig& reserved) {
    double kept = 0;
    for (const auto& each : reserved.kept) {
      if (!config_.features.contains(each.feature))
        add(path, fmt::format("there is no feature \"{}\"", each.feature));
      if (!(each.units >= 0)) add(path, "units must not be negative");
      kept += each.units;
    }
    // Thirds do not add up to one in binary.
    if (kept > reserved.units * (1 + 1e-9))
      add(path, fmt::format("{} units are kept of {}", kept, reserved.units));
  }

  void check_feature(const std::string& path, const FeatureConfig& feature) {
    check_budget(path, feature.budget.policy);
    const auto& model = feature.budget.model;
    if (model.empty()) return;
    if (std::ranges::find(feature.hierarchy, model) == feature.hierarchy.end())
      add(path + ".budget.model", fmt::format("model \"{}\" is not in the hierarchy{}", model,
                                              did_you_mean(model, feature.hierarchy)));
  }

  void check_budget(const std::string& path, const policy::BudgetPolicy& budget) {
    if (auto bad = policy::validate(budget)) add(path + ".budget", *bad);
  }

  const Config& config_;
  std::vector<Problem> problems_;
};

}  // namespace

void complete_prices(EndpointConfig& endpoint, const policy::PriceTable& prices, const std::string& list,
                     const std::string& today) {
  auto fixed = endpoint.tariff.fixed;
  endpoint.tariff = policy::tariff_from(prices, list, endpoint.remote_model, endpoint.region);
  endpoint.tariff.fixed = fixed;
  endpoint.tariff.kind = endpoint.kind;
  endpoint.tariff.units = endpoint.reserved.units;
  endpoint.tariff.limits = endpoint.limits;
  if (!fixed)
    if (const auto* row = policy::find_price(prices, list, endpoint.remote_model, endpoint.region, today))
      endpoint.price = policy::price_of(*row);
  auto& reserved = endpoint.reserved;
  if (!has_units(endpoint) || reserved.usd_per_hour > 0) return;
  auto listed = policy::unit_price(prices, reserved.unit, endpoint.remote_model, reserved.term,
                                   endpoint.region, reserved.since.empty() ? today : reserved.since);
  reserved.usd_per_hour = listed.value_or(0);
}

std::vector<policy::ReservedPool> reserved_pools(const Config& config) {
  std::vector<policy::ReservedPool> out;
  for (const auto& endpoint : config.endpoints.list) {
    if (!has_units(endpoint)) continue;
    policy::ReservedPool pool;
    pool.endpoint = endpoint.id;
    pool.model = endpoint.model;
    pool.units = endpoint.reserved.units;
    pool.usd_per_unit_hour = endpoint.reserved.usd_per_hour;
    pool.reservations = endpoint.reserved.kept;
    if (auto since = policy::midnight_of(endpoint.reserved.since)) pool.since = *since;
    if (auto until = policy::midnight_of(endpoint.reserved.until)) pool.until = *until;
    out.push_back(std::move(pool));
  }
  return out;
}

policy::BudgetRules budget_rules(const Config& config) {
  std::vector<policy::EndpointFacts> endpoints;
  for (const auto& endpoint : config.endpoints.list) endpoints.push_back(endpoint_facts(endpoint));
  policy::BudgetRules rules;
  for (const auto& [name, feature] : config.features) {
    auto& rule = rules.features[name];
    rule.policy = feature.budget.policy;
    auto named = std::ranges::find(feature.hierarchy, feature.budget.model);
    if (named != feature.hierarchy.end())
      rule.cheaper = static_cast<std::size_t>(named - feature.hierarchy.begin());
    else
      rule.cheaper = policy::cheapest_model(feature.hierarchy, endpoints);
  }
  for (const auto& [name, tenant] : config.tenants)
    if (tenant.budget.usd_per_day > 0) rules.tenants[name] = tenant.budget;
  return rules;
}

std::map<std::string, policy::FocusResource> focus_resources(const Config& config) {
  std::map<std::string, policy::FocusResource> out;
  for (const auto& endpoint : config.endpoints.list) {
    auto provider = config.providers.find(endpoint.provider);
    auto dialect = provider == config.providers.end() ? std::string() : provider->second.dialect;
    auto [cloud, service] = names_of(endpoint.provider, dialect);
    out[endpoint.id] = {cloud, service, endpoint.provider, endpoint.region, endpoint.remote_model};
  }
  return out;
}

std::vector<Problem> validate_money(const Config& config) { return MoneyCheck(config).run(); }

}  // namespace troupe::config
