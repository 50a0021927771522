// The "vertex_anthropic" dialect: Claude on Vertex AI through rawPredict and streamRawPredict, both sides
// (WIRE 4.1, 4.3, 4.4).
#pragma once

#include "providers/dialect.hpp"
#include "providers/serve.hpp"

namespace troupe::providers::vertex {

/// The Messages body without `model`, plus anthropic_version: Target.api_version, by default
/// "vertex-2023-10-16"; "2026-10-21" leaves sampling out. Translations and failures are write_messages_body's
/// (providers/anthropic/encode.hpp). The path is base_path + /v1/projects/{project}/locations/{location}/
/// publishers/anthropic/models/{model}, `@` left raw; bad_config without a project or a location. An empty
/// Target.host becomes the location's own. Target.capacity is X-Vertex-AI-LLM-Request-Type. Errors are told
/// apart by shape: Google's envelope (quota, credentials) or Anthropic's.
const Dialect& anthropic_dialect();

/// POST …/publishers/anthropic/models/{model}:rawPredict and :streamRawPredict; an answer streams when the
/// body or the path says so. Errors that Google itself answers (rate limits, credentials, permissions,
/// unknown models) are written in its envelope, all others in Anthropic's.
const DialectServer& anthropic_server();

/// "us-central1-aiplatform.googleapis.com"; "global", "us" and "eu" have hosts of another form (WIRE 4.1).
std::string location_host(const std::string& location);

}  // namespace troupe::providers::vertex
