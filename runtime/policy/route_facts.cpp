// Prices, names and soundness of routing's facts.
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

std::optional<std::string> validate(const RoutePolicy& policy) {
  constexpr std::size_t attempts_most = 32;
  if (policy.attempts_max == 0 || policy.attempts_max > attempts_most)
    return fmt::format("attempts_max is {}; it must be from 1 to {}", policy.attempts_max, attempts_most);
  if (!std::isfinite(policy.headroom_factor) || policy.headroom_factor < 0)
    return fmt::format("headroom_factor is {}; it must be 0 or more, usually 1", policy.headroom_factor);
  if (!(policy.backup_trickle_max >= 0 && policy.backup_trickle_max <= 1))
    return fmt::format("backup_trickle_max is {}; it must be from 0 to 1", policy.backup_trickle_max);
  return std::nullopt;
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
