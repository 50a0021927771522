// A subagent's turns, and what it makes of them.
#include "agents/research/agent.hpp"

#include "agents/research/kept_tools.hpp"
#include "agents/research/principal.hpp"
#include "agents/research/prompts.hpp"
#include "agents/research/shared_calls.hpp"
#include "agents/research/words.hpp"

#include <troupe/structured.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::research {
namespace {

constexpr int kSteersMax = 4;
constexpr std::size_t kBarrenMax = 2;
constexpr std::size_t kTurnsBeyondCalls = 3;
constexpr std::size_t kFindingsMax = 8;
constexpr int kFindingsRepairs = 1;
constexpr double kObjectiveMet = 0.5;

// After these the agent reports what it has; after others its run fails and may be resumed.
std::string stop_for(Errc code) {
  if (code == Errc::refused) return "budget";
  if (code == Errc::context_length_exceeded) return "context";
  return code == Errc::content_filtered ? "filtered" : "";
}

std::string why_stop(const Searching& at, std::size_t turn) {
  if (!at.report.stopped.empty()) return at.report.stopped;
  const auto& task = at.job.task;
  if (at.steered_from != 0 && turn >= at.steered_from) return "steered";
  if (at.wf.budget().stage >= BudgetStage::degrade) return "budget";
  if (task.deadline_ms != 0 && at.wf.now().ms >= task.deadline_ms) return "deadline";
  if (at.log.asked().size() >= task.calls_max) return "calls";
  if (at.shelf.full()) return "sources";
  if (at.barren >= kBarrenMax) return "nothing_new";
  return turn > task.calls_max + kTurnsBeyondCalls ? "turns" : "";
}

CompletionRequest turn_request(const Searching& at) {
  auto request = agent_request(at.job.input, at.job.task, at.tools.specs());
  auto brief = agent_brief(at.job.input, at.job.task, at.job.plan, at.job.known);
  if (at.reminded) brief += "You have used no tool yet: without sources there is nothing to report.\n";
  ContextPolicy policy{.tokens_max = at.job.input.context_tokens_max,
                       .keep_brief = !at.job.input.without.plan};
  fill_context(request, brief, at.turns, policy);
  return request;
}

bool asks_for_tools(const std::vector<Part>& parts) {
  return std::ranges::any_of(parts,
                             [](const Part& part) { return std::holds_alternative<ToolUsePart>(part); });
}

// Most telling first, because only so many fit into a prompt.
std::vector<Passage> by_relevance(const Searching& at) {
  auto wanted = at.job.task.objective + " " + at.job.input.question;
  std::vector<std::pair<double, Passage>> ranked;
  for (const auto& passage : at.shelf.passages())
    ranked.emplace_back(coverage(wanted, passage.title + " " + passage.text), passage);
  std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Passage> out;
  for (auto& [share, passage] : ranked) out.push_back(std::move(passage));
  return out;
}

void take_findings(Searching& at, const Json& answer) {
  auto& report = at.report;
  report.findings = checked_findings(answer, at.shelf, kFindingsMax, report.dropped_findings);
  if (at.job.input.without.references) report.findings = whole_passages(at.shelf);
  report.missing = one_line(get_string(answer, "missing"), 600);
  // The model's word counts only where what it found touches the objective.
  std::string told;
  for (const auto& finding : report.findings) told += finding.title + " " + finding.quote + "\n";
  report.sufficient =
      get_bool(answer, "sufficient") && coverage(at.job.task.objective, told) >= kObjectiveMet;
}

Task<Result<void>> keep_artefacts(Searching& at) {
  std::set<std::string> kept;
  for (const auto& finding : at.report.findings) kept.insert(finding.artefact);
  for (const auto& passage : at.shelf.passages()) {
    auto id = artefact_id(passage);
    if (!kept.contains(id)) continue;
    StepKey key{"artefact", id};
    std::function<Result<JsonText>()> body = [text = dump_json(to_json(passage))]() -> Result<JsonText> {
      return JsonText{text};
    };
    auto keeping = at.wf.step(key, std::move(body));
    auto done = co_await keeping;
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<void>{};
}

void close_report(Searching& at) {
  auto& report = at.report;
  report.objective = at.job.task.objective;
  report.altered_known = at.job.altered_known;
  report.queries = at.log.asked();
  report.asked.assign(at.log.hashes().begin(), at.log.hashes().end());
  report.sources = at.shelf.passages().size();
  report.repeats = at.log.repeats();
  report.narrow_first = at.log.narrow_first();
}

// The task's tools, as they were when it began, and asked together with its siblings.
Task<Result<Toolbox>> tools_for(Workflow& wf, ToolSource source, std::shared_ptr<SharedCalls> shared,
                                AgentJob job) {
  auto tools = source(job.input.given);
  if (!tools) co_return std::unexpected(tools.error());
  auto mine = on_behalf_of(tools->box.only(job.task.tools), job.input.principal);
  auto keeping = keep_tools(wf, mine);
  auto kept = co_await keeping;
  if (!kept || !shared) co_return kept;
  co_return shared->over(*kept);
}

Task<Result<JsonText>> run_agent(Workflow& wf, ToolSource source, std::shared_ptr<SharedCallsOfRuns> runs,
                                 JsonText input) {
  auto job = read_agent_job(input);
  if (!job) co_return std::unexpected(job.error());
  auto shared = job->share.empty() ? nullptr : runs->of(job->share);
  auto opening = tools_for(wf, source, shared, *job);
  auto tools = co_await opening;
  if (!tools) co_return std::unexpected(tools.error());
  Searching at(wf, std::move(*job), std::move(*tools));
  at.steering.listen(wf);
  auto searching = search(at);
  auto searched = co_await searching;
  if (!searched) co_return std::unexpected(searched.error());
  auto finding = find_out(at);
  auto found = co_await finding;
  if (!found) co_return std::unexpected(found.error());
  auto keeping = keep_artefacts(at);
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  close_report(at);
  co_return to_text(at.report);
}

// A resumed agent hears at once what it was told late, and must not give up the turns it has paid for.
Task<Result<void>> heed(Searching& at, std::size_t turn) {
  if (!at.steering.finish() || at.steered_from != 0) co_return Result<void>{};
  StepKey key{"steered", ""};
  std::function<Result<JsonText>()> body = [turn]() -> Result<JsonText> {
    return JsonText{std::to_string(turn)};
  };
  auto keeping = at.wf.step(key, std::move(body));
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto json = parse_json(kept->text);
  auto recorded = json && json->is_number_unsigned() ? json->get<std::size_t>() : turn;
  at.steered_from = std::max<std::size_t>(recorded, 1);
  co_return Result<void>{};
}

}  // namespace

void Steering::listen(Workflow& wf) {
  hearing_.emplace(hear(wf));
  hearing_->start([](bool) {});
}

Task<bool> Steering::hear(Workflow& wf) {
  for (int i = 1; i <= kSteersMax && !finish_; ++i) {
    StepKey key{"steer", std::to_string(i)};
    auto signal = wf.signal(key);
    auto said = co_await signal;
    auto json = said ? parse_json(said->text) : Result<Json>(Json());
    if (!json || !json->is_object()) break;
    finish_ = get_bool(*json, "finish");
  }
  co_return finish_;
}

Searching::Searching(Workflow& workflow, AgentJob asked, Toolbox toolbox)
    : wf(workflow), job(std::move(asked)), tools(std::move(toolbox)) {
  log.know(job.asked);
}

Task<Result<void>> search(Searching& at) {
  for (std::size_t turn = 1;; ++turn) {
    auto listening = heed(at, turn);
    auto heeded = co_await listening;
    if (!heeded) co_return heeded;
    at.report.stopped = why_stop(at, turn);
    if (!at.report.stopped.empty()) break;
    auto request = turn_request(at);
    StepKey key{"turn", request_hash(request)};
    auto asking = at.wf.complete(key, std::move(request));
    auto answer = co_await asking;
    if (!answer) {
      at.report.stopped = stop_for(answer.error().code);
      if (at.report.stopped.empty()) co_return std::unexpected(answer.error());
      break;
    }
    at.report.spend.add(*answer);
    auto parts = std::move(answer->completion.parts);
    if (asks_for_tools(parts)) {
      auto using_tools = use_tools(at, turn, std::move(parts));
      auto used = co_await using_tools;
      if (!used) co_return used;
    } else if (at.turns.empty() && !at.reminded && !at.tools.empty()) {
      at.reminded = true;
    } else {
      at.report.stopped = "answered";
      break;
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> find_out(Searching& at) {
  if (at.shelf.passages().empty()) co_return Result<void>{};
  auto relevant = by_relevance(at);
  auto request = findings_request(at.job.input, at.job.task, at.job.plan, relevant);
  StepKey key{"findings", request_hash(request)};
  auto asking = complete_json(at.wf, key, std::move(request), kFindingsRepairs);
  auto answer = co_await asking;
  if (answer) {
    for (const auto& one : answer->answers) at.report.spend.add(one);
    auto json = parse_json(answer->value.text);
    if (json) take_findings(at, *json);
    co_return Result<void>{};
  }
  auto code = answer.error().code;
  if (code != Errc::invalid_input && stop_for(code).empty()) co_return std::unexpected(answer.error());
  at.report.findings = findings_by_rule(at.job.task.objective, at.shelf, kFindingsMax);
  at.report.missing = fmt::format("findings were picked by rule: {}", to_string(code));
  co_return Result<void>{};
}

WorkflowFunction make_research_agent(ToolSource source) {
  auto runs = std::make_shared<SharedCallsOfRuns>();
  return [source = std::move(source), runs](Workflow& wf, JsonText input) {
    return run_agent(wf, source, runs, std::move(input));
  };
}

}  // namespace troupe::research
