// The retail shop of tau2-bench (github.com/sierra-research/tau2-bench, MIT) as a world: its rules written
// anew, over its database, which is read from the folder that TROUPE_TAU2 names and is not part of this
// project.
#pragma once

#include "tests/support/stateful_world.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

struct RetailTask {
  std::string id;
  /// `evaluation_criteria.actions`: what somebody who does it right would call.
  std::vector<evaluation::ToolUse> gold;
  /// tau2's `compare_args` of each, where it has them.
  std::vector<std::optional<std::vector<std::string>>> compared;
};

struct RetailData {
  Json database;
  std::vector<RetailTask> tasks;
};

/// Reads retail/db.json and retail/tasks.json below `folder`. input_missing, or invalid_input.
Result<RetailData> read_retail(const std::string& folder);

/// Does the tool of that name change the database?
bool retail_writes(const std::string& tool);

/// All fifteen tools the tasks use, and the list of product types.
Toolbox retail_tools(const WorldPtr& world);

}  // namespace troupe::testing
