// A route plan as a JSON document, for `troupe route explain`, logs and tests alike.
#pragma once

#include "runtime/policy/route.hpp"

#include <span>
#include <string>

namespace troupe::actors {

/// {"feature", "hierarchy", "input_tokens", "plan": [{"endpoint", "cause", "reason"}], "passed_over": [...],
/// "wait_ms"?}
std::string explain_route(const policy::RouteRequest& request, std::span<const policy::Candidate> candidates,
                          const policy::RoutePlan& plan);

}  // namespace troupe::actors
