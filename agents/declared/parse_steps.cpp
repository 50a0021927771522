// The steps of a document: what each does, what it refers to, and in which order that can be done.
#include "agents/declared/order.hpp"
#include "agents/declared/reading.hpp"
#include "runtime/json/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::declared {
namespace {

constexpr std::array kActions = {"prompt", "run", "signal", "sleep", "value"};
// Words of the language, and the roots of paths.
constexpr std::array kReserved = {"inputs", "steps", "item", "index", "run", "and",
                                  "or",     "not",   "true", "false", "null"};

bool is_step_id(const std::string& id) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  bool letter = !id.empty() && !(id[0] >= '0' && id[0] <= '9');
  return letter && id.size() <= 64 && std::ranges::all_of(id, good) &&
         std::ranges::find(kReserved, id) == kReserved.end();
}

/// What a step leaves open.
struct Defaults {
  PromptStep call;
  std::size_t parallel = 8;
  Attempts retry;
  std::vector<Use> uses;
};

// Both `defaults` and a step say these.
void read_call(Members& members, PromptStep& call, std::vector<Use>& uses) {
  call.feature = members.text("feature", call.feature);
  call.output_tokens_max =
      static_cast<int>(members.count("output_tokens_max", call.output_tokens_max, 1, 1'000'000));
  if (members.has("temperature"))
    call.temperature = members.number("temperature", 0, 0, 2);
  else
    members.take("temperature");
  call.deadline = members.duration("deadline", call.deadline);
  if (members.has("system"))
    call.system = members.text_template("system", uses);
  else
    members.take("system");
  if (members.has("tenant"))
    call.tenant = members.text_template("tenant", uses);
  else
    members.take("tenant");
}

Attempts read_retry(Members& parent, Attempts out) {
  const auto* value = parent.take("retry");
  if (value == nullptr) return out;
  Members members(*value, parent.path_of("retry"), parent.reading());
  out.attempts = static_cast<int>(members.count("attempts", out.attempts, 1, 20));
  out.pause = members.duration("pause", out.pause);
  members.finish();
  return out;
}

Defaults read_defaults(const Json* value, Reading& reading) {
  Defaults out;
  if (value == nullptr || value->is_null()) return out;
  Members members(*value, "defaults", reading);
  read_call(members, out.call, out.uses);
  out.parallel = static_cast<std::size_t>(
      members.count("parallel", static_cast<std::int64_t>(out.parallel), 1, kParallelMax));
  out.retry = read_retry(members, out.retry);
  members.finish();
  for (const auto& use : out.uses) {
    const auto& root = std::get<std::string>(use.path[0]);
    if (root == "steps" || root == "item" || root == "index")
      reading.problem(use.option, "defaults know inputs and run only; write this in the step");
  }
  return out;
}

/// One step being read.
struct StepReader {
  Members members;
  const Defaults& defaults;
  std::vector<Use> uses;
  std::vector<std::string> after;
  Step step;

  void read_action();
  void read_modifiers();
  PromptStep read_prompt();
  ChildStep read_child();
  SignalStep read_signal();
  void read_for_each();
  void read_join();
  bool calls_out() const {
    return std::holds_alternative<PromptStep>(step.action) || std::holds_alternative<ChildStep>(step.action);
  }
};

// A schema that the answers could never be held to is said before anything is bought.
std::optional<JsonText> schema_of(Members& members) {
  const auto* schema = members.take("schema");
  if (schema == nullptr) return std::nullopt;
  auto parsed = schema->is_string() ? parse_json(schema->get_ref<const std::string&>())
                                    : Result<Json>(std::in_place, *schema);
  if (!parsed || !parsed->is_object()) {
    members.problem("schema", "expected a JSON Schema such as {type: object, properties: {…}}");
    return std::nullopt;
  }
  if (auto sound = check_schema(*parsed); !sound) members.problem("schema", sound.error().what);
  return JsonText{dump_json(*parsed)};
}

