// The body of a generateContent call as a CompletionRequest (WIRE 4.2).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::vertex {

/// Members in camelCase, or in the snake_case that protobuf's JSON takes too. Translations:
/// - Calls and results without an id are numbered through the history, "call_0", "call_1" …: a result belongs
///   to the first call of its name that is not answered yet.
/// - `parameters` and `responseSchema` are Google's Schema and become JSON Schema.
/// - allowedFunctionNames with one name is forced_tool, with several the tools are cut down to them.
/// - thinkingLevel becomes a budget: MINIMAL and LOW 1,024, MEDIUM 8,192, HIGH 16,384 tokens.
/// - responseMimeType application/json without a schema: any object.
/// - Safety settings, labels, topK, penalties and log-probabilities have no place and are dropped.
/// Fails with bad_request for what the service refuses, and unsupported for what we cannot hold or serve:
/// files, code execution, Google's own tools, cachedContent, several candidates.
Result<CompletionRequest> read_gemini_request(const Json& body);

}  // namespace troupe::providers::vertex
