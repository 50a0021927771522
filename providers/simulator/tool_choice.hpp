// Which tool a task is for, by the words the two share: what the extractive model goes by, and what it
// proposes when it is asked for better words.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

/// Positions of the request's tools, best first. A word of `task` (reading_words) counts once for each tool
/// in whose name, description or arguments (names and descriptions) it stands, rarer among the tools heavier:
/// ln(1 + tools / tools that have it). Ties go to the earlier. No understanding: a description that
/// promises what its tool cannot do wins. At most 128 tools are looked at, of each its first 4,096 bytes.
struct ToolFit {
  std::size_t tool = 0;
  double score = 0;
};
std::vector<ToolFit> fitting_tools(const std::vector<ToolSpec>& tools, std::string_view task);

/// The next turn on a line "Task: …" of a user's text, when there are tools to choose among freely: the best
/// fitting tool that was not tried yet; once one has answered without an error, what it said. Nothing for
/// any other request. Pure.
std::optional<std::vector<Part>> tool_task_turn(const CompletionRequest& request);

/// The answer in shape "tool_description" to a prompt of agents/tool_tester: up to 16 words that stand in
/// more of the tasks that needed the tool than of those it was wrongly chosen for, and the names of its
/// arguments, those first that a failure names. Of failures nothing but such names is taken over. The
/// present description when no task needed it. Nothing for any other request. Pure.
std::optional<std::string> tool_description_answer(const CompletionRequest& request);

}  // namespace troupe::providers::simulator
