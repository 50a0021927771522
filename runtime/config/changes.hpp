// What differs between two configurations: which options a reload would have to take over.
#pragma once

#include "runtime/config/config.hpp"

#include <string>
#include <vector>

namespace troupe::config {

/// Paths of options whose values differ, sorted: "features.recap.route.pools", "endpoints.list[2].model".
/// Secrets are compared by reference, prices of a table by what was read of it.
std::vector<std::string> changed_options(const Config& before, const Config& after);

/// Can a running node take this option over, without a restart? Those of a feature's routing.
bool may_reload(const std::string& option);

}  // namespace troupe::config
