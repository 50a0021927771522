// The body of an OpenAI chat completion as a CompletionRequest; see serve.hpp for what is understood.
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers::openai {

/// `model`, when not empty, is the one the path names; the body's is then not looked at. bad_request naming
/// the field that is missing or of the wrong type; unsupported for content we cannot hold.
Result<ServedCall> read_chat_request(const Json& body, std::string model = {});

/// bad_request naming the field, for `what` and for the caller to see.
std::unexpected<Error> wrong_field(std::string_view field);

/// "data:image/png;base64,…"; unsupported for a URL that would have to be fetched.
Result<ImagePart> read_data_url(const std::string& url);

/// The tokens that stand for an effort: none 0, minimal 512, low 1,024, medium 8,192, high 16,384,
/// xhigh 32,768; absent for another word.
std::optional<int> tokens_of_effort(std::string_view effort);

/// temperature, top_p and the limit of output tokens, the first present of `limit_names`, within what a
/// CompletionRequest can hold.
Result<void> read_numbers(const Json& body, std::initializer_list<std::string_view> limit_names,
                          CompletionRequest& request);

}  // namespace troupe::providers::openai
