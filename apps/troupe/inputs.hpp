// From --input and --set to a workflow's input document; and the log level every verb takes.
#pragma once

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace troupe::app {

struct InputOptions {
  std::string input;
  std::vector<std::string> set;
};
void add_input_options(CLI::App& app, InputOptions& options);

/// {"input": absolute path, KEY: VALUE, …}. input_missing when the path is not there. --set was checked
/// while parsing (malformed, unknown key: usage). Values stay text; workflows read what they need.
Result<JsonText> workflow_input(const InputOptions& options);

void log_to_stderr(const std::string& level);

}  // namespace troupe::app
