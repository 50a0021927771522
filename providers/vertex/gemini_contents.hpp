// Messages as Gemini's contents: roles, parts, and results named through the history (WIRE 4.2).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <vector>

namespace troupe::providers::vertex {

/// An object with `contents` and, when there is a system message, `systemInstruction`; the rules and failures
/// are write_gemini_request's.
Result<Json> write_gemini_contents(const std::vector<Message>& messages);

/// A text, thought or functionCall part. Arguments that are no JSON object become an empty one: a model may
/// answer with such, and an answer must be written all the same.
Json text_part(const std::string& text);
Json thought_part(const ReasoningPart& part);
Json call_part(const ToolUsePart& part);
/// Puts a signature on the part it came with: the last of `parts` when that is unsigned text, otherwise an
/// empty text of its own.
void sign_last(Json& parts, const std::string& signature);

}  // namespace troupe::providers::vertex
