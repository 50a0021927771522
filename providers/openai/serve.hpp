// OpenAI chat completions from the server's side: reading requests, writing answers and streams
// (WIRE 5.1, 5.6).
#pragma once

#include "providers/serve.hpp"

namespace troupe::providers::openai {

/// Accepts what `dialect()` writes and what the official clients send, within what a CompletionRequest can
/// hold: images only as data: URLs; `max_tokens` like `max_completion_tokens`; a named tool_choice is read as
/// "required"; json_object is read as the schema {"type":"object"}. Consecutive tool messages become one user
/// message.
const DialectServer& server();

}  // namespace troupe::providers::openai
