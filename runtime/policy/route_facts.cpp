// Names, prices and soundness of routing's facts.
#include "runtime/policy/route.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace troupe::policy {

const char* to_string(CapacityKind kind) {
  constexpr std::array names{"reserved", "on_demand"};
  return names[static_cast<std::size_t>(kind)];
}

const char* to_string(Pools pools) {
  constexpr std::array names{"by_class", "reserved_first", "on_demand_first", "reserved_only",
                             "on_demand_only"};
  return names[static_cast<std::size_t>(pools)];
}

double cost_usd(const Price& price, const Usage& usage) {
  constexpr double tokens_per_price = 1e6;
  auto hour_long = price.cache_write_1h > 0 ? price.cache_write_1h : price.cache_write;
  double sum = price.input * static_cast<double>(usage.input) +
               price.output * static_cast<double>(usage.output) +
               price.cache_read * static_cast<double>(usage.cache_read) +
               price.cache_write * static_cast<double>(usage.cache_write - usage.cache_write_1h) +
               hour_long * static_cast<double>(usage.cache_write_1h);
  return sum / tokens_per_price;
}

ScoreWeights usual_weights(WorkClass work_class) {
  ScoreWeights usual;
  if (work_class == WorkClass::soon) usual.latency = usual.price = 0.5;
  if (work_class == WorkClass::batch) usual.latency = 0.2, usual.price = 1, usual.distance = 0.01;
  return usual;
}

namespace {

std::optional<std::string> unsound(const ScoreWeights& weights) {
  for (double weight : {weights.latency, weights.price, weights.errors, weights.distance, weights.affinity})
    if (!(weight >= 0 && weight <= 1000))
      return fmt::format("a weight is {}; it must be from 0 to 1000", weight);
  return std::nullopt;
}

std::optional<std::string> outside_unit(const char* name, double value) {
  if (value >= 0 && value <= 1) return std::nullopt;
  return fmt::format("{} is {}; it must be from 0 to 1", name, value);
}

}  // namespace

std::optional<std::string> validate(const RoutePolicy& policy) {
  constexpr std::size_t attempts_most = 32;
  if (policy.attempts_max == 0 || policy.attempts_max > attempts_most)
    return fmt::format("attempts_max is {}; it must be from 1 to {}", policy.attempts_max, attempts_most);
  if (!std::isfinite(policy.headroom_factor) || policy.headroom_factor < 0)
    return fmt::format("headroom_factor is {}; it must be 0 or more, usually 1", policy.headroom_factor);
  if (auto bad = outside_unit("backup_trickle_max", policy.backup_trickle_max)) return bad;
  if (auto bad = outside_unit("quality_margin", policy.quality_margin)) return bad;
  if (auto bad = outside_unit("explore_share", policy.explore_share)) return bad;
  if (policy.explore_after <= Duration::zero())
    return std::string("explore_after must be longer than nothing");
  return unsound(policy.weights);
}

void RoutePlan::clear() {
  order.clear();
  passed_over.clear();
  wait.reset();
}

std::optional<std::string> missing_backup(std::span<const std::string> hierarchy, const std::string& boundary,
                                          std::span<const EndpointFacts> endpoints) {
  std::set<std::pair<std::string, std::string>> domains;
  for (const auto& endpoint : endpoints) {
    bool wanted = std::ranges::find(hierarchy, endpoint.model) != hierarchy.end();
    bool inside = boundary.empty() || endpoint.boundary == boundary;
    if (wanted && inside) domains.emplace(endpoint.provider, endpoint.region);
  }
  if (domains.size() > 1) return std::nullopt;
  auto where = boundary.empty() ? std::string() : fmt::format(" inside {}", boundary);
  if (domains.empty())
    return fmt::format("no endpoint serves any of [{}]{}", fmt::join(hierarchy, ", "), where);
  return fmt::format("all endpoints of [{}]{} are in {} {}; add one in another provider or region",
                     fmt::join(hierarchy, ", "), where, domains.begin()->first, domains.begin()->second);
}

}  // namespace troupe::policy
