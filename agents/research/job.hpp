// What passes between the lead and a subagent: the task going out, the report coming back.
#pragma once

#include "agents/research/contract.hpp"
#include "agents/research/evidence.hpp"
#include "agents/research/input.hpp"
#include "agents/research/queries.hpp"
#include "agents/research/spend.hpp"

#include <troupe/error.hpp>

#include <set>
#include <string>
#include <vector>

namespace troupe::research {

struct AgentJob {
  ResearchInput input;
  Delegation task;
  /// The lead's plan in a few lines.
  std::string plan;
  /// What the run knows already, and call hashes it has spent.
  std::vector<Finding> known;
  /// Of what the lead gave it to know: read as altered, and left out.
  std::size_t altered_known = 0;
  std::set<std::string> asked;
  /// Leading::share.
  std::string share;
};
JsonText to_input(const AgentJob& job);
Result<AgentJob> read_agent_job(const JsonText& input);

struct AgentReport {
  std::string objective;
  std::vector<Finding> findings;
  bool sufficient = false;
  std::string missing;
  /// Why it stopped searching: answered, calls, sources, turns, nothing_new, steered, deadline, budget,
  /// context, filtered, tool_failed.
  std::string stopped;
  std::vector<AskedQuery> queries;
  std::vector<std::string> asked;
  std::size_t sources = 0, repeats = 0, tool_errors = 0, refused_calls = 0, dropped_findings = 0;
  /// As in its job. Said by who reads the report: findings that were not as the agent, or before it the lead,
  /// had written them (M11).
  std::size_t altered_known = 0, altered_findings = 0;
  std::size_t narrow_first = 0;
  Spend spend;
};
JsonText to_text(const AgentReport& report);
Result<AgentReport> read_agent_report(const JsonText& text);

}  // namespace troupe::research
