// The body of an OpenAI chat completion as a CompletionRequest; see serve.hpp for what is understood.
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

namespace troupe::providers::openai {

/// bad_request naming the field that is missing or of the wrong type; unsupported for content we cannot hold.
Result<ServedCall> read_chat_request(const Json& body);

}  // namespace troupe::providers::openai
