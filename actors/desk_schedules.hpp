// The desk's answer about schedules.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

/// "schedules.list" {at_ms, schedule, tenant, count}: see schedules_json. A node without schedules has none.
void schedules_list(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