PromptStep StepReader::read_prompt() {
  auto out = defaults.call;
  out.prompt = members.text_template("prompt", uses);
  if (out.prompt.empty()) members.problem("prompt", "is empty; write what the model is asked");
  read_call(members, out, uses);
  out.schema = schema_of(members);
  if (out.feature.empty())
    members.problem("feature", "is missing; write e.g. feature: summary here or under defaults");
  return out;
}

ChildStep StepReader::read_child() {
  ChildStep out;
  const auto* value = members.take("run");
  Members run(*value, members.path_of("run"), members.reading(), "workflow, input and budget");
  out.workflow = run.needed_text("workflow", "recap");
  out.input = run.value_template("input", uses);
  out.slice = read_budget(run, "budget");
  run.finish();
  return out;
}

SignalStep StepReader::read_signal() {
  SignalStep out;
  const auto* value = members.take("signal");
  if (value->is_string()) {
    out.name = value->get<std::string>();
  } else {
    Members signal(*value, members.path_of("signal"), members.reading(), "name and timeout");
    out.name = signal.needed_text("name", "approve");
    if (signal.has("timeout"))
      out.timeout = signal.duration("timeout", {});
    else
      signal.take("timeout");
    if (signal.has("otherwise"))
      out.otherwise = signal.value_template("otherwise", uses);
    else
      signal.take("otherwise");
    if (out.otherwise && !out.timeout)
      signal.problem("otherwise", "is of no use without a timeout; write e.g. timeout: 2d");
    signal.finish();
  }
  if (out.name.empty() || out.name.size() > 200)
    members.problem("signal", "expected a name of 1 to 200 bytes");
  return out;
}

void StepReader::read_action() {
  std::vector<std::string> found;
  for (const char* action : kActions)
    if (members.has(action)) found.emplace_back(action);
  if (found.size() != 1) {
    for (const char* action : kActions) members.take(action);
    members.problem(
        "", found.empty() ? fmt::format("does nothing; write one of {}", fmt::join(kActions, ", "))
                          : fmt::format("does {} at once; write a step for each", fmt::join(found, " and ")));
    return;
  }
  if (found[0] == "prompt") step.action = read_prompt();
  if (found[0] == "run") step.action = read_child();
  if (found[0] == "signal") step.action = read_signal();
  if (found[0] == "sleep") step.action = SleepStep{members.duration("sleep", {})};
  if (found[0] == "value") step.action = ValueStep{members.value_template("value", uses)};
  for (const char* action : kActions) members.take(action);
}

void StepReader::read_for_each() {
  auto parallel = static_cast<std::size_t>(
      members.count("parallel", static_cast<std::int64_t>(defaults.parallel), 1, kParallelMax));
  const auto* value = members.take("for_each");
  if (value == nullptr) {
    if (members.has("parallel"))
      members.problem("parallel", "is of no use without for_each; steps go at once by themselves");
    return;
  }
  ForEach out;
  out.parallel = parallel;
  if (value->is_string()) {
    auto list = members.expression("for_each", uses);
    auto wrong = [&](const std::string&, const std::string& what) { members.problem("for_each", what); };
    auto text = value->get<std::string>();
    bool braced = text.find("{{") != std::string::npos;
    if (list) out.list = ValueTemplate::parse(Json(braced ? text : "{{" + text + "}}"), wrong);
  } else {
    if (!value->is_array()) members.problem("for_each", "expected a list, or an expression that gives one");
    out.list = members.value_template("for_each", uses);
  }
  step.for_each = std::move(out);
  if (std::holds_alternative<SignalStep>(step.action) || std::holds_alternative<SleepStep>(step.action))
    members.problem("for_each", "a signal or a sleep is for one; put for_each on what follows it");
}

void StepReader::read_join() {
  const auto* value = members.take("join");
  if (value == nullptr || *value == "all") return;
  if (!value->is_object())
    return members.problem("join", "expected all, or {first: 2} for the first two to end well");
  Members join(*value, members.path_of("join"), members.reading());
  step.first_k = static_cast<std::size_t>(join.count("first", 0, 1, kItemsMax));
  join.finish();
  if (step.first_k == 0) join.problem("first", "is missing; write e.g. join: {first: 2}");
  if (!step.for_each) members.problem("join", "is of no use without for_each");
}

