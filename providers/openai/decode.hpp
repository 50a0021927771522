// OpenAI's words for answers: stop reasons, usage, whole completions (WIRE 5.1, 6.2, 6.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <string>
#include <string_view>

namespace troupe::providers::openai {

/// A whole chat.completion. Of several choices the first is read. A refusal is text with stop reason
/// content_filter. `reasoning_content`, an extension of vLLM and others, becomes a reasoning part. Fails with
/// stream_broken when a part that makes it whole is missing; the call may then have been billed.
Result<Completion> read_chat_completion(const Json& body);

/// What ended the answer; a word we do not know is model_error. Some servers say "stop" beside tool calls.
StopReason read_finish_reason(std::string_view reason, bool has_tool_calls, bool refused);

/// prompt_tokens include cached and cache-written ones here; ours do not (WIRE 6.3). Never negative.
Usage read_usage(const Json& usage);

}  // namespace troupe::providers::openai
