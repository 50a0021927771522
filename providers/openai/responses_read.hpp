// The body of an OpenAI Responses call as a CompletionRequest; see responses.hpp for what is understood.
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

namespace troupe::providers::openai {

/// `instructions` become the first, system, message. Consecutive items of the assistant (reasoning, messages,
/// function calls) become one message until it says something again; consecutive function_call_outputs become
/// one user message. A reasoning item becomes its summary as a text part, if it has one, and its
/// encrypted_content as a redacted part. bad_request naming the field that is missing or of the wrong type;
/// unsupported for content, items and tools we cannot hold, and for anything that refers to stored state.
Result<ServedCall> read_responses_request(const Json& body);

}  // namespace troupe::providers::openai
