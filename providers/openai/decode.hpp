// OpenAI's words for answers: stop reasons, usage, whole completions (WIRE 5.1, 6.2, 6.3).
#pragma once

#include "providers/extra_members.hpp"
#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <string>
#include <string_view>

namespace troupe::providers::openai {

/// A whole chat.completion. Of several choices the first is read. A refusal is text with stop reason
/// content_filter. `reasoning_content` or `reasoning`, extensions of vLLM and others, becomes a reasoning
/// part. `service_tier` is the tier; `id`, `object` and `created` name the answer and are dropped; what else
/// the body, the choice and its message hold lands in `extra`. Fails with stream_broken when a part that
/// makes it whole is missing, and with the error's class for an error under status 200; the call may then
/// have been billed.
Result<Completion> read_chat_completion(const Json& body);

/// What ended the answer; a word we do not know is model_error and kept. Some servers say "stop" beside tool
/// calls.
StreamStopped read_finish_reason(std::string_view reason, bool has_tool_calls, bool refused);

/// A provider's word as kept beside model_error: valid UTF-8 of at most 64 bytes.
std::string unrecognised_word(std::string_view word);

/// What a model thought, in either member that servers put it in; empty when it did not.
std::string reasoning_text(const Json& message);

/// Keeps what a body or chunk, and a choice of it, say beyond the members read here. `content` is "message"
/// or "delta".
void keep_chat_extra(const Json& body, UnknownMembers& extra);
void keep_choice_extra(const Json& choice, std::string_view content, UnknownMembers& extra);

/// prompt_tokens include cached and cache-written ones here; ours do not (WIRE 6.3). Never negative.
Usage read_usage(const Json& usage);

}  // namespace troupe::providers::openai
