// The workflows the command line knows: their settings, what they read, and the files they leave in --out.
#pragma once

#include "agents/declared/declared.hpp"
#include "apps/troupe/terminal_text.hpp"
#include "runtime/json/json.hpp"

#include <troupe/budget.hpp>
#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <functional>
#include <string>
#include <vector>

namespace troupe::app {

/// A run that has ended, with what its files are made of. `story` is the document of "runs.story".
struct Ended {
  const RunReport& report;
  const Json& story;
  const JsonText& input;
};

struct WorkflowEntry {
  std::string name;
  /// What --input is, for messages; empty: there need not be one.
  std::string reads;
  /// Keys of --set; a misspelt one must not look obeyed.
  std::vector<std::string> settings;
  /// Settings without which it cannot begin.
  std::vector<std::string> required;
  /// Writes what a run that is done has made, beside run.json; gives the names.
  std::function<Result<std::vector<std::string>>(const std::string& out, const Ended& ended)> write;
  /// Somebody waits and reads along: its text goes to stdout as it comes. Empty: nobody does.
  std::function<TerminalText()> terminal;
  /// It may find what it reads through the configuration's tools instead of --input.
  bool reads_tools = false;
  /// What a run may use unless --budget says; and --durability.
  Budget budget = {};
  Durability durability = Durability::unsaid;
};

/// Null when there is none of that name.
const WorkflowEntry* find_workflow(const std::string& name);
/// Of a workflow that is written down in a file: its inputs are its settings, its result is result.json.
WorkflowEntry entry_of(const declared::Declared& declared);
/// "recap, research, …".
std::string workflow_names();

/// run.json, and the workflow's own files when the run is done; gives the names of what was written.
Result<std::vector<std::string>> write_outputs(const std::string& out, const WorkflowEntry& workflow,
                                               const Ended& ended);

}  // namespace troupe::app
