// The tasks a tool is tried on, what became of each, and what a test is asked.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/tool.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::tool_tester {

/// One task, the tool that is right for it, and a text its right answer holds (empty: any will do).
struct Probe {
  std::string id, task, tool, expect;
};

/// What an agent made of a task.
struct Outcome {
  /// Its last answer came from the right tool, without an error, and holds what was expected.
  bool solved = false;
  /// Calls of tools, of those the ones that failed, and calls of the model.
  std::int64_t calls = 0, errors = 0, asked = 0;
  /// What its calls took: of the model the attempt that served, without waiting for a place and attempts that
  /// failed; of tools from asking to hearing, by the run's record, so with what was tried again.
  std::int64_t ms = 0;
  /// The tools it called, in order; what failing ones said, with their names.
  std::vector<std::string> chosen;
  struct Failure {
    std::string tool, said;
  };
  std::vector<Failure> failures;
};

struct ToolTestInput {
  /// A file of JSON lines {"id", "task", "tool", "expect"?}.
  std::string probes_path;
  std::string tool, feature = "research", tenant = "default";
  /// How often each held-out task is worked on with each text.
  std::size_t repeats = 1;
  /// Turns of the model a task may take.
  std::size_t turns_max = 6;
  /// Off ("without": "gate") only to show what is then accepted.
  bool gate = true;
  JsonText given;
};
/// From {"input", "tool", "feature"?, "tenant"?, "repeats"? [1-5], "turns_max"? [1-12], "without"?}; numbers
/// may be text. invalid_input names the key.
Result<ToolTestInput> read_tool_test_input(const JsonText& input);

inline constexpr std::size_t kProbesMax = 400;
inline constexpr std::size_t kTaskBytes = 2000;
/// Below that many pairs an interval says nothing.
inline constexpr std::size_t kHeldOutMin = 8;

/// The file's text as a JSON string, for a record. input_missing when it cannot be read, invalid_input above
/// 2 MB.
Result<JsonText> read_probe_file(const std::string& path);
/// One probe a line. invalid_input naming the line: no JSON, no id or task or tool, an id that is there
/// twice, a task above kTaskBytes, more than kProbesMax.
Result<std::vector<Probe>> read_probes(std::string_view lines);

struct Division {
  std::vector<Probe> practice, held_out;
};
/// Of each tool's tasks every other one, in the order of a hash of their ids: the same on every machine.
Division divide(std::vector<Probe> probes);

}  // namespace troupe::tool_tester
