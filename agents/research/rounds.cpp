// One round of agents: started as there is room, taken as they end, told to finish when it is time (M15).
#include "agents/research/joining.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::research {
namespace {

StepKey agent_key(const Leading& lead, std::size_t agent) {
  return {"agent", fmt::format("{}/{}", lead.agents[agent].round, lead.agents[agent].task.id)};
}

// Equal shares of what is left, with a part kept for the report.
Budget slice_of(const Leading& lead, std::size_t sharers) {
  auto view = lead.wf.budget();
  auto share = 0.8 / static_cast<double>(std::max<std::size_t>(sharers, 1));
  Budget out;
  if (view.cap.usd > 0) out.usd = std::max(0.0, view.cap.usd - view.spent.usd - view.reserved.usd) * share;
  if (view.cap.tokens > 0) {
    auto left = std::max<std::int64_t>(0, view.cap.tokens - view.spent.tokens - view.reserved.tokens);
    out.tokens = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(left) * share));
  }
  if (view.cap.calls > 0) {
    auto left = std::max<std::int64_t>(0, view.cap.calls - view.spent.calls - view.reserved.calls);
    out.calls = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(left) * share));
  }
  out.tool_calls = static_cast<std::int64_t>(lead.effort.calls_max);
  out.subagents = -1;
  return out;
}

JsonText agent_input(const Round& round, std::size_t agent) {
  const auto& lead = round.lead;
  AgentJob job{.input = lead.input,
               .task = lead.agents[agent].task,
               .plan = lead.plan,
               .known = lead.findings,
               .asked = {},
               .share = lead.share()};
  // What earlier agents asked and found is known. Siblings share what they are told while they work.
  job.asked.insert(round.asked.begin(), round.asked.end());
  return to_input(job);
}

Task<Arrival> run_one(Leading& lead, std::size_t agent, ChildSpec spec) {
  auto key = agent_key(lead, agent);
  auto child = lead.wf.child(key, std::move(spec));
  auto end = co_await child;
  Arrival out{.what = Arrival::What::agent, .agent = agent, .end = std::move(end)};
  co_return out;
}

void start_some(Round& round) {
  auto& lead = round.lead;
  while (!round.finishing && !round.waiting.empty() && round.running.size() < lead.input.parallel) {
    auto agent = round.waiting.front();
    round.waiting.erase(round.waiting.begin());
    auto sharers = round.waiting.size() + round.running.size() + 1;
    ChildSpec spec{.workflow = std::string(kAgentName),
                   .input = agent_input(round, agent),
                   .slice = slice_of(lead, sharers)};
    auto number = round.group.add(run_one(lead, agent, std::move(spec)));
    round.running.emplace_back(agent, number);
  }
}

void take_findings_of(Leading& lead, const AgentReport& report) {
  for (const auto& finding : report.findings) {
    auto same = [&](const Finding& other) { return other.span == finding.span; };
    if (std::ranges::none_of(lead.findings, same)) lead.findings.push_back(finding);
  }
}

void take_end(Round& round, Arrival& arrival) {
  auto& agent = round.lead.agents[arrival.agent];
  agent.ended = true;
  ++round.ended;
  std::erase_if(round.running, [&](const auto& one) { return one.first == arrival.agent; });
  if (!arrival.end) {
    agent.error = to_string(arrival.end.error().code);
    round.errors.emplace(arrival.agent, arrival.end.error());
    return;
  }
  auto report = read_agent_report(arrival.end->output);
  if (report) agent.report = std::move(*report);
  if (!report) agent.error = "unreadable";
}

// In the order of the tasks, not of arrival: findings keep their numbers.
void know_findings(Round& round) {
  auto& lead = round.lead;
  lead.findings = round.found;
  for (std::size_t i = round.first; i < lead.agents.size(); ++i)
    take_findings_of(lead, lead.agents[i].report);
}

void gather(Round& round) {
  auto& lead = round.lead;
  know_findings(round);
  for (std::size_t i = round.first; i < lead.agents.size(); ++i) {
    const auto& agent = lead.agents[i];
    lead.spend.add(agent.report.spend);
    if (!agent.error.empty()) lead.note(fmt::format("agent {} gave no report: {}", i + 1, agent.error));
  }
  if (!round.errors.empty() && !lead.first_error) lead.first_error = round.errors.begin()->second;
}

// Those who run are told to finish, those who wait are not started, and soon the rest is stopped.
void begin_to_finish(Round& round, const char* why) {
  if (round.finishing) return;
  round.finishing = true;
  auto& lead = round.lead;
  for (auto agent : round.waiting) {
    lead.agents[agent].error = "not_started";
    lead.agents[agent].ended = true;
  }
  round.waiting.clear();
  if (round.running.empty()) return;
  lead.note(fmt::format("{} agents were told to finish: {}", round.running.size(), why));
  for (const auto& [agent, number] : round.running) round.to_tell.push_back(agent);
  auto grace = std::chrono::duration_cast<std::chrono::milliseconds>(lead.input.grace).count();
  StepKey key{"grace", std::to_string(round.number)};
  set_timer(round, std::move(key), lead.latest_ms + grace, Arrival::What::grace);
}

