// The workflows of a configuration that are written down in files, and whether its schedules name any.
#pragma once

#include "actors/schedule_plan.hpp"
#include "runtime/config/config.hpp"

#include <troupe/workflow.hpp>

#include <set>
#include <string>
#include <vector>

namespace troupe {
class Clock;
}

namespace troupe::actors {

struct WorkflowFiles {
  std::vector<WorkflowType> types;
  FileBudgets budgets;
  /// By the workflow's name.
  std::map<std::string, Durability> durability;
};
/// bad_config naming file, line and key of what is wrong in one, or two that have one name. `clock` outlives
/// the types.
Result<WorkflowFiles> load_workflow_files(const config::Config& config, const Clock& clock);

/// Names of the built-in workflows and of those in files that can be read.
std::set<std::string> known_workflows(const config::Config& config);
/// bad_config when a schedule's workflow is none of these: it would never run.
Result<void> check_schedules(const config::Config& config, const std::set<std::string>& workflows);

}  // namespace troupe::actors
