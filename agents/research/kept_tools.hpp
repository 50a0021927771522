// The tools a run began with, whatever their servers offer when it is resumed.
#pragma once

#include <troupe/task.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::research {

/// What a run may use, and what its readers should know of it.
struct OpenedTools {
  // Not explicit: most who open tools have nothing to say about them.
  OpenedTools(Toolbox tools = {}) : box(std::move(tools)) {}
  Toolbox box;
  /// By the tool's name, one line each: records of a corpus that are left out. Of tools that are not in the
  /// box nothing is told.
  std::map<std::string, std::string> notes;
  std::vector<std::string> told() const;
};

/// Records names, descriptions and schemas (step "tools.kept") and gives a box of just those: prompts of a
/// resumed run are what they were, so no answer is bought again. A tool that is not there any more answers,
/// for the model to read, that it cannot be used.
Task<Result<Toolbox>> keep_tools(Workflow& wf, const Toolbox& live);
/// The same with the notes: a resumed run says of its corpora what it began with, whatever their files hold
/// by then.
Task<Result<OpenedTools>> keep_opened(Workflow& wf, const OpenedTools& live);

}  // namespace troupe::research
