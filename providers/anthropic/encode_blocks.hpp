// A conversation as the Messages API's `system` and `messages` (WIRE 5.4). Part of the encoder.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::anthropic {

struct Conversation {
  /// Text blocks; empty when there is no system message.
  Json system = Json::array();
  Json messages = Json::array();
};

/// See write_messages_body for the translations and failures.
Result<Conversation> write_conversation(const CompletionRequest& request);

}  // namespace troupe::providers::anthropic
