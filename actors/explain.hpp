// A route plan as a JSON document, for `troupe route explain`, logs and tests alike.
#pragma once

#include "runtime/policy/dispatcher.hpp"

#include <string>

namespace troupe::actors {

/// {"feature", "hierarchy", "input_tokens", "plan": [{"endpoint", "cause", "reason", "score"}],
/// "passed_over":
/// [...], "wait_ms"?}
std::string explain_route(const policy::Router& router, const policy::CallFacts& call,
                          const policy::RoutePlan& plan);

}  // namespace troupe::actors
