// troupe tools accept | descriptions | rollback: words of tools that a test has shown to be better.
#include "agents/tool_tester/result.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/tools/described.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace troupe::app {
namespace {

struct TextsOptions {
  std::string state = ".troupe", file, tool;
  bool json = false;
};

std::string texts_file(const TextsOptions& options) { return options.state + "/tool_descriptions.jsonl"; }

Result<std::vector<tools::DescriptionRow>> rows_of(const TextsOptions& options) {
  std::vector<std::string> problems;
  auto rows = tools::read_descriptions(texts_file(options), problems);
  for (const auto& problem : problems)
    std::fprintf(stderr, "troupe: %s: %s\n", texts_file(options).c_str(), problem.c_str());
  return rows;
}

// What the gate says of the outcomes in the file, not what the file says of itself.
Result<tools::DescriptionRow> accepted_row(const TextsOptions& options) {
  auto text = read_file(options.file);
  if (!text) return std::unexpected(text.error());
  auto json = parse_json(*text);
  if (!json) return std::unexpected(json.error());
  auto result = tool_tester::read_tool_test_result(*json);
  if (!result) return std::unexpected(result.error());
  if (!result->gate) return fail(Errc::refused, "the experiment gate was switched off in this test");
  if (result->after.empty()) return fail(Errc::refused, "this test proposed no description that was tried");
  if (!result->verdict.accepted) return fail(Errc::refused, "not accepted: " + result->verdict.why);
  return tools::DescriptionRow{.tool = result->tool,
                               .spec = result->before_hash,
                               .before = result->before,
                               .after = result->after,
                               .why = result->verdict.why,
                               .by = result->by};
}

// A second text for the same words would stand without being shown, and be what `rollback` takes back.
Result<void> check_new(const TextsOptions& options, const tools::DescriptionRow& row) {
  auto rows = rows_of(options);
  if (!rows) return std::unexpected(rows.error());
  auto same = [&](const auto& one) { return one.tool == row.tool && one.spec == row.spec; };
  if (std::ranges::none_of(tools::standing(*rows), same)) return {};
  return fail(Errc::refused, "a description accepted for these words of " + row.tool +
                                 " stands already; take it back first (troupe tools rollback)");
}

int accept_text(const TextsOptions& options) {
  auto row = accepted_row(options);
  if (!row) return report_error(row.error());
  if (auto fresh = check_new(options, *row); !fresh) return report_error(fresh.error());
  if (auto added = tools::append_description(texts_file(options), *row); !added)
    return report_error(added.error());
  std::printf("%s\n  was: %s\n  is:  %s\n  %s\n", row->tool.c_str(), row->before.c_str(), row->after.c_str(),
              row->why.c_str());
  return kDone;
}

int show_texts(const TextsOptions& options) {
  auto rows = rows_of(options);
  if (!rows) return report_error(rows.error());
  Json all = Json::array();
  for (const auto& row : *rows) {
    all.push_back(tools::to_json(row));
    if (options.json) continue;
    std::printf("%s %s\n  was: %s\n  is:  %s\n  %s\n", row.tool.c_str(),
                row.taken_back ? "taken back" : "accepted", row.before.c_str(), row.after.c_str(),
                row.why.c_str());
  }
  if (options.json) std::printf("%s\n", dump_json(all, 2).c_str());
  return kDone;
}

int roll_back(const TextsOptions& options) {
  auto rows = rows_of(options);
  if (!rows) return report_error(rows.error());
  auto stands = tools::standing(*rows);
  auto newest = std::ranges::find(stands.rbegin(), stands.rend(), options.tool, &tools::DescriptionRow::tool);
  if (newest == stands.rend())
    return report_error(make_error(Errc::not_found, "no accepted description of that tool stands"));
  tools::DescriptionRow row{.tool = newest->tool,
                            .spec = newest->spec,
                            .before = newest->after,
                            .after = newest->before,
                            .why = "taken back by hand",
                            .by = "",
                            .taken_back = true};
  if (auto added = tools::append_description(texts_file(options), row); !added)
    return report_error(added.error());
  std::printf("%s\n  was: %s\n  is:  %s\n", row.tool.c_str(), row.before.c_str(), row.after.c_str());
  return kDone;
}

}  // namespace

void add_tool_texts(CLI::App& tools, Action& action) {
  auto options = std::make_shared<TextsOptions>();
  auto verb = [&](const char* name, const char* what, int (*act)(const TextsOptions&)) {
    auto* sub = tools.add_subcommand(name, what);
    sub->add_option("--state", options->state, "Folder of the node's state")->capture_default_str();
    sub->callback([options, act, &action] { action = [options, act] { return act(*options); }; });
    return sub;
  };
  auto* accept = verb("accept", "Take over the description that a test of a tool accepted", accept_text);
  accept->add_option("file", options->file, "tool_test.json of `troupe run tool_test`")->required();
  auto* shown =
      verb("descriptions", "Descriptions that were accepted and taken back, oldest first", show_texts);
  shown->add_flag("--json", options->json, "JSON instead of lines");
  auto* back = verb("rollback", "Take the latest accepted description of a tool back", roll_back);
  back->add_option("tool", options->tool, "The tool's name")->required();
}

}  // namespace troupe::app
