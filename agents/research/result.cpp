// research.json and report.md.
#include "agents/research/lead.hpp"
#include "agents/research/standing.hpp"
#include "agents/text/inert.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::research {
namespace {

constexpr std::size_t kQueriesShown = 30;

Json citations_of(const Claim& claim, const Leading& lead) {
  Json out = Json::array();
  for (auto number : claim.cited) {
    const auto& source = lead.findings[number - 1];
    out.push_back(Json{{"number", number},
                       {"title", source.title},
                       {"doc", source.span.doc},
                       {"start", source.span.start},
                       {"end", source.span.end},
                       {"digest", digest_of(source.quote)}});
  }
  return out;
}

Json claims_json(const Leading& lead, const Outcome& outcome) {
  Json out = Json::array();
  for (const auto& claim : outcome.claims) {
    if (claim.cited.empty()) continue;
    out.push_back(
        Json{{"text", text::without_backslashes(claim.text)}, {"citations", citations_of(claim, lead)}});
  }
  return out;
}

Json queries_json(const AgentReport& report) {
  Json out = Json::array();
  for (const auto& query : report.queries)
    out.push_back(Json{{"tool", query.tool},
                       {"text", query.text},
                       {"terms", query.terms},
                       {"turn", query.turn},
                       {"shown", query.shown}});
  return out;
}

Json agent_json(const AgentRecord& agent) {
  const auto& report = agent.report;
  Json out{{"objective", agent.task.objective},
           {"round", agent.round},
           {"findings", report.findings.size()},
           {"sources", report.sources},
           {"tool_calls", report.spend.tool_calls},
           {"calls", report.spend.calls},
           {"tokens", report.spend.input + report.spend.output + report.spend.cached},
           {"cost", report.spend.usd},
           {"stopped", report.stopped},
           {"sufficient", report.sufficient},
           {"repeats", report.repeats},
           {"tool_errors", report.tool_errors},
           {"refused_calls", report.refused_calls},
           {"queries", queries_json(report)}};
  if (!agent.error.empty()) out["error"] = agent.error;
  return out;
}

// The same call made by two agents of one run, as a share of all calls (M3).
double duplicate_rate(const Leading& lead) {
  std::size_t made = 0;
  std::set<std::string> distinct;
  for (const auto& agent : lead.agents) {
    made += agent.report.asked.size();
    distinct.insert(agent.report.asked.begin(), agent.report.asked.end());
  }
  return made == 0 ? 0 : 1 - static_cast<double>(distinct.size()) / static_cast<double>(made);
}

std::size_t altered_findings(const Leading& lead) {
  std::size_t out = 0;
  for (const auto& agent : lead.agents) out += agent.report.altered_findings;
  return out;
}

Json checks_json(const Leading& lead, const Outcome& outcome) {
  return Json{{"citations_by", outcome.cited_by},
              {"citation_tries", outcome.citation_tries},
              {"fake_citations", outcome.check.fake},
              {"unsupported_citations", outcome.check.unsupported},
              {"added_citations", outcome.check.added},
              {"unresolved_citations", outcome.unresolved},
              {"claims_without_support", outcome.check.claims_without},
              {"claims_removed_by_critic", outcome.removed_by_critic},
              {"answer_supported", outcome.answer_supported},
              {"tasks_refused", lead.refused_tasks},
              {"tasks_merged", lead.merged_tasks},
              {"tasks_cut", lead.cut_tasks},
              {"altered_findings", altered_findings(lead)},
              {"duplicate_query_rate", duplicate_rate(lead)}};
}

Json agent_structure(const AgentRecord& agent) {
  Json queries = Json::array();
  for (const auto& query : agent.report.queries)
    queries.push_back(Json{{"tool", query.tool},
                           {"words_hash", digest_of(query.text)},
                           {"terms", query.terms},
                           {"turn", query.turn},
                           {"shown", query.shown}});
  return Json{{"task", agent.task.id},
              {"round", agent.round},
              {"tools", agent.task.tools},
              {"calls_max", agent.task.calls_max},
              {"stopped", agent.report.stopped},
              {"error", agent.error},
              {"findings", agent.report.findings.size()},
              {"sources", agent.report.sources},
              {"queries", std::move(queries)}};
}

Json economics_json(const Leading& lead) {
  const auto& spend = lead.spend;
  auto tokens = spend.input + spend.output + spend.cached;
  auto one = lead.tokens_of_report;
  return Json{{"tokens_expected", lead.tokens_expected},
              {"tokens", tokens},
              {"tokens_of_report", one},
              {"times_one_call", one == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(one)}};
}

std::string searched_for(const Leading& lead) {
  std::set<std::string> shown;
  std::size_t sources = 0;
  for (const auto& agent : lead.agents) {
    sources += agent.report.sources;
    for (const auto& query : agent.report.queries)
      if (shown.size() < kQueriesShown) shown.insert(query.text);
  }
  auto out = fmt::format("Read {} passages after these queries:\n\n", sources);
  for (const auto& text : shown) out += "- " + text::inert_line(text) + "\n";
  return out;
}

std::string source_list(const Leading& lead, const Outcome& outcome) {
  std::set<std::size_t> cited;
  for (const auto& claim : outcome.claims) cited.insert(claim.cited.begin(), claim.cited.end());
  std::string out;
  for (auto number : cited) {
    const auto& source = lead.findings[number - 1];
    // A link here would be one that a source chose: its address is shown, and not one to click on.
    out += fmt::format("[{}] {}{}{} (bytes {} to {} of {})\n", number, text::inert_line(source.title),
                       source.url.empty() ? "" : ", ", text::inert_line(source.url), source.span.start,
                       source.span.end, text::inert_line(source.span.doc));
  }
  return out;
}

}  // namespace

