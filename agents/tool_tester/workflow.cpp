// Practice, proposal, trial, verdict.
#include "agents/research/kept_tools.hpp"
#include "agents/tool_tester/tool_test.hpp"
#include "agents/tool_tester/working.hpp"
#include "runtime/base/spec_hash.hpp"

#include <troupe/structured.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::tool_tester {
namespace {

constexpr int kProposalRepairs = 1;

// Once, so that a resumed test has the tasks it began with.
Task<Result<std::vector<Probe>>> recorded_probes(Testing& at) {
  StepKey key{"probes", ""};
  std::function<Result<JsonText>()> body = [path = at.input.probes_path] { return read_probe_file(path); };
  auto reading = at.wf.step(key, std::move(body));
  auto text = co_await reading;
  if (!text) co_return std::unexpected(text.error());
  auto lines = parse_json(text->text);
  if (!lines || !lines->is_string()) co_return fail(Errc::internal, "the recorded tasks are no text");
  co_return read_probes(lines->get<std::string>());
}

Task<Result<void>> read_tasks(Testing& at) {
  auto reading = recorded_probes(at);
  auto probes = co_await reading;
  if (!probes) co_return std::unexpected(probes.error());
  for (const auto& probe : *probes)
    if (at.tools.find(probe.tool) == nullptr)
      co_return fail(Errc::invalid_input, fmt::format("task {}: there is no tool {}", probe.id, probe.tool));
  at.tasks = divide(std::move(*probes));
  if (at.tasks.held_out.size() < kHeldOutMin)
    co_return fail(Errc::invalid_input,
                   fmt::format("tasks: {} are left to try a proposal on; at least {} are needed",
                               at.tasks.held_out.size(), kHeldOutMin));
  co_return Result<void>{};
}

Toolbox harmless(const Toolbox& tools) {
  std::vector<std::string> names;
  for (const auto& spec : tools.specs())
    if (tools.find(spec.name)->repeatable()) names.push_back(spec.name);
  return tools.only(names);
}

Task<Result<void>> keep(Testing& at, Toolbox live) {
  // Before they are recorded: a test that is made again has no live tools to ask.
  auto offered = harmless(live);
  auto keeping = research::keep_tools(at.wf, offered);
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  at.tools = std::move(*kept);
  at.specs = at.tools.specs();
  auto tool = at.tools.find(at.input.tool);
  if (tool == nullptr)
    co_return fail(Errc::invalid_input,
                   fmt::format("tool: there is no tool {} that may be called just to try it", at.input.tool));
  at.result.tool = at.input.tool;
  at.result.before = tool->spec().description;
  at.result.before_hash = spec_hash(tool->spec());
  at.result.gate = at.input.gate;
  co_return Result<void>{};
}

Task<Result<void>> practise(Testing& at) {
  for (const auto& probe : at.tasks.practice) {
    auto working = work_on(at, "practice/" + probe.id, probe, at.specs);
    auto outcome = co_await working;
    if (!outcome) co_return std::unexpected(outcome.error());
    at.result.practice_solved += outcome->solved ? 1 : 0;
    at.practised.push_back({probe, std::move(*outcome)});
  }
  at.result.practised = at.practised.size();
  co_return Result<void>{};
}

std::string served_by(const Answer& answer) {
  if (!answer.completion.model.empty() || answer.attempts.empty()) return answer.completion.model;
  return answer.attempts.back().model;
}

// Empty `after` and a reason when there is nothing to try.
void take_proposal(Testing& at, const std::string& text) {
  auto fits = check_description(text, at.specs, at.practised);
  if (!fits) at.result.verdict.why = "the proposal was not tried: " + fits.error().what;
  if (text == at.result.before) at.result.verdict.why = "the proposal is what is there";
  if (fits && text != at.result.before) at.result.after = text;
}

Task<Result<void>> propose(Testing& at) {
  auto request = proposal_request(at.input, at.specs, at.practised);
  StepKey key{"propose", request_hash(request)};
  auto asking = complete_json(at.wf, key, std::move(request), kProposalRepairs);
  auto answer = co_await asking;
  if (!answer && answer.error().code != Errc::invalid_input) co_return std::unexpected(answer.error());
  if (!answer) {
    // The first, and the one that was shown what was wrong with it.
    at.result.calls += 1 + kProposalRepairs;
    at.result.verdict.why = "the model gave no proposal in the asked shape";
    co_return Result<void>{};
  }
  at.result.calls += static_cast<std::int64_t>(answer->answers.size());
  at.result.by = served_by(answer->answers.back());
  auto json = parse_json(answer->value.text);
  if (!json) co_return std::unexpected(json.error());
  take_proposal(at, get_string(*json, "description"));
  co_return Result<void>{};
}

std::vector<ToolSpec> with_description(std::vector<ToolSpec> specs, const ToolTestResult& result) {
  for (auto& spec : specs)
    if (spec.name == result.tool) spec.description = result.after;
  return specs;
}

// One task with both texts; which goes first alternates, so that what drifts with time meets both alike.
Task<Result<void>> compare_once(Testing& at, Pair& pair, std::string key, bool before_first) {
  for (int half = 0; half < 2; ++half) {
    bool before = (half == 0) == before_first;
    auto specs = before ? at.specs : with_description(at.specs, at.result);
    auto working = work_on(at, (before ? "before/" : "after/") + key, pair.probe, std::move(specs));
    auto outcome = co_await working;
    if (!outcome) co_return std::unexpected(outcome.error());
    (before ? pair.before : pair.after).push_back(std::move(*outcome));
  }
  co_return Result<void>{};
}

Task<Result<void>> compare(Testing& at) {
  bool before_first = true;
  for (const auto& probe : at.tasks.held_out) {
    Pair pair{probe, {}, {}};
    for (std::size_t repeat = 0; repeat < at.input.repeats; ++repeat) {
      auto comparing = compare_once(at, pair, fmt::format("{}/{}", probe.id, repeat), before_first);
      auto compared = co_await comparing;
      if (!compared) co_return std::unexpected(compared.error());
      before_first = !before_first;
    }
    at.result.pairs.push_back(std::move(pair));
  }
  co_return Result<void>{};
}

void pass_gate(Testing& at) {
  auto& verdict = at.result.verdict;
  verdict = judge(at.result.pairs);
  if (at.input.gate) return;
  verdict.accepted = true;
  verdict.why = "the gate was switched off; it would have said: " + verdict.why;
}

Task<Result<JsonText>> decide(Testing& at) {
  StepKey key{"decided", ""};
  std::function<Result<JsonText>()> body = [text = dump_json(to_json(at.result))]() -> Result<JsonText> {
    return JsonText{text};
  };
  auto deciding = at.wf.step(key, std::move(body));
  auto decided = co_await deciding;
  co_return decided;
}

using Stage = Task<Result<void>> (*)(Testing&);
constexpr std::array<Stage, 3> kStages = {&read_tasks, &practise, &propose};

Task<Result<JsonText>> test_tool(Workflow& wf, JsonText given, research::ToolSource source) {
  auto input = read_tool_test_input(given);
  if (!input) co_return std::unexpected(input.error());
  auto live = source(given);
  if (!live) co_return std::unexpected(live.error());
  Testing at(wf, std::move(*input));
  auto keeping = keep(at, std::move(live->box));
  if (auto kept = co_await keeping; !kept) co_return std::unexpected(kept.error());
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    auto running = kStages[i](at);
    if (auto done = co_await running; !done) co_return std::unexpected(done.error());
  }
  if (!at.result.after.empty()) {
    auto comparing = compare(at);
    if (auto done = co_await comparing; !done) co_return std::unexpected(done.error());
    pass_gate(at);
  }
  auto deciding = decide(at);
  auto decided = co_await deciding;
  co_return decided;
}

}  // namespace

WorkflowFunction make_tool_test(research::ToolSource source) {
  return [source = std::move(source)](Workflow& wf, JsonText input) {
    return test_tool(wf, std::move(input), source);
  };
}

}  // namespace troupe::tool_tester
