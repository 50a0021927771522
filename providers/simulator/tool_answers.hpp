// What the extractive model does with tools: it calls what it is told to, and repeats what they said.
#pragma once

#include "providers/simulator/schema_fill.hpp"

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <vector>

namespace troupe::providers::simulator {

/// The calls this request leads to: the forced tool; with choice `any` the best fitting (fitting_tools); with
/// `automatic` those whose names stand in the last user text, unless the last message already brings results.
/// One when parallel_tools is off. Arguments are the schema's, filled with the points, or with the user's own
/// words.
std::vector<Part> tool_calls(const CompletionRequest& request, const std::vector<ExtractedPoint>& points);

/// The last message's tool results as text, "ID: result" a line; empty when there are none.
std::string repeated_results(const CompletionRequest& request);

}  // namespace troupe::providers::simulator
