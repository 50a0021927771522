// The server's side of the Messages API (WIRE 5.4, 5.6).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

namespace troupe::providers::anthropic {

/// POST …/v1/messages, with or without ?beta=true, in any anthropic-version; without that header it is taken
/// for 2023-06-01. Writes request-id on every answer that has an AnswerHead.
const DialectServer& server();

/// The body of a whole answer; Bedrock and Vertex answer with the same.
Json write_message(const Completion& completion, const AnswerHead& head);

}  // namespace troupe::providers::anthropic
