// One look into configs/prices.yaml.
#include "bench/research_price.hpp"

#include "runtime/config/price_file.hpp"

#include <string>

namespace troupe::bench {

std::optional<policy::Price> list_price(const char* model) {
  constexpr const char* day = "2026-11-23";
  auto table = config::load_prices(std::string(TROUPE_SOURCE_DIR) + "/configs/prices.yaml");
  if (!table) return std::nullopt;
  const auto* row = policy::find_price(*table, "bedrock", model, "global", day);
  if (row == nullptr) return std::nullopt;
  return policy::price_of(*row);
}

}  // namespace troupe::bench
