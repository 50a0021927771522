// troupe simulate: the provider simulator alone, on loopback.
#include "apps/troupe/command.hpp"
#include "apps/troupe/inputs.hpp"
#include "apps/troupe/signals.hpp"
#include "providers/simulator/server.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::app {
namespace {

int simulate(const std::string& file, const std::string& listen) {
  auto config = config_from(file, {});
  if (!config) return report_error(config.error());
  auto simulator = config->values().simulator;
  if (!listen.empty()) simulator.listen = listen;
  Signals signals({});
  http::Loop loop;
  auto server = providers::simulator::SimulatorServer::start(loop, system_clock(), simulator);
  if (!server) return report_error(server.error());
  Json ready;
  ready["url"] = fmt::format("http://{}:{}", (*server)->origin().host, (*server)->port());
  for (const auto& endpoint : simulator.endpoints) ready["endpoints"].push_back(endpoint.name);
  ready["model"] = "extractive: picks central messages, not a language model";
  std::printf("%s\n", dump_json(ready).c_str());
  std::fflush(stdout);
  signals.wait();
  server->reset();
  loop.stop();
  return kInterrupted;
}

}  // namespace

void add_simulate(CLI::App& app, Action& action) {
  auto file = std::make_shared<std::string>();
  auto listen = std::make_shared<std::string>();
  auto* verb = app.add_subcommand(
      "simulate", "The simulated clouds on loopback, every dialect; prints one JSON line when ready");
  verb->add_option("--config", *file,
                   "Configuration file with a `simulator` section (default: the demo clouds)");
  verb->add_option("--listen", *listen, "HOST:PORT instead of the configuration's; port 0: any free one");
  verb->callback([file, listen, &action] { action = [file, listen] { return simulate(*file, *listen); }; });
}

}  // namespace troupe::app
