// The desk's word about single endpoints: operators' orders to a breaker, customers' ratings of answers.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

// Both reach the endpoint's breaker, on whatever node it lives; the answer names that node under "node". What
// goes to another node is handed over, not acknowledged: look at `endpoints` there. not_found for an endpoint
// that is not configured or given up, `unsupported` without a node.

/// {endpoint, order: open|close|freeze, ttl_ms, who, why}: holds for `ttl_ms` (F13).
void control_breaker(const DeskServices& services, const Json& input, const Reply& reply);
/// {endpoint, good, answered_ms} or {run, step, good}: a rating of an answer (C11). Of a step, the attempt
/// that answered it is rated. `answered_ms` 0: now.
void feedback(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
