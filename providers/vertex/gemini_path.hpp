// Where Gemini calls go, both ways: paths of Vertex AI and of the Developer API, and the capacity header
// (WIRE 4.1, 4.4).
#pragma once

#include "providers/dialect.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers::vertex {

/// With a project: /v1/projects/{p}/locations/{l}/publishers/google/models/{model}:generateContent, or
/// :streamGenerateContent?alt=sse. Target.model may also be "publishers/…/models/ID", "endpoints/ID" (a tuned
/// model's endpoint in the target's project) or a full "projects/…". Without: /v1beta/models/{model}:….
/// bad_request for an empty model or one above 1024 bytes; bad_config when the target lacks a location, or a
/// project that an endpoint needs.
Result<std::string> gemini_path(const Target& target, bool stream);

/// Vertex only: X-Vertex-AI-LLM-Request-Type.
void put_request_type(http::Headers& headers, const Target& target);

struct GeminiCall {
  /// As Target.model: a bare model id for Google's own, otherwise "endpoints/ID" or "publishers/…".
  std::string model;
  bool stream = false;
  /// The query has alt=sse.
  bool sse = false;
};
/// Absent when this is no POST to a generateContent or streamGenerateContent path. Any version and any
/// prefix.
std::optional<GeminiCall> read_gemini_path(const http::Request& request);

}  // namespace troupe::providers::vertex
