// Turns, calls, and what counts as solved.
#include "agents/tool_tester/working.hpp"

#include "agents/research/prompts.hpp"
#include "agents/research/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace troupe::tool_tester {

/// One task at work.
struct Working {
  std::string key;
  Probe probe;
  CompletionRequest request;
  Outcome outcome;
  /// What the last tool said, and which it was.
  std::string last_tool, last_said;
  bool last_failed = true;
};

namespace {

constexpr std::size_t kToolSaysMax = 4000;
constexpr std::size_t kCallsOfTurnMax = 4;

ToolResultPart tell(Working& work, const ToolUsePart& use, const Result<ToolOutput>& output) {
  work.last_failed = !output || output->is_error;
  work.last_tool = use.name;
  work.last_said = output ? output->text : std::string(to_string(output.error().code));
  if (work.last_failed) {
    ++work.outcome.errors;
    work.outcome.failures.push_back({use.name, research::one_line(work.last_said, kToolSaysMax)});
  }
  return {.tool_use_id = use.id,
          .text = research::neutral(research::one_line(work.last_said, kToolSaysMax)),
          .is_error = work.last_failed};
}

Task<Result<void>> use_one(Testing& at, Working& work, ToolUsePart use, std::vector<Part>& results) {
  work.outcome.chosen.push_back(use.name);
  ++work.outcome.calls;
  auto tool = at.tools.find(use.name);
  Result<ToolOutput> output = ToolOutput{.text = "There is no such tool.", .is_error = true};
  if (tool != nullptr) {
    ++at.result.tool_calls;
    StepKey key{"use", fmt::format("{}/{}", work.key, work.outcome.calls)};
    auto asked = at.wf.now();
    auto calling = at.wf.tool(key, tool, use.input);
    output = co_await calling;
    work.outcome.ms += at.wf.now().ms - asked.ms;
    // The run may not go on; no fault of the description.
    if (!output && output.error().code == Errc::refused) co_return std::unexpected(output.error());
  }
  results.emplace_back(tell(work, use, output));
  co_return Result<void>{};
}

std::vector<ToolUsePart> uses_of(const Completion& completion) {
  std::vector<ToolUsePart> out;
  for (const auto& part : completion.parts) {
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use != nullptr && out.size() < kCallsOfTurnMax) out.push_back(*use);
  }
  return out;
}

bool solved(const Working& work) {
  return !work.last_failed && work.last_tool == work.probe.tool &&
         work.last_said.find(work.probe.expect) != std::string::npos;
}

Task<Result<void>> use_all(Testing& at, Working& work, const std::vector<ToolUsePart>& uses) {
  Message said{Role::assistant, {}}, told{Role::user, {}};
  for (const auto& use : uses) {
    said.parts.emplace_back(use);
    auto using_one = use_one(at, work, use, told.parts);
    auto used = co_await using_one;
    if (!used) co_return std::unexpected(used.error());
  }
  work.request.messages.push_back(std::move(said));
  work.request.messages.push_back(std::move(told));
  co_return Result<void>{};
}

// Of the attempt that served it: whoever was down or full before says nothing of a description.
std::int64_t ms_of(const Answer& answer) {
  auto served = std::ranges::find_if(answer.attempts, [](const auto& one) { return one.error.empty(); });
  if (served == answer.attempts.end()) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(served->total).count();
}

// One turn; true when the model wants no more tools.
Task<Result<bool>> take_turn(Testing& at, Working& work) {
  StepKey key{"ask", fmt::format("{}/{}", work.key, ++work.outcome.asked)};
  auto asking = at.wf.complete(key, work.request);
  auto answer = co_await asking;
  if (!answer) co_return std::unexpected(answer.error());
  ++at.result.calls;
  work.outcome.ms += ms_of(*answer);
  auto uses = uses_of(answer->completion);
  if (uses.empty()) co_return true;
  auto using_all = use_all(at, work, uses);
  auto used = co_await using_all;
  if (!used) co_return std::unexpected(used.error());
  co_return false;
}

}  // namespace

Task<Result<Outcome>> work_on(Testing& at, std::string key, Probe probe, std::vector<ToolSpec> specs) {
  Working work;
  work.key = std::move(key);
  work.request = probe_request(at.input, probe, std::move(specs));
  work.probe = std::move(probe);
  for (std::size_t turn = 0; turn < at.input.turns_max; ++turn) {
    auto taking = take_turn(at, work);
    auto over = co_await taking;
    if (!over) co_return std::unexpected(over.error());
    if (*over) break;
  }
  work.outcome.solved = solved(work);
  co_return std::move(work.outcome);
}

}  // namespace troupe::tool_tester
