// The workflows every node knows by name.
#pragma once

#include "agents/recap_night/ports.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/tools_config.hpp"

#include <troupe/workflow.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

/// What they need of their node.
struct BuiltInParts {
  /// Of research's subagents.
  config::ToolsConfig tools;
  /// Outlives them.
  Clock* clock = nullptr;
  /// What a night's recaps start besides themselves.
  std::shared_ptr<recap_night::SharedRuns> shared;
  /// The file of accepted descriptions of tools; empty: none.
  std::string descriptions = {};
};

/// recap, summary, search, research (with its subagents), tool_test, recap_night (with what it starts).
std::vector<WorkflowType> built_in_workflows(BuiltInParts parts);
/// The same for runs that are only made again (actors/verify_run.hpp): their tools open nothing and must not
/// be called. The clock is not read, and outlives them.
std::vector<WorkflowType> built_in_workflows_on_paper(Clock& clock);
std::set<std::string> built_in_names();

}  // namespace troupe::actors
