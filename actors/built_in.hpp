// The workflows every node knows by name.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/config/tools_config.hpp"

#include <troupe/workflow.hpp>

#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

/// recap, summary, research (with its subagents, who use these tools). The clock must outlive them.
std::vector<WorkflowType> built_in_workflows(const config::ToolsConfig& tools, Clock& clock);
std::set<std::string> built_in_names();

}  // namespace troupe::actors
