// A CompletionRequest as the body of a Bedrock Converse or ConverseStream call (WIRE 1.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <string>
#include <string_view>

namespace troupe::providers::bedrock {

/// The same body serves both operations. Translations:
/// - System messages, wherever they stand, become `system` blocks in order.
/// - Consecutive messages of one role are merged, for the service wants roles to alternate.
/// - Empty text parts are dropped, for the service refuses blank text.
/// - Reasoning without a signature is dropped: it came from another provider, and only signed reasoning may
///   return. Redacted reasoning returns as it came. A part that is only a signature signs the unsigned
///   reasoning before it; after a text it is another provider's and dropped; elsewhere it is reasoning whose
///   text the model withheld. ToolUsePart.signature is another provider's and not sent.
/// - `reasoning_tokens_max` is thinking in additionalModelRequestFields, for Anthropic's models: that budget,
///   below `output_tokens_max`; disabled below the least budget of 1,024, or when the tool choice forces a
///   call. Beside thinking, temperature and a top_p below 0.95 are not sent: the models refuse them.
/// - Of more than four cache points the last four are kept, for the service takes no more.
/// - `seed` is dropped: Converse has none, and it is best effort where it exists.
/// - With tool uses or results in the history `toolConfig` is sent even if no tool is offered any more: tools
/// the
///   history names and the request does not are declared with an empty schema. There is no "none": without
///   such history ToolChoice::none omits toolConfig, with it only toolChoice is omitted and the model stays
///   free.
/// Fails with bad_request (check_request, a first message that is not the user's, a message left without
/// content, a malformed tool use id, a forced tool that is not offered) or unsupported: temperature above 1,
/// more than 20 images, an image above 3.75 MB; reasoning tokens for a model whose id does not say it is
/// Anthropic's (a provisioned or application profile ARN says nothing); parallel_tools false while tools are
/// offered, for which Converse has no word of its own.
Result<Json> write_converse_request(const CompletionRequest& request, std::string_view model);

/// "/model/{id}/converse" or "/converse-stream", the id percent-encoded as one segment (WIRE 1.2).
/// Fails with bad_request for an empty id or one above 2048 characters.
Result<std::string> converse_path(std::string_view model, bool stream);

}  // namespace troupe::providers::bedrock
