// The workflows every node knows by name.
#pragma once

#include <troupe/workflow.hpp>

#include <vector>

namespace troupe::actors {

/// recap, summary, research (with its subagents).
std::vector<WorkflowType> built_in_workflows();

}  // namespace troupe::actors
