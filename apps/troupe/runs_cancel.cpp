// troupe runs cancel: asks whoever holds the run to call it off, and says what came of it.
#include "apps/troupe/command.hpp"
#include "apps/troupe/signals.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::app {
namespace {

struct CancelOptions {
  AskerOptions asker;
  std::string id;
  double wait_s = 5;
  bool json = false;
};

constexpr Duration kLookEvery = std::chrono::milliseconds(100);

std::string asked_words(const Json& told, const std::string& id) {
  auto node = get_string(told, "node");
  if (node.empty()) return fmt::format("asked for {} to be cancelled", id);
  if (get_bool(told, "alive", true)) return fmt::format("asked {} to cancel {}", node, id);
  return fmt::format("{} holds {} and does not answer; asked whoever takes it over to cancel it", node, id);
}

/// The run's state once it is none any more that goes on, or when the time is over.
std::string state_within(Asker& asker, const CancelOptions& options, const Signals& signals) {
  auto& clock = system_clock();
  auto until = clock.now() + from_seconds(options.wait_s);
  std::string state = "running";
  for (;;) {
    auto shown = asker.ask("runs.show", {{"id", options.id}});
    if (shown) state = get_string(*shown, "state");
    if (state != "running" || clock.now() >= until || signals.seen()) return state;
    signals.wait_for(kLookEvery);
  }
}

int say_outcome(const CancelOptions& options, const std::string& state) {
  if (state == "running") {
    std::fprintf(stderr, "troupe: %s is still running; it will be cancelled by the node that drives it\n",
                 options.id.c_str());
    return options.wait_s > 0 ? kInterrupted : kDone;
  }
  if (!options.json) std::printf("%s: %s\n", options.id.c_str(), state.c_str());
  // It came to its end first.
  return state == "cancelled" ? kDone : kBadInput;
}

int call_off(const CancelOptions& options) {
  Signals signals({});
  auto asker = make_asker(options.asker);
  if (!asker) return report_error(asker.error());
  auto told = (*asker)->ask("runs.cancel", {{"id", options.id}});
  if (!told) {
    auto status = report_error(told.error());
    return told.error().code == Errc::not_found ? kInputMissing : status;
  }
  if (get_bool(*told, "asked")) {
    std::fprintf(stderr, "%s\n", asked_words(*told, options.id).c_str());
    (*told)["state"] = state_within(**asker, options, signals);
  }
  if (options.json) std::printf("%s\n", dump_json(*told, 2).c_str());
  return say_outcome(options, get_string(*told, "state"));
}

}  // namespace

void add_runs_cancel(CLI::App& runs, Action& action) {
  auto options = std::make_shared<CancelOptions>();
  auto* verb = runs.add_subcommand(
      "cancel", "Calls a run off, wherever it goes, also while no node is up; recorded steps stay");
  add_asker_options(*verb, options->asker);
  verb->add_option("id", options->id, "The run's id")->required();
  verb->add_option("--wait", options->wait_s, "Seconds to wait for its end; 0: only ask")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86'400.0));
  verb->add_flag("--json", options->json, "JSON instead of words");
  verb->callback([options, &action] { action = [options] { return call_off(*options); }; });
}

}  // namespace troupe::app
