// The OpenAI Responses dialect, from both sides (WIRE 5.2).
#pragma once

#include "providers/dialect.hpp"
#include "providers/serve.hpp"

namespace troupe::providers::openai {

/// POST {base}/responses. See responses_encode.hpp for the request, responses_decode.hpp for answers and
/// responses_stream.hpp for streams. Errors are those of "openai".
const Dialect& responses_dialect();

/// Accepts what responses_dialect() writes and what the official clients send, within what a
/// CompletionRequest can hold; see responses_read.hpp. Keeps nothing between calls: previous_response_id,
/// conversations and background calls are unsupported. Usage is always in the stream.
const DialectServer& responses_server();

}  // namespace troupe::providers::openai
