// Asking for a better description, and what such a text may be: data, short, and nobody's instruction.
#pragma once

#include "agents/tool_tester/probes.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tool_tester {

/// Name of the answer's shape: what a simulated model knows the task by.
inline constexpr std::string_view kDescriptionShape = "tool_description";
inline constexpr std::size_t kDescriptionBytesMax = 600;

struct Practised {
  Probe probe;
  Outcome outcome;
};

/// One task for an agent that has the tools, before its first turn.
CompletionRequest probe_request(const ToolTestInput& input, const Probe& probe, std::vector<ToolSpec> tools);

/// Asks for {"description", "why"} from what happened in practice. What tools said is numbered among the data
/// and cut to a line of 200 bytes; at most 40 tasks and 10 failures are shown.
CompletionRequest proposal_request(const ToolTestInput& input, const std::vector<ToolSpec>& tools,
                                   const std::vector<Practised>& practised);

/// May this text stand as a tool's description? One line of 1 to kDescriptionBytesMax bytes of UTF-8 without
/// control or hidden characters, without markup (< > ` or a web address), and without any five words in a row
/// that only a tool's output holds: what a tool says must not become what every agent is told. invalid_input
/// says what is wrong. It cannot see a short instruction put in other words; the gate judges what that does.
Result<void> check_description(const std::string& text, const std::vector<ToolSpec>& tools,
                               const std::vector<Practised>& practised);

}  // namespace troupe::tool_tester
