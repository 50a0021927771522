// From question to tasks, and from gaps to further ones.
#include "agents/research/lead.hpp"
#include "agents/research/prompts.hpp"
#include "agents/research/words.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::research {
namespace {

constexpr std::size_t kApproachMax = 1000;
constexpr std::size_t kTasksReadMax = 1000;
constexpr std::size_t kNotesMax = 40;
// After these the run goes on by rule; after others it fails, and may be resumed.
bool goes_on_without(Errc code) {
  return code == Errc::invalid_input || code == Errc::refused || code == Errc::content_filtered ||
         code == Errc::context_length_exceeded;
}

Delegation whole_question(const Leading& lead) {
  Delegation out = delegation_from(Json{{"objective", one_line("Answer: " + lead.input.question, 590)}});
  out.output_format = "findings with quotes";
  out.tools = lead.tool_names;
  out.boundaries = "this question only";
  return out;
}

std::vector<Delegation> tasks_in(const Json& answer, const Leading& lead) {
  std::vector<Delegation> out;
  const auto* list = find(answer, "tasks");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& item : *list) {
    if (out.size() == kTasksReadMax) break;
    auto task = delegation_from(item);
    // The slice and the deadline are the runtime's to give, whatever the model wrote.
    task.calls_near = lead.effort.calls_near;
    task.calls_max = lead.effort.calls_max;
    task.deadline_ms = lead.deadline_ms();
    out.push_back(std::move(task));
  }
  return out;
}

std::vector<Delegation> given_tasks(const Leading& lead) {
  std::vector<Delegation> out;
  for (const auto& agent : lead.agents) out.push_back(agent.task);
  return out;
}

std::vector<Delegation> accepted(Leading& lead, std::vector<Delegation> tasks) {
  auto before = given_tasks(lead);
  auto taken = accept_tasks(std::move(tasks), before, lead.agents_left(), lead.tool_names, lead.wf.now());
  for (auto& note : taken.notes) lead.note(std::move(note));
  lead.refused_tasks += taken.refused;
  lead.merged_tasks += taken.merged;
  lead.cut_tasks += taken.cut;
  return std::move(taken.tasks);
}

Json kept_plan(const Leading& lead, std::string approach, const std::vector<Delegation>& tasks) {
  Json list = Json::array();
  for (const auto& task : tasks) list.push_back(to_json(task));
  return Json{{"kind", to_string(lead.effort.kind)},
              {"approach", std::move(approach)},
              {"tasks", std::move(list)},
              {"started_ms", lead.started.ms},
              {"notes", lead.notes},
              {"counts", {lead.refused_tasks, lead.merged_tasks, lead.cut_tasks}}};
}

// A resumed run takes its plan from here, not from what the same code would make of it today.
std::vector<Delegation> take_plan(Leading& lead, const Json& kept) {
  lead.plan = get_string(kept, "approach");
  lead.started.ms = get_int(kept, "started_ms", lead.started.ms);
  std::vector<Delegation> out;
  if (const auto* list = find(kept, "tasks"))
    for (const auto& item : *list) out.push_back(delegation_from(item));
  for (std::size_t i = 0; i < out.size(); ++i)
    lead.plan +=
        fmt::format("{}({}) {}", lead.plan.empty() ? "" : " ", i + 1, one_line(out[i].objective, 160));
  lead.plan = one_line(lead.plan, kApproachMax * 2);
  return out;
}

Task<Result<Json>> ask_for_plan(Leading& lead) {
  auto specs = lead.tools.specs();
  auto request = plan_request(lead.input, lead.effort, specs);
  StepKey key{"plan", request_hash(request)};
  auto asking = complete_json(lead.wf, key, std::move(request));
  auto answer = co_await asking;
  if (!answer) {
    if (!goes_on_without(answer.error().code)) co_return std::unexpected(answer.error());
    lead.note(fmt::format("the plan was made by rule: {}", to_string(answer.error().code)));
    co_return Json::object();
  }
  lead.add(*answer);
  co_return parse_json(answer->value.text);
}

}  // namespace

void Leading::note(std::string text) {
  if (notes.size() < kNotesMax) notes.push_back(std::move(text));
}

std::int64_t Leading::deadline_ms() const {
  if (input.deadline <= Duration::zero()) return 0;
  return started.ms + std::chrono::duration_cast<std::chrono::milliseconds>(input.deadline).count();
}

std::size_t Leading::agents_left() const {
  return effort.agents_max > agents.size() ? effort.agents_max - agents.size() : 0;
}

std::vector<std::string> Leading::asked_hashes() const {
  std::vector<std::string> out;
  for (const auto& agent : agents)
    out.insert(out.end(), agent.report.asked.begin(), agent.report.asked.end());
  std::ranges::sort(out);
  auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

std::string Leading::share() const {
  if (input.without.share) return {};
  return fmt::format("{:016x}", stable_hash(input.given.text, static_cast<std::uint64_t>(started.ms)));
}

void Leading::add(const StructuredAnswer& answer) {
  for (const auto& one : answer.answers) spend.add(one);
}

Task<Result<std::vector<Delegation>>> make_plan(Leading& lead) {
  auto asking = ask_for_plan(lead);
  auto answer = co_await asking;
  if (!answer) co_return std::unexpected(answer.error());
  auto tasks = accepted(lead, tasks_in(*answer, lead));
  if (tasks.empty()) {
    lead.note("no task of the plan could be used: the whole question is one");
    auto whole = whole_question(lead);
    whole.calls_near = lead.effort.calls_near;
    whole.calls_max = lead.effort.calls_max;
    whole.deadline_ms = lead.deadline_ms();
    tasks.push_back(std::move(whole));
  }
  auto approach = one_line(get_string(*answer, "approach"), kApproachMax);
  StepKey key{"plan.kept", ""};
  std::function<Result<JsonText>()> body =
      [text = dump_json(kept_plan(lead, std::move(approach), tasks))]() -> Result<JsonText> {
    return JsonText{text};
  };
  auto keeping = lead.wf.step(key, std::move(body));
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto json = parse_json(kept->text);
  if (!json) co_return std::unexpected(json.error());
  co_return take_plan(lead, *json);
}

Task<Result<std::vector<Delegation>>> find_gaps(Leading& lead, std::size_t findings_before) {
  std::vector<Delegation> none;
  bool nothing_new = lead.findings.size() == findings_before;
  bool late = lead.deadline_ms() != 0 && lead.latest_ms >= lead.deadline_ms();
  // Asked already, by a lead that waited for one of them.
  if (lead.reviewed_at == lead.findings.size()) co_return none;
  // Diminishing returns: a round that found nothing is not followed by another, unless it was the first.
  if (lead.rounds >= lead.input.rounds_max || (nothing_new && lead.rounds > 1)) co_return none;
  if (late || lead.agents_left() == 0 || lead.wf.budget().stage >= BudgetStage::degrade) co_return none;
  lead.reviewed_at = lead.findings.size();
  auto specs = lead.tools.specs();
  auto request = review_request(lead.input, lead.plan, lead.findings, specs);
  StepKey key{"review", request_hash(request)};
  auto asking = complete_json(lead.wf, key, std::move(request));
  auto answer = co_await asking;
  if (!answer) {
    if (!goes_on_without(answer.error().code)) co_return std::unexpected(answer.error());
    lead.note(fmt::format("not reviewed: {}", to_string(answer.error().code)));
    co_return none;
  }
  lead.add(*answer);
  auto json = parse_json(answer->value.text);
  if (!json || get_bool(*json, "sufficient")) co_return none;
  co_return accepted(lead, tasks_in(*json, lead));
}

}  // namespace troupe::research
