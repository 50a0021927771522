// The Gemini dialect of Vertex AI and of the Gemini Developer API: generateContent and
// streamGenerateContent (WIRE 4.1, 4.2).
#pragma once

#include "providers/dialect.hpp"

namespace troupe::providers::vertex {

/// "vertex_gemini". With Target.project: Vertex, API version "v1" unless Target.api_version says otherwise,
/// and Target.capacity as X-Vertex-AI-LLM-Request-Type (reserved: dedicated, on_demand: shared, any: absent).
/// Without: the Developer API, version "v1beta". API keys go into x-goog-api-key; a Bearer token is the
/// caller's to put.
const Dialect& gemini_dialect();

}  // namespace troupe::providers::vertex
