// The "anthropic" dialect: the Messages API in both of its live versions (WIRE 5.4).
#pragma once

#include "providers/dialect.hpp"

namespace troupe::providers::anthropic {

/// Target.api_version names the anthropic-version header: "2023-06-01" (the default, since it is accepted
/// everywhere and allows sampling; the key goes into x-api-key) or "2026-10-21" (Authorization: Bearer;
/// temperature and top_p are not sent, for the API refuses them). put_api_key looks at that header. The path
/// is base_path + "/v1/messages", so that Bedrock's mantle surface is base_path "/anthropic"; a base_path
/// that ends in /v1 is not given another.
const Dialect& dialect();

}  // namespace troupe::providers::anthropic
