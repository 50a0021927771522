#include "apps/troupe/inputs.hpp"

#include "actors/run_entries.hpp"
#include "runtime/base/log.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

namespace troupe::app {

namespace {

Result<void> check_setting(const std::string& pair, const WorkflowEntry& workflow) {
  auto equals = pair.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(Errc::unsupported, "--set wants KEY=VALUE, not " + pair);
  auto key = pair.substr(0, equals);
  if (std::ranges::find(workflow.settings, key) != workflow.settings.end()) return {};
  return fail(Errc::unsupported, fmt::format("--set {}: {} has no setting {}; there are {}", pair,
                                             workflow.name, key, fmt::join(workflow.settings, ", ")));
}

Result<void> put_input(Json& input, const InputOptions& options, const WorkflowEntry& workflow) {
  if (options.input.empty() && (workflow.reads.empty() || workflow.reads_tools)) return {};
  if (options.input.empty())
    return fail(Errc::unsupported, fmt::format("{} needs --input: {}", workflow.name, workflow.reads));
  std::error_code error;
  auto path = std::filesystem::absolute(options.input, error);
  if (error || !std::filesystem::exists(path, error))
    return fail(Errc::input_missing,
                fmt::format("{} is not there; --input wants {}", options.input, workflow.reads));
  input["input"] = path.lexically_normal().string();
  return {};
}

}  // namespace

void add_input_options(CLI::App& app, InputOptions& options) {
  app.add_option("--input", options.input, "What the workflow reads: a Slack export, a corpus, a transcript");
  app.add_option(
         "--set", options.set,
         "KEY=VALUE, repeatable. recap: from=DATE, to=DATE (inclusive, UTC), channels=a,b, user=NAME; "
         "summary: format=slack|jsonl|text, channel=NAME, query=TEXT; "
         "search, research: question=TEXT")
      ->take_all();
  app.add_option(
      "--budget", options.budget,
      "What the run may use: usd=0.5,tokens=200000,calls=100,tool_calls=N,subagents=N,depth=N,wall_s=N");
  app.add_option("--durability", options.durability,
                 "What the run's record survives: power (a power cut), or crash (kill -9; faster); "
                 "default: the workflow's file, else the configuration's, else power");
}

Result<JsonText> workflow_input(const InputOptions& options, const WorkflowEntry& workflow) {
  Json input = Json::object();
  if (auto put = put_input(input, options, workflow); !put) return std::unexpected(put.error());
  for (const auto& pair : options.set) {
    if (auto known = check_setting(pair, workflow); !known) return std::unexpected(known.error());
    auto equals = pair.find('=');
    input[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  for (const auto& key : workflow.required)
    if (!input.contains(key))
      return fail(Errc::unsupported, fmt::format("{} needs --set {}=…", workflow.name, key));
  return JsonText{dump_json(input)};
}

Result<Budget> budget_of(const InputOptions& options) {
  Json caps = Json::object();
  for (std::size_t at = 0; at < options.budget.size();) {
    auto end = std::min(options.budget.find(',', at), options.budget.size());
    auto pair = options.budget.substr(at, end - at);
    auto equals = pair.find('=');
    auto value = equals == std::string::npos ? Result<Json>(fail(Errc::unsupported, ""))
                                             : parse_json(pair.substr(equals + 1));
    if (!value || !value->is_number() || value->get<double>() <= 0)
      return fail(Errc::unsupported, "--budget wants NAME=NUMBER above 0, not " + pair);
    caps[pair.substr(0, equals)] = *value;
    at = end + 1;
  }
  auto budget = actors::read_budget(caps.empty() ? std::string() : dump_json(caps));
  if (!budget) return fail(Errc::unsupported, "--budget: " + budget.error().what);
  return budget;
}

Result<Durability> durability_of(const InputOptions& options, const WorkflowEntry& workflow) {
  auto durability = read_durability(options.durability);
  if (!durability) return fail(Errc::unsupported, "--durability: " + durability.error().what);
  return *durability == Durability::unsaid ? workflow.durability : *durability;
}

void log_to_stderr(const std::string& level) {
  for (auto each : {log::Level::debug, log::Level::info, log::Level::warn, log::Level::error}) {
    constexpr const char* names[] = {"debug", "info", "warn", "error"};
    if (level == names[static_cast<int>(each)]) log::to_stderr(each);
  }
}

}  // namespace troupe::app
