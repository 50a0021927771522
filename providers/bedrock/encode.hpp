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
/// return.
/// - `seed` is dropped: Converse has none, and it is best effort where it exists.
/// - With tool uses or results in the history `toolConfig` is sent even if no tool is offered any more: tools
/// the
///   history names and the request does not are declared with an empty schema. There is no "none": without
///   such history ToolChoice::none omits toolConfig, with it only toolChoice is omitted and the model stays
///   free.
/// Fails with bad_request (check_request, a first message that is not the user's, a message left without
/// content, a malformed tool use id) or unsupported (temperature above 1, more than 20 images, an image
/// above 3.75 MB).
Result<Json> write_converse_request(const CompletionRequest& request);

/// "/model/{id}/converse" or "/converse-stream", the id percent-encoded as one segment (WIRE 1.2).
/// Fails with bad_request for an empty id or one above 2048 characters.
Result<std::string> converse_path(std::string_view model, bool stream);

}  // namespace troupe::providers::bedrock
