// A CompletionRequest as the body of an OpenAI chat completion (WIRE 5.1), and the words its siblings share.
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
/// - reasoning_tokens_max becomes reasoning_effort, see effort_word.
/// `parallel_tool_calls` is written only to forbid them: true is the default, and some models refuse the
/// member. Fails with bad_request, see check_request.
Result<Json> write_chat_request(const CompletionRequest& request, const std::string& model);

/// The same for a container behind SageMaker (WIRE 3): no `model` (it serves one), `max_tokens` instead of
/// max_completion_tokens, `stream` always said, members in the order of the captured requests.
Result<Json> write_container_request(const CompletionRequest& request);

/// "low" below 2,048 tokens, "high" from 16,384, else "medium".
const char* effort_word(int reasoning_tokens_max);

/// "data:image/png;base64,…".
std::string data_url(const ImagePart& image);

/// All text parts of a message, joined.
std::string joined_text(const Message& message);

}  // namespace troupe::providers::openai
