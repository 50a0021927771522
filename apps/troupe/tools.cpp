// troupe tools list: what agents may use, as each server and database tells it now.
#include "actors/configured_tools.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config/config.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::app {
namespace {

struct ToolsOptions {
  std::string config;
  bool json = false;
};

Json owner_json(const actors::ToolOwner& owner) {
  Json tools = Json::array();
  for (const auto& tool : owner.tools) {
    auto schema = parse_json(tool->spec().input_schema.text);
    tools.push_back({{"name", tool->spec().name},
                     {"description", tool->spec().description},
                     {"repeatable", tool->repeatable()},
                     {"input_schema", schema ? *schema : Json()}});
  }
  Json out{{"from", owner.name}, {"tools", std::move(tools)}, {"problems", owner.problems}};
  if (owner.error) out["error"] = {{"code", to_string(owner.error->code)}, {"what", owner.error->what}};
  return out;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void print_owner(const actors::ToolOwner& owner) {
  std::printf("%s%s\n", owner.name.c_str(), owner.error ? ": cannot be used" : "");
  for (const auto& tool : owner.tools)
    std::printf("  %s  %s\n    %s\n", tool->spec().name.c_str(), first_line(tool->spec().description).c_str(),
                tool->spec().input_schema.text.c_str());
  for (const auto& problem : owner.problems)
    std::fprintf(stderr, "troupe: %s: %s\n", owner.name.c_str(), problem.c_str());
}

int list_tools(const ToolsOptions& options) {
  auto config = config_from(options.config, {});
  if (!config) return report_error(config.error());
  // What a server did not do is told below, once.
  log::to_stderr(log::Level::error);
  actors::ConfiguredTools configured(config->values().tools, system_clock());
  Json all = Json::array();
  int status = kDone;
  for (const auto& owner : configured.owners()) {
    if (options.json) all.push_back(owner_json(owner));
    if (!options.json) print_owner(owner);
    if (!owner.error) continue;
    std::fprintf(stderr, "troupe: %s: %s (%s)\n", owner.name.c_str(), owner.error->what.c_str(),
                 to_string(owner.error->code));
    status = exit_for(*owner.error);
  }
  if (options.json) std::printf("%s\n", dump_json(all, 2).c_str());
  return status;
}

}  // namespace

void add_tools(CLI::App& app, Action& action) {
  auto options = std::make_shared<ToolsOptions>();
  auto* tools = app.add_subcommand("tools", "What agents may use besides words");
  tools->require_subcommand(1);
  auto* list = tools->add_subcommand(
      "list", "Each tool with its schema; starts the configured servers and says which cannot be used");
  list->add_option("--config", options->config, "Configuration file; without it: what is built in");
  list->add_flag("--json", options->json, "JSON instead of lines");
  list->callback([options, &action] { action = [options] { return list_tools(*options); }; });
  add_tool_texts(*tools, action);
}

}  // namespace troupe::app
