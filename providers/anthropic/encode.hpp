// A CompletionRequest as the body of a Messages call, wherever it is served: Anthropic's own API, Bedrock's
// InvokeModel or Vertex's rawPredict (WIRE 5.4, 1.6, 4.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string>

namespace troupe::providers::anthropic {

/// What differs between the hosts.
struct BodyShape {
  /// The `model` member; empty where the path names the model.
  std::string model;
  /// The `anthropic_version` member; empty where a header names it.
  std::string version;
  /// Where that member stands: AWS's clients write it first, Anthropic's last.
  bool version_first = false;
  /// Whether `stream` is a member; Bedrock says it in the path.
  bool stream_member = true;
  /// False: temperature and top_p are left out, for the version refuses them (refuses_sampling).
  bool sampling = true;
};

/// Translations:
/// - System messages, wherever they stand, become `system` blocks in order.
/// - Consecutive messages of one role are merged, and tool results moved to the front of theirs, as the API
///   wants. Empty texts are dropped, and so are messages left without content. A message of one plain text is
///   written as a string.
/// - Reasoning without a signature is dropped: it came from another provider. A part that is only a signature
///   signs the unsigned reasoning before it; after a text it is Gemini's and dropped; elsewhere it is a
///   thinking block whose text the model withheld.
/// - Tool use ids are written with `_` for characters the API refuses, so that calls made by other providers
///   can be told of. ToolUsePart.signature is another provider's and is not sent.
/// - Of more than four cache points the last four are kept.
/// - `reasoning_tokens_max` becomes thinking with that budget, below `output_tokens_max`; below the least
///   budget of 1,024, or when the tool choice forces a call (which the API refuses beside thinking), thinking
///   is disabled. Beside thinking, temperature and a top_p below 0.95 are not sent: the API refuses them.
/// - `seed` and the response schema's name are dropped: the API has neither.
/// - History with tool calls and no tools offered: the tools it names are declared with an empty schema and
///   the choice is "none".
/// Fails with bad_request (check_request, no message left, a tool call without an id, a forced tool that is
/// not offered) or unsupported (temperature above 1).
Result<Json> write_messages_body(const CompletionRequest& request, const BodyShape& shape);

}  // namespace troupe::providers::anthropic
