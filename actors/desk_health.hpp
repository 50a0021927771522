// The desk's word about single endpoints: operators' orders to a breaker, and ratings on their way to it.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

// Both reach the endpoint's breaker, on whatever node it lives; the answer names that node under "node". What
// goes to another node is handed over, not acknowledged: look at `endpoints` there. not_found for an endpoint
// that is not configured or given up, `unsupported` without a node.

/// {endpoint, order: open|close|freeze, ttl_ms, who, why}: holds for `ttl_ms` (F13).
void control_breaker(const DeskServices& services, const Json& input, const Reply& reply);
/// A rating of an answer (C11).
void tell_breaker(const DeskServices& services, const FeedbackObserved& fact, const Reply& reply);

}  // namespace troupe::actors
