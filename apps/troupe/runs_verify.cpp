#include "apps/troupe/runs_verify.hpp"

#include "actors/built_in.hpp"
#include "actors/list_price.hpp"
#include "actors/verify_run.hpp"
#include "agents/declared/declared.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <map>

namespace troupe::app {
namespace {

using CodeByName = std::map<std::string, WorkflowType>;

Result<CodeByName> code_here(const std::vector<std::string>& files) {
  CodeByName code;
  for (auto& type : actors::built_in_workflows_on_paper(system_clock())) {
    auto name = type.name;
    code[name] = std::move(type);
  }
  for (const auto& file : files) {
    auto read = declared::load_declared(file);
    if (!read) return std::unexpected(read.error());
    auto type =
        declared::declared_type(std::make_shared<const declared::Declared>(std::move(*read)), system_clock());
    auto name = type.name;
    code[name] = std::move(type);
  }
  return code;
}

// Those that read a file by themselves read it again; agents' tools are only on paper.
std::optional<std::string> input_now(const journal::RunRow& row, const VerifyOptions& options) {
  auto asked = parse_json(row.input);
  bool reads = row.workflow == "recap" || row.workflow == "summary";
  if (options.input.empty() || !reads || !asked || !asked->is_object()) return std::nullopt;
  (*asked)["input"] = options.input;
  return dump_json(*asked);
}

Json verdict_json(const journal::RunRow& row, const actors::ReplayVerdict& verdict) {
  Json drift = Json::array();
  for (const auto& each : verdict.drift)
    drift.push_back({{"seq", each.seq}, {"step", each.step}, {"recorded", each.recorded}, {"now", each.now}});
  return {{"run_id", row.run_id},
          {"workflow", row.workflow},
          {"entries", verdict.made},
          {"lives", verdict.lives},
          {"drift", std::move(drift)}};
}

void print_verdict(const Json& verdict) {
  const auto& drift = verdict["drift"];
  auto id = get_string(verdict, "run_id");
  std::printf("run %s: %lld entries of %lld lives made again, %s\n", id.c_str(),
              static_cast<long long>(get_int(verdict, "entries")),
              static_cast<long long>(get_int(verdict, "lives")),
              drift.empty() ? "no drift" : fmt::format("{} differ", drift.size()).c_str());
  for (const auto& each : drift)
    std::printf("  entry %lld %s\n    recorded: %s\n    now:      %s\n",
                static_cast<long long>(get_int(each, "seq")), get_string(each, "step", "-").c_str(),
                get_string(each, "recorded").c_str(), get_string(each, "now").c_str());
}

}  // namespace

int verify_lines(std::string_view lines, const VerifyOptions& options) {
  auto runs = actors::read_histories(lines);
  if (!runs) return report_error(runs.error());
  auto code = code_here(options.workflows);
  if (!code) return report_error(code.error());
  auto config = config_from(options.config, {});
  if (!config) return report_error(config.error());
  auto prices = [&config](Clock& clock) { return actors::list_prices(config->values(), clock); };
  Json verdicts = Json::array();
  bool drifted = false;
  for (const auto& run : *runs) {
    auto known = code->find(run.row.workflow);
    if (known == code->end())
      return report_error(make_error(
          Errc::input_missing, fmt::format("run {} is of workflow {}, which is not here; give its file with "
                                           "--workflow",
                                           run.row.run_id, run.row.workflow)));
    auto verdict = actors::verify_run(run, {known->second, prices, input_now(run.row, options)});
    drifted = drifted || !verdict.drift.empty();
    verdicts.push_back(verdict_json(run.row, verdict));
    if (!options.json) print_verdict(verdicts.back());
  }
  if (options.json) std::printf("%s\n", dump_json(verdicts, 2).c_str());
  return drifted ? kBadInput : kDone;
}

}  // namespace troupe::app
