// The Messages API's words for answers: stop reasons, usage, whole messages (WIRE 5.4, 6.2, 6.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <string_view>

namespace troupe::providers::anthropic {

/// A whole message. Blocks of kinds we do not carry (server tools, documents) and citations are skipped; what
/// else is unknown survives in `extra` (details.hpp). Fails with stream_broken when a part that makes it
/// whole is missing (the call may then have been billed), and with the error's class when it is an error
/// after all.
Result<Completion> read_message(const Json& body);

/// A word we do not know is model_error, with the word itself. "model_error" is our own server's word.
StreamStopped read_stop(std::string_view word);
/// The inverse: the unknown word itself, else the word of the reason.
std::string stop_word(StopReason reason, std::string_view unrecognised);

/// input_tokens exclude cached ones, as ours do. Counts are clamped to [0, 10^12], parts to their whole.
Usage read_usage(const Json& usage);
/// The inverse, in the order the API writes.
Json write_usage(const Usage& usage);

}  // namespace troupe::providers::anthropic
