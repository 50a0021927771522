// A CompletionRequest as the body of a generateContent call (WIRE 4.2).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string_view>

namespace troupe::providers::vertex {

/// The same body serves both operations. Translations:
/// - System messages, wherever they stand, become parts of systemInstruction in order.
/// - Neighbours of one role are merged, for all results of a turn must follow it together.
/// - Tool results name their function, which the history tells. They stand ahead of a turn's other parts, in
///   the order of their calls, for ids are optional here and Gemini pairs calls and results by order. Ids we
///   made ourselves ("call_0") are not sent.
/// - A result's text travels as it is when it is a JSON object, otherwise as {"output": text}; a failed one
///   as {"error": text}.
/// - A ToolUsePart's signature is its thoughtSignature. A ReasoningPart with only a signature signs the text
///   before it. Reasoning with text is a thought part; redacted reasoning is another provider's and dropped.
/// - Cache points are dropped: prefixes are cached by themselves, and explicit caches are resources with a
///   life of their own.
/// - forced_tool is mode ANY with one allowed name. A response schema's name has no place. Reasoning tokens
///   become a thinkingBudget, with thoughts included unless it is 0.
/// - Empty text parts are dropped, for the service refuses them.
/// Fails with bad_request (check_request, a result without its call, a forced tool that is not offered, a
/// message left without content) or unsupported: parallel_tools false while tools are offered (this wire has
/// no word for it), GIF images, a temperature above 2, more than 5 stop sequences, a seed beyond 32 bits.
Result<Json> write_gemini_request(const CompletionRequest& request);

/// Is this an id the readers here make when the wire has none: "call_", at most 4 digits, and perhaps
/// "_" with 8 more characters?
bool is_made_call_id(std::string_view id);

}  // namespace troupe::providers::vertex
