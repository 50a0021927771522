// One question whose answer is text, or JSON of a known shape.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

namespace troupe::declared {

/// The answer's text. An answer that was cut short or refused is an error: invalid_input, content_filtered,
/// context_length_exceeded.
Task<Result<Json>> ask_text(Workflow& wf, StepKey key, CompletionRequest request);

/// The JSON in the answer, as complete_json has it: validated against `request.response_schema`, and what
/// does not fit is shown to the model with the reason, twice at most, under the key's id with "/repair-1" and
/// so on.
Task<Result<Json>> ask_json(Workflow& wf, StepKey key, CompletionRequest request);

}  // namespace troupe::declared
