// The tools a run began with, whatever their servers offer when it is resumed.
#pragma once

#include <troupe/task.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

namespace troupe::research {

/// Records names, descriptions and schemas (step "tools.kept") and gives a box of just those: prompts of a
/// resumed run are what they were, so no answer is bought again. A tool that is not there any more answers,
/// for the model to read, that it cannot be used.
Task<Result<Toolbox>> keep_tools(Workflow& wf, const Toolbox& live);

}  // namespace troupe::research
