// A workflow written down as data: steps with templates, run by the same engine as workflows in C++. The form
// of a file: docs/WORKFLOWS.md.
#pragma once

#include "agents/declared/template.hpp"
#include "runtime/json/json.hpp"

#include <troupe/budget.hpp>
#include <troupe/durability.hpp>
#include <troupe/error.hpp>
#include <troupe/time.hpp>
#include <troupe/workflow.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {
class Clock;
}

namespace troupe::declared {

enum class InputKind {
  text,
  json,   ///< a value, or text that is JSON
  file,   ///< path of a text file
  lines,  ///< path of a file: the list of its lines
  jsonl,  ///< path of a file: the list of the values on its lines
};
struct Input {
  std::string name;
  InputKind kind = InputKind::text;
  bool required = true;
  /// When it is not given; null without one.
  Json otherwise;
};

/// One model call; its value is the answer's text, or with a schema the JSON in it.
struct PromptStep {
  std::string feature;
  Template prompt, system, tenant;
  int output_tokens_max = 1024;
  std::optional<double> temperature;
  Duration deadline = std::chrono::minutes(2);
  std::optional<JsonText> schema;
};
/// A run of its own; its value is that run's output.
struct ChildStep {
  std::string workflow;
  ValueTemplate input;
  Budget slice;
};
/// Waits for `troupe runs signal ID NAME JSON`; its value is that JSON.
struct SignalStep {
  std::string name;
  std::optional<Duration> timeout;
  /// Its value when the time is over; without one the step fails then.
  std::optional<ValueTemplate> otherwise;
};
struct SleepStep {
  Duration length{};
};
struct ValueStep {
  ValueTemplate value;
};
using Action = std::variant<PromptStep, ChildStep, SignalStep, SleepStep, ValueStep>;

struct ForEach {
  ValueTemplate list;
  std::size_t parallel = 8;
};

/// What becomes of a failed step, or item.
enum class OnError {
  fail,     ///< the run fails
  skip,     ///< null; of items: left out
  collect,  ///< {"error": {"code", "what"}} in its place
};

struct Attempts {
  int attempts = 1;
  Duration pause = std::chrono::seconds(5);
};

struct Step {
  std::string id;
  Action action;
  std::optional<ForEach> for_each;
  /// Null: always. With for_each it is asked of each item.
  ExpressionPtr when;
  Attempts retry;
  OnError on_error = OnError::fail;
  /// Not 0: the value is that of so many items, the first to end well; the others are stopped.
  std::size_t first_k = 0;
  /// Places in Declared::steps, of what it refers to and what `after` names.
  std::set<std::size_t> needs;
};

struct Declared {
  std::string name, version;
  /// Versions whose runs this file may go on with.
  std::vector<std::string> accepts;
  std::vector<Input> inputs;
  /// Of a whole run; for RunSpec::budget.
  Budget budget;
  /// Of its runs, unless they were asked for with another.
  Durability durability = Durability::unsaid;
  std::vector<Step> steps;
  ValueTemplate output;
};

inline constexpr std::size_t kStepsMax = 200;
inline constexpr std::size_t kItemsMax = 10'000;
inline constexpr std::size_t kParallelMax = 256;

/// Path of a value -> line, as runtime/config/yaml_json.hpp has it.
using SourceLines = std::map<std::string, int>;

/// bad_config whose `what` has one line for everything that is wrong: "FILE:LINE: KEY: what is wrong; what
/// would be right". Pure.
Result<Declared> parse_declared(const Json& document, const SourceLines& lines, const std::string& file);
/// The same for a file's text, and for a file (input_missing when it cannot be read).
Result<Declared> read_declared(std::string_view yaml, const std::string& name);
Result<Declared> load_declared(const std::string& path);
/// Does this path name a workflow's file rather than a workflow? It ends in .yaml or .yml.
bool names_declared_file(std::string_view workflow);

/// Steps whose needs are met go at once. Keys are "ID", with for_each "ID/HASH OF THE ITEM", never a
/// position: a run begun with another edition of the file goes on, answers of steps that are still there
/// count, and what was recorded under another prompt is reported as drift. Equal items are done once.
///
/// `clock`: for `sleep` and timeouts, read once and recorded; outlives the function.
WorkflowFunction declared_workflow(std::shared_ptr<const Declared> declared, const Clock& clock);
/// The same with its name, version and the versions it takes over.
WorkflowType declared_type(std::shared_ptr<const Declared> declared, const Clock& clock);

}  // namespace troupe::declared