void stop_the_rest(Round& round) {
  for (const auto& [agent, number] : round.running) {
    round.group.cancel(number);
    round.lead.agents[agent].error = "cancelled";
    round.lead.agents[agent].ended = true;
  }
  round.running.clear();
}

Task<Result<void>> tell_to_finish(Round& round) {
  auto agents = std::exchange(round.to_tell, {});
  for (auto agent : agents) {
    JsonText finish{R"({"finish":true})"};
    auto telling = round.lead.wf.signal_child(agent_key(round.lead, agent), "steer", std::move(finish));
    // One that has just ended needs no telling.
    auto told = co_await telling;
    (void)told;
  }
  co_return Result<void>{};
}

void enlist(Round& round, std::vector<Delegation> tasks) {
  auto& lead = round.lead;
  ++lead.rounds;
  round.total += tasks.size();
  round.asked = lead.asked_hashes();
  for (auto& task : tasks) {
    round.waiting.push_back(lead.agents.size());
    lead.agents.push_back({.task = std::move(task), .round = lead.rounds, .report = {}, .error = {}});
  }
}

void open_round(Round& round, std::vector<Delegation> tasks) {
  auto& lead = round.lead;
  round.number = lead.rounds + 1;
  round.first = lead.agents.size();
  round.found = lead.findings;
  enlist(round, std::move(tasks));
  if (lead.latest_ms == 0) lead.latest_ms = lead.started.ms;
  if (auto when = lead.deadline_ms(); when != 0) {
    StepKey key{"deadline", std::to_string(round.number)};
    set_timer(round, std::move(key), when, Arrival::What::deadline);
  }
}

// Few are left of many: how long are they worth waiting for?
void lose_patience_soon(Round& round) {
  const auto& input = round.lead.input;
  bool most = round.total > 1 && round.ended * 2 >= round.total && !round.running.empty();
  if (!most || !round.waiting.empty() || round.finishing || !std::exchange(round.patient, false)) return;
  if (input.without.async || input.patience <= Duration::zero()) return;
  auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(input.patience).count();
  StepKey key{"patience", std::to_string(round.number)};
  set_timer(round, std::move(key), round.lead.latest_ms + patience, Arrival::What::patience);
}

void decide(Round& round) {
  auto& lead = round.lead;
  auto enough = lead.input.first_k == 0 ? round.total : std::min(lead.input.first_k, round.total);
  if (round.ended >= enough && !lead.input.without.async) begin_to_finish(round, "enough have reported");
  if (lead.wf.budget().stage >= BudgetStage::degrade) begin_to_finish(round, "the budget is nearly spent");
  lose_patience_soon(round);
}

// The rest takes its time: what is missing is looked for beside them.
Task<Result<void>> add_agents(Round& round) {
  auto& lead = round.lead;
  if (round.finishing || round.running.empty()) co_return Result<void>{};
  auto before = lead.findings.size();
  know_findings(round);
  auto looking = find_gaps(lead, before);
  auto tasks = co_await looking;
  if (!tasks) co_return std::unexpected(tasks.error());
  if (tasks->empty()) co_return Result<void>{};
  lead.note(fmt::format("{} agents were added while {} were at work", tasks->size(), round.running.size()));
  enlist(round, std::move(*tasks));
  co_return Result<void>{};
}

Task<Result<void>> act_on(Round& round, Arrival arrival) {
  if (arrival.what == Arrival::What::agent) take_end(round, arrival);
  if (arrival.what == Arrival::What::deadline && arrival.end) begin_to_finish(round, "the deadline is near");
  if (arrival.what == Arrival::What::grace) stop_the_rest(round);
  if (arrival.what == Arrival::What::patience && arrival.end) {
    auto adding = add_agents(round);
    auto added = co_await adding;
    if (!added) co_return added;
  }
  decide(round);
  if (!round.to_tell.empty()) {
    auto telling = tell_to_finish(round);
    auto told = co_await telling;
    if (!told) co_return told;
  }
  start_some(round);
  co_return Result<void>{};
}

}  // namespace

Task<Result<void>> run_round(Leading& lead, std::vector<Delegation> tasks) {
  Round round(lead);
  open_round(round, std::move(tasks));
  start_some(round);
  while (!round.running.empty() || (!round.waiting.empty() && !round.finishing)) {
    auto coming = next_arrival(round);
    auto arrival = co_await coming;
    if (!arrival) co_return std::unexpected(arrival.error());
    if (!*arrival) break;
    auto acting = act_on(round, std::move(**arrival));
    auto acted = co_await acting;
    if (!acted) co_return acted;
  }
  gather(round);
  co_return Result<void>{};
}

}  // namespace troupe::research
