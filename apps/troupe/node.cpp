// troupe node: a long-running node. Also check, keygen and version, which say what a node would do.
#include "actors/workflow_files.hpp"
#include "agents/declared/declared.hpp"
#include "apps/troupe/command.hpp"
#include "apps/troupe/inputs.hpp"
#include "apps/troupe/signals.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/yaml_json.hpp"
#include "runtime/transport/gateway.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>

namespace troupe::app {
namespace {

struct NodeOptions {
  std::string config, id, region, state, log_level;
};

// What cannot be taken over is said, and the node goes on as it was.
void read_again(Node& node) {
  if (auto taken = node.reload(); !taken) return void(report_error(taken.error()));
  std::fprintf(stderr, "troupe: the configuration was read again\n");
}

// One line a supervisor can wait for and read.
void say_ready(const Node& node, const std::string& id) {
  Json ready{{"node", id}, {"address", node.address()}, {"simulator", node.simulator_url()}};
  std::printf("%s\n", dump_json(ready).c_str());
  std::fflush(stdout);
}

int serve(const NodeOptions& options) {
  auto config = config_from(options.config, options.state);
  if (!config) return report_error(config.error());
  log_to_stderr(options.log_level.empty() ? config->values().telemetry.log_level : options.log_level);
  std::mutex running;
  std::unique_ptr<Node> node;
  Signals signals({}, [&] {
    std::lock_guard lock(running);
    if (node) read_again(*node);
  });
  {
    std::lock_guard lock(running);
    auto started = Node::start(config->with_node(options.id, options.region));
    if (!started) return report_error(started.error());
    node = std::move(*started);
    node->set_config_reader([options]() -> Result<Config> {
      auto again = config_from(options.config, options.state);
      if (!again) return std::unexpected(again.error());
      return again->with_node(options.id, options.region);
    });
    if (auto resumed = node->resume_runs(); !resumed) return report_error(resumed.error());
  }
  say_ready(*node, options.id.empty() ? config->values().node.id : options.id);
  signals.wait();
  std::fprintf(stderr, "troupe: finishing what is in flight; once more ends at once\n");
  node->stop();
  return kInterrupted;
}

Result<void> write_privately(const std::string& file, const std::string& text) {
  auto mask = umask(0077);
  auto written = write_file(file, text);
  umask(mask);
  return written;
}

int keygen(const std::string& file) {
  auto keys = transport::make_key_pair();
  if (file.empty()) {
    std::printf("%s\n",
                dump_json(Json{{"public_key", keys.public_key}, {"secret_key", keys.secret_key}}).c_str());
    return kDone;
  }
  if (std::filesystem::exists(file))
    return report_error(
        make_error(Errc::invalid_input, file + " is there already; a key lost is an identity lost"));
  if (auto written = write_privately(file, keys.secret_key + "\n"); !written)
    return report_error(written.error());
  std::printf("%s\n", keys.public_key.c_str());
  return kDone;
}

// A file with a `workflow` is one; anything else is meant to be a configuration.
bool is_workflow_file(const std::string& file) {
  auto text = read_file(file);
  auto document = text ? config::read_yaml_json(*text, file) : std::unexpected(text.error());
  // Of what cannot be read at all its reader says why.
  if (text && !document) return text->starts_with("workflow:") || text->contains("\nworkflow:");
  return document && document->value.is_object() && document->value.contains("workflow");
}

// No mistake: what is checked here may be meant for another machine.
void warn_of_missing(const config::ToolsConfig& tools) {
  auto look = [](const std::string& key, const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::exists(path, unknown)) return;
    std::fprintf(stderr, "troupe: warning: %s.path: there is no %s here\n", key.c_str(), path.c_str());
  };
  for (const auto& [name, sql] : tools.sql) look("tools.sql." + name, sql.path);
  for (const auto& [name, corpus] : tools.corpora) look("tools.corpora." + name, corpus.path);
}

int check(const std::string& file) {
  if (is_workflow_file(file)) {
    auto declared = declared::load_declared(file);
    if (!declared) return report_error(declared.error());
    std::printf("%s: sound; workflow %s, %zu steps\n", file.c_str(), declared->name.c_str(),
                declared->steps.size());
    return kDone;
  }
  auto config = config::load_config(file);
  if (!config) return report_error(config.error());
  // What a node would say when it starts.
  auto files = actors::load_workflow_files(*config, system_clock());
  if (!files) return report_error(files.error());
  if (auto sound = actors::check_schedules(*config, actors::known_workflows(*config)); !sound)
    return report_error(sound.error());
  warn_of_missing(config->tools);
  std::printf("%s: sound; %zu endpoints, %zu features\n", file.c_str(), config->endpoints.list.size(),
              config->features.size());
  return kDone;
}

}  // namespace

void add_node(CLI::App& app, Action& action) {
  auto options = std::make_shared<NodeOptions>();
  auto* verb = app.add_subcommand("node", "A long-running node; prints one JSON line when it is ready");
  verb->add_option("--config", options->config, "Configuration file")->required();
  verb->add_option("--id", options->id, "Node id instead of the configuration's");
  verb->add_option("--region", options->region, "Region instead of the configuration's");
  verb->add_option("--state", options->state, "Folder of the journal and ledger");
  verb->add_option("--log", options->log_level,
                   "debug, info, warn, error or off (default: the configuration's)")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}));
  verb->callback([options, &action] { action = [options] { return serve(*options); }; });
}

void add_check(CLI::App& app, Action& action) {
  auto file = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("check", "Validates a configuration or a workflow file");
  verb->add_option("file", *file, "Configuration file")->required();
  verb->callback([file, &action] { action = [file] { return check(*file); }; });
}

void add_keygen(CLI::App& app, Action& action) {
  auto file = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("keygen", "A CURVE key pair for a node or client");
  verb->add_option("--out", *file,
                   "Secret key to this file (mode 0600), public key to stdout; without it: both as JSON");
  verb->callback([file, &action] { action = [file] { return keygen(*file); }; });
}

void add_version(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("version", "Version and build facts");
  verb->callback([&action] {
    action = [] {
      std::printf("troupe %s, wire version %u, built with %s\n", "0.1.0", protocol::kVersion, __VERSION__);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace troupe::app
