// From a model's tool calls to observations: which are made, and what it is told of each.
#include "agents/research/agent.hpp"
#include "agents/research/prompts.hpp"
#include "agents/research/words.hpp"
#include "runtime/json/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::research {

// Named, because coroutine frames that hold these must not depend on an unnamed namespace.
struct PlannedCall {
  ToolUsePart use;
  /// Null when it is not made; `observation` then says why.
  ToolPtr tool;
  std::string hash;
  std::size_t position = 0;
  std::string observation;
  bool is_error = false;
};

namespace {

constexpr std::size_t kCallsOfOneAnswerMax = 8;
constexpr std::size_t kToolWordsMax = 600;

Result<Json> arguments_of(const ToolUsePart& use, const ToolSpec& spec) {
  auto input = parse_json(use.input.text);
  if (!input) return input;
  auto schema = parse_json(spec.input_schema.text);
  // A tool checks its input itself, too; one whose schema we cannot judge is left to it.
  if (!schema || !check_schema(*schema)) return input;
  if (auto fits = validate_json(*input, *schema); !fits) return std::unexpected(fits.error());
  return input;
}

PlannedCall refuse(PlannedCall call, std::string why) {
  call.tool = nullptr;
  call.observation = std::move(why);
  call.is_error = true;
  return call;
}

std::string repeat_words(QueryLog::Before before) {
  return before == QueryLog::Before::by_me
             ? "You asked this before: the result is above. Ask something else, or finish."
             : "Another agent of this run asked this before; what it found is known. Ask something else.";
}

PlannedCall plan_call(Searching& at, std::size_t turn, const ToolUsePart& use, std::size_t made) {
  PlannedCall call{.use = use, .tool = at.tools.find(use.name), .hash = {}, .observation = {}};
  if (call.tool == nullptr) {
    ++at.report.refused_calls;
    return refuse(std::move(call), "There is no such tool for this task; it was not called.");
  }
  auto input = arguments_of(use, call.tool->spec());
  if (!input) return refuse(std::move(call), "Not called: " + input.error().what);
  if (at.log.asked().size() >= at.job.task.calls_max)
    return refuse(std::move(call), "No calls are left: finish with what you have.");
  if (made >= kCallsOfOneAnswerMax) return refuse(std::move(call), "Too many calls at once; not called.");
  call.hash = call_hash(use.name, *input);
  auto before = at.log.before(call.hash);
  if (before != QueryLog::Before::never && !at.job.input.without.repeats) {
    at.log.repeated();
    return refuse(std::move(call), repeat_words(before));
  }
  if (before != QueryLog::Before::never) call.hash += fmt::format("/{}", at.log.asked().size());
  auto text = call_text(*input);
  auto terms = telling_words(text).size();
  call.position = at.log.add(call.hash, {.tool = use.name, .text = text, .terms = terms, .turn = turn});
  return call;
}

Task<Result<ToolOutput>> carry_out(Searching& at, const PlannedCall& call) {
  StepKey key{"tool", call.use.name + "/" + call.hash};
  // Once more after a pause: a hiccup is not worth a turn of the model.
  RetryPolicy retry{.attempts_max = 2};
  auto calling = at.wf.tool(key, call.tool, call.use.input, retry);
  auto output = co_await calling;
  co_return output;
}

std::string shown_passages(Searching& at, PlannedCall& call, const ToolOutput& output, std::size_t& fresh) {
  auto before = at.shelf.passages().size();
  auto positions = at.shelf.add(call.use.name, call.hash, output);
  fresh += at.shelf.passages().size() - before;
  at.log.shown(call.position, positions.size());
  std::vector<std::string> lines;
  for (auto position : positions) {
    const auto& passage = at.shelf.passages()[position];
    bool seen = position < before;
    lines.push_back(source_line(passage.id, passage.title, seen ? "(shown before)" : passage.text));
  }
  if (lines.empty()) return "Nothing was found. Try fewer or other words.";
  return as_sources(lines);
}

// What went wrong is told in our words; what the tool says stays data.
void observe(Searching& at, PlannedCall& call, Result<ToolOutput> output, std::size_t& fresh) {
  if (output && !output->is_error) {
    call.observation = shown_passages(at, call, *output, fresh);
    return;
  }
  ++at.report.tool_errors;
  call.is_error = true;
  auto said =
      output ? neutral(one_line(output->text, kToolWordsMax)) : std::string(to_string(output.error().code));
  call.observation = fmt::format(
      "The tool failed ({}). Try other words or another tool, or go on with what you have.", said);
}

std::string turn_summary(const std::vector<PlannedCall>& calls) {
  std::vector<std::string> parts;
  for (const auto& call : calls) {
    if (call.tool == nullptr) continue;
    auto input = parse_json(call.use.input.text);
    auto text = input ? call_text(*input) : std::string();
    parts.push_back(
        fmt::format("{} \"{}\"{}", call.use.name, one_line(text, 80), call.is_error ? " failed" : ""));
  }
  return "- " + fmt::format("{}", fmt::join(parts, "; "));
}

void keep_turn(Searching& at, std::vector<Part> asked, std::vector<PlannedCall>& calls) {
  Turn turn{.asked = std::move(asked), .results = {}, .summary = turn_summary(calls)};
  for (auto& call : calls)
    turn.results.push_back({.tool_use_id = call.use.id, .text = call.observation, .is_error = call.is_error});
  auto made = at.log.asked().size();
  if (made >= at.job.task.calls_near && !turn.results.empty()) {
    turn.results.back().text +=
        fmt::format("\n({} of {} calls are made: finish soon.)", made, at.job.task.calls_max);
  }
  at.turns.push_back(std::move(turn));
}

std::vector<PlannedCall> plan_calls(Searching& at, std::size_t turn, const std::vector<Part>& asked) {
  std::vector<PlannedCall> out;
  std::size_t made = 0;
  for (const auto& part : asked) {
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use == nullptr) continue;
    out.push_back(plan_call(at, turn, *use, made));
    made += out.back().tool != nullptr ? 1 : 0;
  }
  return out;
}

}  // namespace

Task<Result<void>> use_tools(Searching& at, std::size_t turn, std::vector<Part> asked) {
  auto calls = plan_calls(at, turn, asked);
  std::vector<PlannedCall*> made;
  std::vector<Task<Result<ToolOutput>>> tasks;
  for (auto& call : calls) {
    if (call.tool == nullptr) continue;
    made.push_back(&call);
    tasks.push_back(carry_out(at, call));
  }
  std::size_t fresh = 0;
  auto joined = all(std::move(tasks), at.job.input.tools_parallel);
  auto outputs = co_await joined;
  at.report.spend.tool_calls += static_cast<std::int64_t>(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    bool unusable = !outputs[i];
    if (unusable && outputs[i].error().code == Errc::refused) at.report.stopped = "budget";
    observe(at, *made[i], std::move(outputs[i]), fresh);
    if (made[i]->is_error && at.job.input.without.tool_errors) at.report.stopped = "tool_failed";
  }
  at.barren = fresh == 0 ? at.barren + 1 : 0;
  keep_turn(at, std::move(asked), calls);
  co_return Result<void>{};
}

}  // namespace troupe::research
