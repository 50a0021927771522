// Converse's words for answers: stop reasons, usage, whole completions (WIRE 1.4, 6.2, 6.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <string_view>

namespace troupe::providers::bedrock {

/// A whole Converse answer. Blocks of kinds we do not carry (citations, redacted reasoning, media) are
/// skipped. Fails with stream_broken when a part that makes it whole is missing; the call may then have been
/// billed.
Result<Completion> read_converse(const Json& body);

/// A word we do not know is model_error.
StopReason read_stop_reason(std::string_view reason);
/// The word for a stop reason; `pause` has none and becomes end_turn.
const char* stop_word(StopReason reason);

/// inputTokens exclude cached ones, as ours do. Never negative; unknown keys are ignored.
Usage read_token_usage(const Json& usage);
/// The inverse, with totalTokens.
Json write_token_usage(const Usage& usage);

}  // namespace troupe::providers::bedrock
