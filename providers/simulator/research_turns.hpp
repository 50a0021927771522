// A turn of a simulated researcher: what was asked for, what was read, what to look for next.
#pragma once

#include "providers/simulator/reading.hpp"

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

/// What stands in a research prompt, wherever in its messages.
struct ResearchPrompt {
  std::string question, objective, kind, report;
  std::vector<std::string> starts, tools, claims;
  /// Of the user's text and of tool results, in order.
  std::vector<NumberedSource> sources;
  /// Queries of earlier turns.
  std::vector<std::string> asked;
  std::size_t turns = 0;
};
ResearchPrompt read_research_prompt(const CompletionRequest& request);

/// A tool to look things up with, and its argument that takes the words.
struct SearchTool {
  const ToolSpec* tool = nullptr;
  std::string argument;
};
/// The tool that fits `objective` best (fitting_tools) of those whose arguments include a "query", else of
/// those that want one text and nothing more ("message", "text", ...); none: null.
SearchTool search_tool(const CompletionRequest& request, std::string_view objective);

/// Calls of that tool for what is still to be looked for, or one sentence saying that it is enough.
std::vector<Part> search_turn(const CompletionRequest& request, const ResearchPrompt& prompt,
                              const SearchTool& search);

}  // namespace troupe::providers::simulator
