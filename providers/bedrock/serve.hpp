// Bedrock Converse from the server's side: reading requests, writing answers and event streams (WIRE 1.3
// to 1.8).
#pragma once

#include "providers/serve.hpp"

namespace troupe::providers::bedrock {

/// Refuses what the service refuses: a first message that is not the user's, roles that do not alternate,
/// tools in the history without toolConfig. Content blocks a CompletionRequest cannot hold are `unsupported`;
/// guardrailConfig, requestMetadata, performanceConfig and serviceTier have no place in one and are dropped.
/// Credentials are not looked at: see providers/auth/sigv4.hpp, verify.
const DialectServer& server();

}  // namespace troupe::providers::bedrock
