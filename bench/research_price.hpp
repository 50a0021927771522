// What the simulated model's calls are taken to cost.
#pragma once

#include "runtime/policy/price_table.hpp"

#include <optional>

namespace troupe::bench {

/// Of a model on Bedrock, by the project's own price list as of a fixed day; nothing when it does not name
/// it.
std::optional<policy::Price> list_price(const char* model);

}  // namespace troupe::bench
