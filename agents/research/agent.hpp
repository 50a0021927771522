// One subagent while it works: what it has read and asked, and when it has to stop.
#pragma once

#include "agents/research/context.hpp"
#include "agents/research/job.hpp"
#include "agents/research/research.hpp"

#include <troupe/task.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::research {

/// What the lead says to one that is at work: signal "steer" {"finish": true}. Heard between two turns.
class Steering {
 public:
  void listen(Workflow& wf);
  bool finish() const { return finish_; }

 private:
  Task<bool> hear(Workflow& wf);
  std::optional<Task<bool>> hearing_;
  bool finish_ = false;
};

/// Everything an agent's tasks refer to; lives longer than they do. Used by one coroutine tree.
struct Searching {
  Searching(Workflow& workflow, AgentJob asked, Toolbox toolbox);
  Workflow& wf;
  AgentJob job;
  /// Those of the task only: no other can be reached from here (J9).
  Toolbox tools;
  Shelf shelf{kSourcesCeiling};
  QueryLog log;
  std::vector<Turn> turns;
  Steering steering;
  /// The turn before which it was first obeyed, by the record; 0: not yet.
  std::size_t steered_from = 0;
  AgentReport report;
  /// It was reminded that there are tools.
  bool reminded = false;
  /// Turns in a row that showed nothing new.
  std::size_t barren = 0;
};

/// Runs the calls of one answer, several at once, and keeps what they said as a Turn. Fails only when the run
/// cannot go on.
Task<Result<void>> use_tools(Searching& at, std::size_t turn, std::vector<Part> asked);

/// Turns until it is enough; `report.stopped` says why it ended.
Task<Result<void>> search(Searching& at);
/// Asks for the findings, or takes them by rule when asking is not possible any more.
Task<Result<void>> find_out(Searching& at);

}  // namespace troupe::research
