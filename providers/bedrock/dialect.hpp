// The Bedrock Converse and ConverseStream dialect.
#pragma once

#include "providers/dialect.hpp"

namespace troupe::providers::bedrock {

/// Requests are unsigned; the caller signs them (providers/auth/sigv4.hpp, service "bedrock") after its last
/// change.
const Dialect& dialect();

}  // namespace troupe::providers::bedrock
