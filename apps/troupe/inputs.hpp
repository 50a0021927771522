// From --input and --set to a workflow's input document; and the log level every verb takes.
#pragma once

#include "apps/troupe/workflow_table.hpp"

#include <troupe/budget.hpp>
#include <troupe/durability.hpp>
#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace troupe::app {

struct InputOptions {
  std::string input;
  std::vector<std::string> set;
  std::string budget, durability;
};
void add_input_options(CLI::App& app, InputOptions& options);

/// {"input": absolute path, KEY: VALUE, …}. input_missing when the path is not there; unsupported (usage) for
/// a setting that the workflow does not have or lacks. Values stay text; workflows read what they need.
Result<JsonText> workflow_input(const InputOptions& options, const WorkflowEntry& workflow);
/// --budget usd=0.5,tokens=200000,…: unsupported (usage) when it cannot be read.
Result<Budget> budget_of(const InputOptions& options);
/// --durability power or crash, without it the workflow's: unsupported (usage) for other words.
Result<Durability> durability_of(const InputOptions& options, const WorkflowEntry& workflow);

void log_to_stderr(const std::string& level);

}  // namespace troupe::app
