// A Messages body as a CompletionRequest: what a server understands of it (WIRE 5.4, 5.6).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <string_view>

namespace troupe::providers::anthropic {

/// `version` is the header's or the body's. Reads all that write_messages_body writes, content as strings or
/// blocks, and system messages wherever they stand. Ignored: metadata, service_tier, top_k, effort, cache
/// points on anything but text, adaptive thinking. `model` is left empty when the body names none.
/// Fails with bad_request, in the API's words, for what the API refuses (no max_tokens, no messages, empty
/// text, sampling in version 2026-10-21 and later: "temperature: Extra inputs are not permitted") and with
/// unsupported for what we cannot hold (documents, images by URL, server tools).
Result<ServedCall> read_messages_body(const Json& body, std::string_view version);

/// A bad_request in a provider's words.
std::unexpected<Error> refuse(std::string text);

}  // namespace troupe::providers::anthropic
