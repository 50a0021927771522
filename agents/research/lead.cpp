// The order of the work: plan, rounds, report.
#include "agents/research/lead.hpp"
#include "agents/research/kept_tools.hpp"
#include "agents/research/principal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::research {
namespace {

constexpr std::size_t kStepsBesideAgents = 6;

bool nobody_found_and_one_failed(const Leading& lead) {
  return lead.findings.empty() && lead.first_error && lead.first_error->code != Errc::refused;
}

Result<void> begin(Leading& lead) {
  for (const auto& spec : lead.tools.specs()) lead.tool_names.push_back(spec.name);
  auto asked = effort_for(lead.input.question, lead.input.effort);
  lead.effort = asked;
  lead.started = lead.wf.now();
  if (lead.input.worth_tokens > 0) {
    auto cut = worth(asked, lead.input.worth_tokens);
    if (!cut)
      return fail(Errc::invalid_input,
                  fmt::format("worth_tokens: {} are too few for any research; about {} would be right",
                              lead.input.worth_tokens, tokens_for(asked)));
    lead.effort = *cut;
    if (*cut != asked) lead.note("less was done than the question seems to ask for: worth_tokens");
  }
  lead.tokens_expected = tokens_for(lead.effort);
  return {};
}

Task<Result<JsonText>> run_lead(Workflow& wf, ToolSource source, Clock& clock, JsonText given) {
  auto input = read_research_input(given);
  if (!input) co_return std::unexpected(input.error());
  auto tools = source(given);
  if (!tools) co_return std::unexpected(tools.error());
  tools->box = on_behalf_of(tools->box, input->principal);
  auto keeping = keep_opened(wf, *tools);
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto told = kept->told();
  Leading lead{.wf = wf, .input = std::move(*input), .tools = std::move(kept->box), .clock = clock};
  for (const auto& note : told) lead.note(one_line(note));
  if (auto begun = begin(lead); !begun) co_return std::unexpected(begun.error());
  auto planning = make_plan(lead);
  auto tasks = co_await planning;
  if (!tasks) co_return std::unexpected(tasks.error());
  while (!tasks->empty()) {
    wf.plan(kStepsBesideAgents + lead.agents.size() + tasks->size());
    auto before = lead.findings.size();
    auto working = run_round(lead, std::move(*tasks));
    auto worked = co_await working;
    if (!worked) co_return std::unexpected(worked.error());
    auto looking = find_gaps(lead, before);
    tasks = co_await looking;
    if (!tasks) co_return std::unexpected(tasks.error());
  }
  if (nobody_found_and_one_failed(lead)) co_return std::unexpected(*lead.first_error);
  if (budget_ended_first(lead)) lead.note("the budget ended before anything was read");
  auto writing = write_up(lead);
  auto outcome = co_await writing;
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return research_json(lead, *outcome);
}

}  // namespace

WorkflowFunction make_research(ToolSource source, Clock& clock) {
  return [source = std::move(source), &clock](Workflow& wf, JsonText input) {
    return run_lead(wf, source, clock, std::move(input));
  };
}

}  // namespace troupe::research
