// Rules every dialect's encoder checks first, so that the wire is never asked to carry nonsense.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string_view>

namespace troupe::providers {

/// bad_request when: there are no messages; output_tokens_max is below 1; a tool's name is not 1..64
/// characters of [A-Za-z0-9_-] or appears twice; forced_tool names none of the tools; a part stands where it
/// cannot (images and tool results outside user messages, tool use and reasoning outside assistant messages);
/// an image's media type is none of the four.
Result<void> check_request(const CompletionRequest& request);

/// A JSON object out of JsonText; bad_request naming `where` when it is none.
Result<Json> parse_object(const JsonText& json, std::string_view where);

}  // namespace troupe::providers
