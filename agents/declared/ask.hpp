// One question whose answer is text, or JSON that is asked for again when it is none.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <string_view>

namespace troupe::declared {

/// The answer's text. An answer that was cut short or refused is an error: invalid_input, content_filtered,
/// context_length_exceeded.
Task<Result<Json>> ask_text(Workflow& wf, StepKey key, CompletionRequest request);

/// The JSON in the answer. One that is none is shown to the model with the reason, at most `repairs_max`
/// times, under the key's id with "/repair-1" and so on; then invalid_input, whose `what` never quotes it.
Task<Result<Json>> ask_json(Workflow& wf, StepKey key, CompletionRequest request, int repairs_max = 2);

/// The whole of it, what stands in its first code fence, or what lies between its first brace or bracket and
/// its last.
Result<Json> json_in_answer(std::string_view text);

}  // namespace troupe::declared
