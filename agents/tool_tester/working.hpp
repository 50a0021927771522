// One task at work: an agent with the tools, turn by turn, and what became of it.
#pragma once

#include "agents/tool_tester/proposal.hpp"
#include "agents/tool_tester/result.hpp"

#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <string>
#include <utility>
#include <vector>

namespace troupe::tool_tester {

/// One life of one test. Everything its tasks refer to lives here, longer than they do.
struct Testing {
  Testing(Workflow& workflow, ToolTestInput asked) : wf(workflow), input(std::move(asked)) {}
  Workflow& wf;
  ToolTestInput input;
  /// As recorded when the test began.
  Toolbox tools;
  std::vector<ToolSpec> specs;
  Division tasks;
  std::vector<Practised> practised;
  ToolTestResult result;
};

/// Works on one task with the tools as `specs` describe them, until the model wants no more or its turns are
/// used up. Steps are "ask" and "use" under `key`. Fails only when the run cannot go on: no model, no budget.
Task<Result<Outcome>> work_on(Testing& at, std::string key, Probe probe, std::vector<ToolSpec> specs);

}  // namespace troupe::tool_tester
