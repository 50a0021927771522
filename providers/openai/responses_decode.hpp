// A whole OpenAI response: what ended it, its usage and its items (WIRE 5.2, 6.2, 6.3).
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

#include <vector>

namespace troupe::providers::openai {

/// What a response object says when it has ended: StreamStopped, UsageReported when it counted,
/// DetailsReported when there is something to tell. "completed" is stop, or tool_calls beside function calls;
/// "incomplete" goes by its reason, an unknown one is kept; a refusal is content_filter. "failed" is the
/// class of its error, model_error when it names none; "cancelled" is `cancelled`; any other status is
/// stream_broken, for such a response is not whole.
/// Members that repeat the request are dropped; others without a place, and items of unknown types (under
/// "output"), are in `extra`.
struct ResponseSeen {
  bool calls = false;
  bool refused = false;
};
Result<std::vector<StreamEvent>> read_ended_response(const Json& response, ResponseSeen seen);

/// The events of one finished output item; none for a type we do not know. `tools` is the number of function
/// calls before it, and is counted up.
std::vector<StreamEvent> read_output_item(const Json& item, int& tools, ResponseSeen& seen);

/// A whole response. Its items become what their stream would have added up to.
Result<Completion> read_response(const Json& body);

}  // namespace troupe::providers::openai
