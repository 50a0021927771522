// The lead while a run lasts: its plan, its agents, what they found, and what it has cost.
#pragma once

#include "agents/research/citation.hpp"
#include "agents/research/job.hpp"
#include "agents/research/research.hpp"

#include <troupe/structured.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::research {

/// One subagent as the lead knows it.
struct AgentRecord {
  Delegation task;
  std::size_t round = 1;
  AgentReport report;
  /// Empty while it runs and when it gave a report; else an Errc name, "cancelled", "not_started" or
  /// "unreadable".
  std::string error;
  bool ended = false;
};

/// Everything the lead's tasks refer to. Used by one coroutine tree; outlives its tasks.
struct Leading {
  Workflow& wf;
  ResearchInput input;
  Toolbox tools;
  /// Read in recorded steps only.
  Clock& clock;
  std::vector<std::string> tool_names = {};
  Effort effort = {};
  WallTime started = {};
  /// When what came last came, by the record: the same on every replay.
  std::int64_t latest_ms = 0;
  /// The plan in a few lines, shown in every prompt of the run (M2).
  std::string plan = {};
  std::vector<AgentRecord> agents = {};
  std::vector<Finding> findings = {};
  Spend spend = {};
  /// What the plan was expected to take, and what writing the report alone took: one call that reads the
  /// findings and answers (M17).
  std::int64_t tokens_expected = 0, tokens_of_report = 0;
  /// For the report's readers: what was refused, merged, cut, cancelled, or done without a model.
  std::vector<std::string> notes = {};
  std::optional<Error> first_error = {};
  /// How many findings there were when gaps were last looked for; nothing: never.
  std::optional<std::size_t> reviewed_at = {};
  std::size_t rounds = 0, refused_tasks = 0, merged_tasks = 0, cut_tasks = 0;

  void note(std::string text);
  /// The moment the report must be begun; 0: none.
  std::int64_t deadline_ms() const;
  /// Agents that may still be started.
  std::size_t agents_left() const;
  std::vector<std::string> asked_hashes() const;
  /// The same for all agents of this run: what they ask alike is asked once. Empty: nothing is shared.
  std::string share() const;
  void add(const StructuredAnswer& answer);
};

/// Asks for the plan, keeps what of it passes (recorded as step "plan.kept"), falls back on one task that is
/// the question. The tasks are not yet started.
Task<Result<std::vector<Delegation>>> make_plan(Leading& lead);
/// Starts these agents, `parallel` at once, and takes their reports as they come.
Task<Result<void>> run_round(Leading& lead, std::vector<Delegation> tasks);
/// New tasks for what is missing; none when it suffices, nothing new came, or no more may be started.
Task<Result<std::vector<Delegation>>> find_gaps(Leading& lead, std::size_t findings_before);

/// What a run says at its end.
struct Outcome {
  bool found = false;
  std::string answer;
  std::string body;
  std::vector<Claim> claims;
  CitationCheck check;
  /// "model", or "rule" when the pass gave no report that was the same but for marks.
  std::string cited_by = "model";
  std::size_t citation_tries = 0, unresolved = 0, removed_by_critic = 0;
  bool answer_supported = true;
};
/// Writes, criticises, cites and checks (M10, M21). Falls back on rules where a model cannot be asked.
Task<Result<Outcome>> write_up(Leading& lead);

/// Money or calls were gone before an agent had read anything: that nothing was found says nothing.
bool budget_ended_first(const Leading& lead);
/// What the run did, without a word of what it was about (M16, H5): kinds, counts, sizes and hashes.
Json structure_json(const Leading& lead, const Outcome& outcome);
/// research.json with the report's text; see make_research.
JsonText research_json(const Leading& lead, const Outcome& outcome);
std::string research_markdown(const Leading& lead, const Outcome& outcome);

}  // namespace troupe::research
