// A CompletionRequest as the body of an OpenAI chat completion (WIRE 5.1).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string>

namespace troupe::providers::openai {

/// What the wire has no word for is translated, never silently changed in meaning:
/// - Reasoning parts are dropped: the API neither takes nor needs them back.
/// - Cache points are dropped: prefixes are cached by themselves.
/// - Tool results of one user message become messages of role tool, ahead of its other parts.
/// - ToolResultPart::is_error is dropped; the text must say what failed.
/// - The text parts of one assistant message are joined.
/// Fails with bad_request, see check_request.
Result<Json> write_chat_request(const CompletionRequest& request, const std::string& model);

}  // namespace troupe::providers::openai