bool budget_ended_first(const Leading& lead) {
  auto ended = [](const AgentRecord& one) {
    return one.error == "refused" || one.report.stopped == "budget";
  };
  auto read = [](const AgentRecord& one) { return one.report.sources > 0; };
  return std::ranges::any_of(lead.agents, ended) && std::ranges::none_of(lead.agents, read);
}

std::string research_markdown(const Leading& lead, const Outcome& outcome) {
  auto out = "# " + text::inert_line(lead.input.question) + "\n\n";
  if (outcome.found) {
    out += "**Answer:** " + text::inert_line(outcome.answer) + "\n\n";
  } else if (budget_ended_first(lead)) {
    out +=
        "**Nothing was read.** The budget ended before any source was: whether one answers this is not "
        "known.\n\n";
  } else {
    out += "**Not found.** The sources that could be read do not answer this.\n\n";
  }
  if (!outcome.body.empty()) out += outcome.body + "\n\n";
  auto sources = source_list(lead, outcome);
  if (!sources.empty()) out += "## Sources\n\n" + sources + "\n";
  out += "## What was searched\n\n" + searched_for(lead);
  if (lead.notes.empty()) return out;
  out += "\n## Notes\n\n";
  for (const auto& note : lead.notes) out += "- " + text::inert_line(note) + "\n";
  return out;
}

Json structure_json(const Leading& lead, const Outcome& outcome) {
  Json agents = Json::array();
  for (const auto& agent : lead.agents) agents.push_back(agent_structure(agent));
  return Json{{"question_hash", digest_of(lead.input.question)},
              {"kind", to_string(lead.effort.kind)},
              {"agents_max", lead.effort.agents_max},
              {"rounds", lead.rounds},
              {"agents", std::move(agents)},
              {"findings", lead.findings.size()},
              {"claims", outcome.claims.size()},
              {"report_bytes", outcome.body.size()},
              {"found", outcome.found},
              {"checks", checks_json(lead, outcome)}};
}

JsonText research_json(const Leading& lead, const Outcome& outcome) {
  Json agents = Json::array();
  for (const auto& agent : lead.agents) agents.push_back(agent_json(agent));
  const auto& spend = lead.spend;
  Json out{{"question", lead.input.question},
           {"answer", outcome.answer},
           {"found", outcome.found},
           {"claims", claims_json(lead, outcome)},
           {"agents", std::move(agents)},
           {"kind", to_string(lead.effort.kind)},
           {"rounds", lead.rounds},
           {"plan", lead.plan},
           {"calls", spend.calls},
           {"tool_calls", spend.tool_calls},
           {"tokens", spend.input + spend.output + spend.cached},
           {"usage", to_json(spend)},
           {"cost", spend.usd},
           {"checks", checks_json(lead, outcome)},
           {"economics", economics_json(lead)},
           {"structure", structure_json(lead, outcome)},
           {"notes", lead.notes},
           {"report", research_markdown(lead, outcome)}};
  std::vector<std::string> cited;
  for (const auto& claim : outcome.claims)
    if (!claim.cited.empty()) cited.push_back(printed(claim));
  place_claims(out, cited);
  return {dump_json(out)};
}

}  // namespace troupe::research
