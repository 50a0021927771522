// The tool tester: it tries a tool on tasks, proposes a better description, and lets an experiment decide.
#pragma once

#include "agents/research/research.hpp"

#include <troupe/workflow.hpp>

#include <string_view>

namespace troupe::tool_tester {

inline constexpr std::string_view kToolTestName = "tool_test";
/// Of its code (M14).
inline constexpr std::string_view kToolTestVersion = "2";

/// Input: see read_tool_test_input. The result is tool_test.json, see to_json(ToolTestResult).
///
/// The tasks are read once (step "probes") and divided; half of them are worked on with the tools as they are
/// described now (steps "ask" and "use"), and what happened goes into one prompt for a better description
/// (step "propose"). One that is not acceptable (check_description) is refused. Else the other tasks, which
/// the proposer has not seen, are worked on with both texts, and judge() decides; the decision with both
/// texts is recorded (step "decided"). Nothing is changed by a run: an accepted text is taken over by
/// `troupe tools accept`. Tasks go one after the other, so that their times are their own.
///
/// Only tools that are `repeatable` are offered: probing must not do anything.
/// Fails with invalid_input for a bad input, a tool that is not there or is not repeatable, and too few
/// tasks; as `source` does; and as Workflow::complete does: a probe that nobody could serve is no evidence.
WorkflowFunction make_tool_test(research::ToolSource source);

}  // namespace troupe::tool_tester
