// A model call whose answer is JSON of a known shape, asked again with what was wrong.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// JSON that satisfies the request's schema, and every answer it took: their usage is the price of this one.
struct StructuredAnswer {
  JsonText value;
  std::vector<Answer> answers;
};

/// Asks with `request.response_schema` (invalid_input without one, or when the schema is malformed;
/// `unsupported` when it says what we cannot check: then nothing was asked) and validates the answer here,
/// whatever the provider promises. One that does not fit is shown to the model with the reason, at most
/// `repairs_max` times (0 to 8). The calls' keys are `key`, then its id with "/repair-1" and so on.
///
/// Fails as Workflow::complete does; with invalid_input when the last answer does not fit either (its calls
/// were paid), and content_filtered or context_length_exceeded when the model stopped for that reason. An
/// Error's `what` names the place in the schema, never the answer's content.
Task<Result<StructuredAnswer>> complete_json(Workflow& wf, StepKey key, CompletionRequest request,
                                             int repairs_max = 2);

/// The JSON in an answer's text: the whole of it, what stands in its first code fence, or what lies between
/// its first brace or bracket and its last. invalid_input when none of these is JSON.
Result<JsonText> json_of_answer(std::string_view text);

/// 16 hex digits over everything that decides an answer: messages, tools, schema and limits; not deadline,
/// tenant, subject or labels. The same on every machine and build, so that it may be part of a step's key.
std::string request_hash(const CompletionRequest& request);

}  // namespace troupe
