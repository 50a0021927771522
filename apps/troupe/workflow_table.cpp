#include "apps/troupe/workflow_table.hpp"

#include "apps/troupe/command.hpp"
#include "apps/troupe/outputs.hpp"
#include "apps/troupe/summary_output.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe::app {
namespace {

using Written = Result<std::vector<std::string>>;

Written write_recap_files(const std::string& out, const Ended& ended) {
  if (auto written = write_recap(out, ended.report, ended.story, ended.input); !written)
    return std::unexpected(written.error());
  return std::vector<std::string>{"recap.md", "report.html", "recap.json"};
}

Written write_research_files(const std::string& out, const Ended& ended) {
  auto result = parse_json(ended.report.output.text);
  if (!result) return std::unexpected(result.error());
  auto report = get_string(*result, "report");
  if (auto note = model_note(ended.story); !note.empty()) report += "\n---\n" + note + "\n";
  result->erase("report");
  if (auto written = write_file(out + "/report.md", report); !written)
    return std::unexpected(written.error());
  if (auto written = write_file(out + "/research.json", dump_json(*result, 1) + "\n"); !written)
    return std::unexpected(written.error());
  return std::vector<std::string>{"report.md", "research.json"};
}

Written write_summary_files(const std::string& out, const Ended& ended) {
  if (auto written = write_summary(out, ended.report); !written) return std::unexpected(written.error());
  return std::vector<std::string>{"summary.json"};
}

Written write_search_files(const std::string& out, const Ended& ended) {
  auto result = parse_json(ended.report.output.text);
  if (!result) return std::unexpected(result.error());
  auto answer = get_string(*result, "report");
  if (auto note = model_note(ended.story); !note.empty()) answer += "\n---\n" + note + "\n";
  result->erase("report");
  if (auto written = write_file(out + "/answer.md", answer); !written)
    return std::unexpected(written.error());
  if (auto written = write_file(out + "/search.json", dump_json(*result, 1) + "\n"); !written)
    return std::unexpected(written.error());
  return std::vector<std::string>{"answer.md", "search.json"};
}

// Three calls and the retries that routing makes of them: a search that would take more has gone astray.
Budget search_budget() {
  Budget out;
  out.calls = 6;
  out.tokens = 60'000;
  return out;
}

// Pretty where it is JSON; a template may as well have made text.
Written write_result(const std::string& out, const Ended& ended) {
  auto parsed = parse_json(ended.report.output.text);
  auto text = parsed ? dump_json(*parsed, 1) : ended.report.output.text;
  if (auto written = write_file(out + "/result.json", text + "\n"); !written)
    return std::unexpected(written.error());
  return std::vector<std::string>{"result.json"};
}

Written write_tool_test(const std::string& out, const Ended& ended) {
  auto result = parse_json(ended.report.output.text);
  if (!result) return std::unexpected(result.error());
  if (auto written = write_file(out + "/tool_test.json", dump_json(*result, 1) + "\n"); !written)
    return std::unexpected(written.error());
  return std::vector<std::string>{"tool_test.json"};
}

WorkflowEntry tool_test_entry() {
  return {"tool_test",
          "tasks for tools: JSON Lines of {id, task, tool, expect}",
          {"tool", "corpus", "principal", "tools", "feature", "tenant", "repeats", "turns_max"},
          {"tool"},
          write_tool_test};
}

WorkflowEntry night_entry() {
  return {"recap_night",
          "a Slack export, folder or ZIP",
          {"recaps", "people", "zone", "date", "hour", "last", "batch", "parallel"},
          {"recaps", "date"},
          write_result};
}

const std::vector<WorkflowEntry>& workflow_table() {
  static const std::vector<WorkflowEntry> table{
      {"recap",
       "a Slack export, folder or ZIP",
       {"from", "to", "channels", "user", "users", "tenant", "parallel_max", "chunk_tokens_max",
        "deadline_s"},
       {},
       write_recap_files},
      {"summary",
       "a transcript: a Slack export, a JSON Lines file of {id, who, at, text}, or a text",
       {"format", "channel", "thread", "from", "to", "query", "disentangle", "prepass_tokens_max",
        "chunk_tokens_max", "first_look", "statements_max", "parallel_max", "deadline_s", "tenant"},
       {},
       write_summary_files,
       summary_on_terminal},
      {"search",
       "a corpus: a JSON Lines file of {id, title, text}, or a folder of text, Markdown and HTML files",
       {"question", "tenant", "principal", "intent", "from", "to", "types", "people", "results_max",
        "sources_max", "statements_max", "variants_max", "deadline_s", "tools"},
       {"question"},
       write_search_files,
       search_on_terminal,
       true,
       search_budget()},
      {"research",
       "a corpus: a JSON Lines file of {id, title, text}, or a folder of text, Markdown and HTML files",
       {"question",       "tenant",       "principal",      "effort",          "subagents_max",
        "calls_max",      "parallel",     "tools_parallel", "rounds",          "first_k",
        "context_tokens", "deadline_s",   "grace_s",        "call_deadline_s", "unsupported",
        "critic",         "lead_feature", "agent_feature",  "critic_feature",  "cite_feature",
        "patience_s",     "worth_tokens", "tools",          "output_tokens",   "without"},
       {"question"},
       write_research_files,
       nullptr,
       true},
      tool_test_entry(),
      night_entry(),
  };
  return table;
}

}  // namespace

const WorkflowEntry* find_workflow(const std::string& name) {
  auto it = std::ranges::find(workflow_table(), name, &WorkflowEntry::name);
  return it == workflow_table().end() ? nullptr : &*it;
}

WorkflowEntry entry_of(const declared::Declared& declared) {
  WorkflowEntry entry;
  entry.name = declared.name;
  for (const auto& input : declared.inputs) {
    entry.settings.push_back(input.name);
    if (input.required) entry.required.push_back(input.name);
  }
  entry.write = write_result;
  entry.budget = declared.budget;
  entry.durability = declared.durability;
  return entry;
}

std::string workflow_names() {
  std::vector<std::string> names;
  for (const auto& each : workflow_table()) names.push_back(each.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Written write_outputs(const std::string& out, const WorkflowEntry& workflow, const Ended& ended) {
  auto run = run_json(ended.report, ended.story);
  if (auto written = write_file(out + "/run.json", dump_json(run, 2) + "\n"); !written)
    return std::unexpected(written.error());
  std::vector<std::string> files;
  if (ended.report.end == RunEnd::done) {
    auto own = workflow.write(out, ended);
    if (!own) return own;
    files = std::move(*own);
  }
  files.push_back("run.json");
  return files;
}

}  // namespace troupe::app
