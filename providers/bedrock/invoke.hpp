// The "bedrock_invoke" dialect: InvokeModel and InvokeModelWithResponseStream with Anthropic bodies, both
// sides (WIRE 1.2, 1.6).
#pragma once

#include "providers/dialect.hpp"
#include "providers/serve.hpp"

namespace troupe::providers::bedrock {

/// The Messages body without `model` and `stream`, plus anthropic_version: Target.api_version, by default
/// "bedrock-2023-05-31", which every Claude model takes; "2026-10-21" only from Claude 4.7 on, and without
/// sampling. Translations and failures are write_messages_body's (providers/anthropic/encode.hpp);
/// bad_request also for a model id that is empty or above 2,048 characters. Errors are Bedrock's, over HTTP
/// and as exception frames. Completion.tier is X-Amzn-Bedrock-Service-Tier, or the body's own word.
const Dialect& invoke_dialect();

/// POST …/model/{id}/invoke and …/invoke-with-response-stream. anthropic_version is required, as it is there.
const DialectServer& invoke_server();

}  // namespace troupe::providers::bedrock
