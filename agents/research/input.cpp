// Reading the input document, key by key.
#include "agents/research/input.hpp"

#include "agents/research/settings.hpp"
#include "agents/research/words.hpp"

#include <fmt/format.h>

namespace troupe::research {
namespace {

constexpr std::size_t kQuestionMax = 4000;

void read_effort(Settings& settings, EffortWish& out) {
  settings.text("effort", out.kind);
  if (out.kind == "auto") out.kind.clear();
  bool known = out.kind.empty() || out.kind == "simple" || out.kind == "comparison" || out.kind == "complex";
  if (!known) settings.wrong("effort", "auto, simple, comparison or complex");
  settings.number("subagents_max", out.agents_max, {0, 1'000'000});
  settings.number("calls_max", out.calls_max, {0, 1'000'000});
}

void read_bounds(Settings& settings, ResearchInput& out) {
  settings.number("parallel", out.parallel, {1, static_cast<std::int64_t>(kSubagentsCeiling)});
  settings.number("tools_parallel", out.tools_parallel, {1, 16});
  settings.number("rounds", out.rounds_max, {1, static_cast<std::int64_t>(kRoundsCeiling)});
  settings.number("worth_tokens", out.worth_tokens, {0, 1'000'000'000});
  settings.number("first_k", out.first_k, {0, static_cast<std::int64_t>(kSubagentsCeiling)});
  settings.number("context_tokens", out.context_tokens_max, {2000, 1'000'000});
  settings.number("output_tokens", out.output_tokens_max, {256, 65'536});
  settings.seconds("deadline_s", out.deadline, {0, 7 * 86'400});
  settings.seconds("grace_s", out.grace, {0, 3600});
  settings.seconds("patience_s", out.patience, {0, 3600});
  settings.seconds("call_deadline_s", out.call_deadline, {1, 3600});
}

void read_without(Settings& settings, Without& out) {
  std::string list;
  settings.text("without", list);
  list = "," + list + ",";
  auto named = [&](const char* name) { return list.find(fmt::format(",{},", name)) != std::string::npos; };
  out = {.plan = named("plan"),
         .repeats = named("repeats"),
         .tool_errors = named("tool_errors"),
         .async = named("async"),
         .share = named("share"),
         .references = named("references")};
}

}  // namespace

Result<ResearchInput> read_research_input(const JsonText& input) {
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  ResearchInput out;
  out.given = input;
  out.question = one_line(get_string(*json, "question"), kQuestionMax + text::kOverBound);
  if (out.question.empty() || out.question.size() > kQuestionMax)
    return fail(Errc::invalid_input, fmt::format("question: expected 1 to {} bytes of text", kQuestionMax));
  Settings settings(*json);
  settings.text("tenant", out.tenant);
  settings.text("principal", out.principal);
  read_effort(settings, out.effort);
  read_bounds(settings, out);
  read_without(settings, out.without);
  settings.either("unsupported", out.mark_unsupported, "mark", "remove");
  settings.either("critic", out.critic, "on", "off");
  settings.text("lead_feature", out.tiers.lead);
  settings.text("agent_feature", out.tiers.agent);
  settings.text("critic_feature", out.tiers.critic);
  settings.text("cite_feature", out.tiers.cite);
  if (settings.problem()) return std::unexpected(*settings.problem());
  return out;
}

}  // namespace troupe::research
