// tool_test.json: what was tried, what was proposed, and what the gate said.
#pragma once

#include "agents/tool_tester/gate.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <string>
#include <vector>

namespace troupe::tool_tester {

struct ToolTestResult {
  std::string tool;
  /// The tool's description when the test began, and spec_hash of what it was.
  std::string before, before_hash;
  /// The proposed text; empty when there was none that could be tried.
  std::string after;
  /// Whose words they are: the model that proposed.
  std::string by;
  std::vector<Pair> pairs;
  Verdict verdict;
  /// Whether the gate decided, or was switched off.
  bool gate = true;
  std::size_t practised = 0, practice_solved = 0;
  std::int64_t calls = 0, tool_calls = 0;
};

/// {tool, before, before_hash, after, by, accepted, why, gate ("on" or "off"), practice {tasks, solved},
/// held_out: [{id, task, tool, before: [outcome], after: [outcome]}], calls_saved {mean, low, high}, ms_saved
/// {…}, solved {before, after, of}, calls, tool_calls}; an outcome is {solved, calls, errors, asked, ms,
/// chosen}.
Json to_json(const ToolTestResult& result);
/// Of the same; the verdict is made again from the outcomes, not believed. invalid_input.
Result<ToolTestResult> read_tool_test_result(const Json& json);

}  // namespace troupe::tool_tester
