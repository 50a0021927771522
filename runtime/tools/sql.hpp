// The tool that asks an SQLite file questions and can do nothing else to it.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/sandbox.hpp"

#include <troupe/tool.hpp>

#include <string>

namespace troupe::tools {

struct SqlConfig {
  std::string path;
  /// The tool's name, when there is more than one of them.
  std::string name = "sql";
  journal::SandboxLimits limits;
  /// Queries that wait for the one now running; more are refused.
  std::size_t waiting_max = 32;
};

/// {query} -> compact JSON {"columns":[...],"rows":[[...]],"cut":true?}; a blob is {"blob_bytes":n}. What
/// Sandbox refuses is an error for the model. Its description names the tables. Runs on a thread of its own.
/// Fails as Sandbox::open does.
Result<ToolPtr> make_sql_tool(const SqlConfig& config, Clock& clock);

}  // namespace troupe::tools
