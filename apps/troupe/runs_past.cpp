// The verbs that look back on runs: their histories, whether those could be made again, and forgetting them.
#include "apps/troupe/command.hpp"
#include "apps/troupe/runs_verify.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::app {
namespace {

struct PastOptions {
  AskerOptions asker;
  VerifyOptions verify;
  std::string id, file, older, workflow;
  bool tree = false, verifies = false, before_snapshot = false;
};
using PastRef = std::shared_ptr<PastOptions>;

// "90m", "12h", "30d"; nothing when it is none.
std::optional<std::int64_t> age_ms(const std::string& text) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  std::string unit = end;
  double ms = unit == "s" ? 1e3 : unit == "m" ? 60e3 : unit == "h" ? 3600e3 : unit == "d" ? 86'400e3 : 0;
  if (!(value > 0) || ms == 0 || value * ms > 3.2e12) return std::nullopt;
  return static_cast<std::int64_t>(value * ms);
}

Result<Json> ask_past(const AskerOptions& options, const std::string& verb, const Json& input) {
  auto asker = make_asker(options);
  if (!asker) return std::unexpected(asker.error());
  return (*asker)->ask(verb, input);
}

int export_past(const PastOptions& options) {
  auto lines = ask_past(options.asker, "runs.export",
                        {{"id", options.id}, {"tree", options.tree || options.verifies}});
  if (!lines) {
    auto status = report_error(lines.error());
    return lines.error().code == Errc::not_found ? kInputMissing : status;
  }
  std::string text;
  for (const auto& line : *lines) text += dump_json(line) + "\n";
  if (!options.verifies) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return kDone;
  }
  auto verify = options.verify;
  verify.config = options.asker.config;
  return verify_lines(text, verify);
}

int verify_file(const PastOptions& options) {
  auto text = read_file(options.file);
  return text ? verify_lines(*text, options.verify) : report_error(text.error());
}

int prune_snapshots(const PastOptions& options) {
  auto asker = options.asker;
  asker.writes = asker.to.empty();
  auto told = ask_past(asker, "runs.prune", {{"before_snapshot", true}, {"id", options.id}});
  if (!told) return report_error(told.error());
  if (options.verify.json) return std::printf("%s\n", dump_json(*told).c_str()), kDone;
  std::printf("%lld entries of %lld runs removed\n", static_cast<long long>(get_int(*told, "entries")),
              static_cast<long long>(get_int(*told, "runs")));
  return kDone;
}

int prune(const PastOptions& options) {
  bool ended = !options.older.empty();
  if (ended == options.before_snapshot)
    return report_usage(
        make_error(Errc::unsupported, "give --older, or --before-snapshot with or without --run"));
  if (options.before_snapshot) return prune_snapshots(options);
  if (!options.id.empty())
    return report_usage(make_error(Errc::unsupported,
                                   "--run goes with --before-snapshot; --older forgets all runs that ended "
                                   "before, or those of --workflow"));
  auto older = age_ms(options.older);
  if (!older) return report_usage(make_error(Errc::unsupported, "--older is a time such as 12h, 30d or 90d"));
  auto asker = options.asker;
  asker.writes = asker.to.empty();
  auto told = ask_past(asker, "runs.prune", {{"older_ms", *older}, {"workflow", options.workflow}});
  if (!told) return report_error(told.error());
  if (options.verify.json) return std::printf("%s\n", dump_json(*told).c_str()), kDone;
  std::printf("%lld runs forgotten\n", static_cast<long long>(get_int(*told, "runs")));
  return kDone;
}

void add_verify_options(CLI::App& verb, VerifyOptions& options) {
  verb.add_option("--workflow", options.workflows, "File of a declared workflow; repeatable")->take_all();
  verb.add_option("--input", options.input, "Where a recap's or summary's input lies now");
}

CLI::App* add_past(CLI::App& runs, const char* name, const char* help, const PastRef& options, Action& action,
                   int (*act)(const PastOptions&)) {
  auto* verb = runs.add_subcommand(name, help);
  verb->add_flag("--json", options->verify.json, "JSON instead of words");
  verb->callback([options, &action, act] { action = [options, act] { return act(*options); }; });
  return verb;
}

}  // namespace

void add_runs_past(CLI::App& runs, Action& action) {
  auto options = std::make_shared<PastOptions>();
  auto* whole = add_past(runs, "export", "The whole history as JSON lines", options, action, export_past);
  add_asker_options(*whole, options->asker);
  whole->add_option("id", options->id, "The run's id")->required();
  whole->add_flag("--tree", options->tree, "With the histories of the runs it started");
  whole->add_flag("--verify-replay", options->verifies,
                  "Instead of printing it: makes it again, and its children's, with the code of now");
  add_verify_options(*whole, options->verify);
  auto* verify =
      add_past(runs, "verify", "Makes exported runs again, offline: is every decision the recorded one?",
               options, action, verify_file);
  verify->add_option("file", options->file, "What `runs export` printed")->required();
  verify->add_option("--config", options->verify.config, "Whose prices count (default: the demo clouds')");
  add_verify_options(*verify, options->verify);
  auto* old = add_past(runs, "prune", "Forgets runs that ended long ago, or what lies before snapshots",
                       options, action, prune);
  add_asker_options(*old, options->asker);
  old->add_option("--older", options->older, "Ended before this long ago: 12h, 30d");
  old->add_flag("--before-snapshot", options->before_snapshot,
                "Of runs that go on: the entries before their latest snapshot");
  old->add_option("--run", options->id, "Only of this run");
  old->add_option("--workflow", options->workflow, "Only runs of this workflow");
}

}  // namespace troupe::app
