// Converse's toolConfig: when it must be sent, and what stands in it (WIRE 1.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::bedrock {

/// Null when toolConfig is to be left out. See write_converse_request for the rules.
Result<Json> write_tool_config(const CompletionRequest& request);

}  // namespace troupe::providers::bedrock
