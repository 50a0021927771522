// A price list from a file.
#pragma once

#include "runtime/policy/price_table.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::config {

/// A file like configs/prices.yaml, at most 4 MiB. input_missing when it cannot be opened; bad_config with
/// one line per problem otherwise.
Result<policy::PriceTable> load_prices(const std::string& path);
Result<policy::PriceTable> parse_prices(std::string_view text, const std::string& name);

/// Whose price list a dialect's models are in: "bedrock" for both of its surfaces, "openai" for Azure too,
/// empty for SageMaker, which bills instances.
std::string price_list_of(std::string_view dialect);

}  // namespace troupe::config
