// The research workflow: a lead plans and reports, subagents search, every claim is cited or gone.
#pragma once

#include "agents/research/kept_tools.hpp"
#include "runtime/base/clock.hpp"

#include <troupe/error.hpp>
#include <troupe/tool.hpp>
#include <troupe/workflow.hpp>

#include <functional>
#include <string_view>

namespace troupe::research {

/// The names the two are registered under; the lead starts the second by name.
inline constexpr std::string_view kResearchName = "research";
inline constexpr std::string_view kAgentName = "research.agent";

/// Of the code behind both (M14): runs that began with an older one are gone on with, and say so as drift.
inline constexpr std::string_view kResearchVersion = "4";

/// Opens the tools for an input ("input" names the corpus, "principal" whose rights hold). Called at a run's
/// start and again when it is resumed, for every subagent too: whoever gives it keeps what is costly to open.
/// Agents open nothing themselves. Its notes are among those of the result.
using ToolSource = std::function<Result<OpenedTools>(const JsonText& input)>;

/// Input: see read_research_input. The result is research.json of the contract: {question, answer, found,
/// claims: [{text, citations: [{doc, start, end}]}], agents, calls, tool_calls, tokens, cost, …} and
/// "report", the text of report.md.
///
/// The plan is made first and recorded ("plan.kept") before anybody works; tasks are checked and cut to the
/// ceilings of effort_for; subagents are child runs whose results are taken as they come; gaps may lead to
/// another round; the report is written from findings, checked by a critic, cited and checked again. What no
/// source bears out is taken out. "Not found" is a result, with what was searched.
///
/// Fails with invalid_input for a bad input, as `source` does, and with the first error of a subagent when
/// none of them found anything and one failed: that is no "not found".
/// The clock is read in recorded steps only and must outlive the workflow.
WorkflowFunction make_research(ToolSource source, Clock& clock);

/// One subagent; its input is the lead's with {"agent": {task, plan, known, asked}}. Its result: {objective,
/// findings, sufficient, missing, queries, stopped, …}. A tool that fails is an observation for the model;
/// tools outside the task are never called; identical calls are not made twice, nor is one that another agent
/// of the run makes or has made while both are at work: it is told what that one was.
WorkflowFunction make_research_agent(ToolSource source);

}  // namespace troupe::research
