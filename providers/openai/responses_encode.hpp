// A CompletionRequest as the body of an OpenAI Responses call (WIRE 5.2).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string>

namespace troupe::providers::openai {

/// Translations:
/// - A leading system message becomes `instructions` when another message follows; later ones stay items of
///   role system. A lone user text is the `input` itself.
/// - Each message becomes items in the order the API has: tool results, then the rest; of an assistant's
///   message reasoning, text and calls in the order of their parts.
/// - A redacted reasoning part is echoed as `encrypted_content`, with the text part ahead of it as its
/// summary.
///   Other reasoning is dropped: only what OpenAI encrypted may return.
/// - `store` is always false: no call here refers to an earlier one, so nothing need be kept at the provider.
///   With reasoning_tokens_max or echoed reasoning `include` asks for reasoning.encrypted_content, since what
///   is not stored must be echoed; without either it is left out, for models without reasoning refuse it.
/// - Tools say strict: false, for here true is the default and restricts the schemas.
/// - Cache points, is_error and `seed` are dropped: prefixes are cached by themselves, the text must say what
///   failed, and a seed is best effort where it exists.
/// Fails with bad_request (check_request) or unsupported (stop sequences: the API has none).
Result<Json> write_responses_request(const CompletionRequest& request, const std::string& model);

}  // namespace troupe::providers::openai