void StepReader::read_modifiers() {
  read_for_each();
  read_join();
  step.when = members.expression("when", uses);
  after = members.texts("after");
  bool retries = members.has("retry");
  auto retry = read_retry(members, defaults.retry);
  if (calls_out()) step.retry = retry;
  if (retries && !calls_out()) members.problem("retry", "is for prompt and run only");
  step.on_error = static_cast<OnError>(members.choice("on_error", {"fail", "skip", "collect"}, 0));
}

void check_names(const Declared& declared, Reading& reading) {
  std::set<std::string> ids, signals;
  for (std::size_t i = 0; i < declared.steps.size(); ++i) {
    const auto& step = declared.steps[i];
    auto path = fmt::format("steps[{}].", i);
    if (!step.id.empty() && !ids.insert(step.id).second)
      reading.problem(path + "id", step.id + " is there twice; every step needs an id of its own");
    const auto* signal = std::get_if<SignalStep>(&step.action);
    if (signal != nullptr && !signals.insert(signal->name).second)
      reading.problem(path + "signal",
                      "another step waits for " + signal->name + "; give each a name of its own");
  }
}

StepReader read_step(const Json& value, const std::string& path, Reading& reading, const Defaults& defaults) {
  StepReader reader{Members(value, path, reading, "a step"), defaults, {}, {}, {}};
  reader.step.id = reader.members.needed_text("id", "facts");
  if (!reader.step.id.empty() && !is_step_id(reader.step.id))
    reader.members.problem("id",
                           "is no id; write up to 64 letters, digits and _, a letter first, and no word "
                           "of the language such as item or run");
  reader.members.text("description");
  reader.read_action();
  reader.read_modifiers();
  reader.members.finish();
  return reader;
}

std::vector<StepReader> read_list(Members& root, const Defaults& defaults) {
  std::vector<StepReader> out;
  const auto* steps = root.take("steps");
  if (steps == nullptr || !steps->is_array() || steps->empty()) {
    root.problem("steps", "expected a list of steps, each after \"- \"; write e.g. - id: facts");
  } else if (steps->size() > kStepsMax) {
    root.problem("steps", fmt::format("more than {} steps", kStepsMax));
  } else {
    for (std::size_t i = 0; i < steps->size(); ++i)
      out.push_back(read_step((*steps)[i], fmt::format("steps[{}]", i), root.reading(), defaults));
  }
  return out;
}

void put_in_order(StepOrder& order, const StepReader& reader, std::size_t step) {
  // The list itself is made before there are items.
  for (const auto& use : reader.uses)
    order.refer(use, step, reader.step.for_each.has_value() && !use.option.ends_with(".for_each"));
  for (const auto& id : reader.after) order.follow(fmt::format("steps[{}].after", step), id, step);
}

}  // namespace

void read_steps(Members& root, const Json* defaults_value, Declared& declared) {
  auto& reading = root.reading();
  auto defaults = read_defaults(defaults_value, reading);
  std::vector<Use> output_uses;
  bool has_output = root.has("output");
  declared.output = root.value_template("output", output_uses);
  auto readers = read_list(root, defaults);
  for (const auto& reader : readers) declared.steps.push_back(reader.step);
  if (readers.empty()) return;
  check_names(declared, reading);
  StepOrder order(declared, reading);
  for (std::size_t i = 0; i < readers.size(); ++i) put_in_order(order, readers[i], i);
  for (const auto& use : defaults.uses) order.target(use, true);
  for (const auto& use : output_uses) order.target(use, false);
  order.find_circles();
  if (has_output) return;
  auto last = Json("{{steps." + declared.steps.back().id + "}}");
  declared.output = ValueTemplate::parse(last, [](const auto&, const auto&) {});
}

}  // namespace troupe::declared
