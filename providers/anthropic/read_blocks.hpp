// The Messages API's `system` and `messages` as our messages. Part of the request reader.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::anthropic {

/// See read_messages_body.
Result<void> read_conversation(const Json& body, CompletionRequest& request);

}  // namespace troupe::providers::anthropic
