// The Messages API's versions: how they are named, and what the newer one changes (WIRE 5.4).
#pragma once

#include <troupe/error.hpp>

#include <string>
#include <string_view>

namespace troupe::providers::anthropic {

/// Accepted everywhere, allows sampling, takes the key as x-api-key. Our default.
inline constexpr std::string_view kClassicVersion = "2023-06-01";
/// Takes the key as Authorization: Bearer and answers 400 to any temperature, top_p or top_k.
inline constexpr std::string_view kBearerVersion = "2026-10-21";

/// Is this kBearerVersion or a later date? The words of Bedrock and Vertex ("bedrock-2023-05-31",
/// "vertex-2023-10-16") are not.
bool refuses_sampling(std::string_view version);

/// `wanted`, or `otherwise` when that is empty. Fails with bad_config unless it is 1 to 64 characters of
/// [A-Za-z0-9.-], for it becomes a header.
Result<std::string> choose_version(std::string_view wanted, std::string_view otherwise);

}  // namespace troupe::providers::anthropic
