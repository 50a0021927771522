// What a provider's `auth` may say for its kind and dialect.
#pragma once

#include "runtime/config/config.hpp"

namespace troupe::config {

/// Missing and misplaced options and malformed URLs. Reads no secret.
std::vector<Problem> validate_auth(const std::string& path, const ProviderConfig& provider);

/// The SigV4 service of a signed provider: "bedrock", "sagemaker", or "bedrock-mantle" for OpenAI's and
/// Anthropic's own surfaces on Bedrock (WIRE 1.1, 3). Empty: this provider is not signed.
std::string signing_service(const ProviderConfig& provider);

}  // namespace troupe::config
