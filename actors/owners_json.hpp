// A node's word on its endpoints as JSON, between nodes.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/policy/ownership.hpp"

#include <optional>

namespace troupe::actors {

Json to_json(const policy::Claims& claims);
/// Nothing when it is malformed.
std::optional<policy::Claims> claims_from(const Json& json);

}  // namespace troupe::actors
