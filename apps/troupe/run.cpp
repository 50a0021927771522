// troupe run WORKFLOW: a node in this process, one run to its end.
#include "apps/troupe/command.hpp"
#include "apps/troupe/inputs.hpp"
#include "apps/troupe/outputs.hpp"
#include "apps/troupe/progress.hpp"
#include "apps/troupe/signals.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config/config.hpp"

#include <troupe/node.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <expected>
#include <future>
#include <optional>

namespace troupe::app {
namespace {

struct RunOptions {
  std::string workflow, out, config, state, run_id, log_level = "warn";
  InputOptions input;
  bool quiet = false, json = false;
};

int exit_of(const RunReport& report) {
  switch (report.end) {
    case RunEnd::done: return kDone;
    case RunEnd::failed:
      return report_error(report.error.value_or(make_error(Errc::internal, "failed without a reason")));
    case RunEnd::cancelled: return report_cancelled(report.run_id);
    case RunEnd::interrupted:
      // Nor here: this program cannot go on with it (another version of its code).
      if (report.error) return report_error(*report.error);
      break;
  }
  std::fprintf(stderr, "troupe: interrupted; repeat the command with --run-id %s to resume\n",
               report.run_id.c_str());
  return kInterrupted;
}

void print_summary(const RunOptions& options, const RunReport& report, const Json& run,
                   const std::vector<std::string>& files) {
  if (options.json) {
    std::printf("%s\n", dump_json(run).c_str());
    return;
  }
  // What failed before its first step has only its reason to tell.
  bool nothing_done = report.end == RunEnd::failed && report.steps == 0;
  if (options.quiet || nothing_done) return;
  std::fprintf(stderr, "run %s: %s in %s, %zu steps (%zu replayed), %lld calls, $%.4f\n",
               report.run_id.c_str(), to_string(report.end), to_human(report.took).c_str(), report.steps,
               report.steps_replayed, static_cast<long long>(get_int(run["calls"], "total")),
               get_double(run, "cost_usd"));
  if (report.end != RunEnd::done) return;
  // Where a text was printed, stdout holds that and nothing else.
  const auto* known = find_workflow(options.workflow);
  auto* stream = known != nullptr && known->terminal ? stderr : stdout;
  for (const auto& file : files) std::fprintf(stream, "%s/%s\n", options.out.c_str(), file.c_str());
}

// What was asked for, checked; or the exit status that says what was wrong.
struct Wish {
  WorkflowEntry workflow;
  std::shared_ptr<const declared::Declared> declared;
  JsonText input;
  Budget budget;
  Durability durability = Durability::unsaid;
  std::optional<Config> config;
};

// A workflow of ours by name, or one that somebody wrote down in a file.
int name_workflow(const RunOptions& options, Wish& wish) {
  if (declared::names_declared_file(options.workflow)) {
    auto declared = declared::load_declared(options.workflow);
    if (!declared) return report_error(declared.error());
    wish.declared = std::make_shared<const declared::Declared>(std::move(*declared));
    wish.workflow = entry_of(*wish.declared);
    return kDone;
  }
  if (const auto* known = find_workflow(options.workflow)) return wish.workflow = *known, kDone;
  std::fprintf(stderr, "troupe: no workflow is named %s; there are: %s, and files ending in .yaml\n",
               options.workflow.c_str(), workflow_names().c_str());
  return kUsage;
}

std::expected<Wish, int> read_wish(const RunOptions& options) {
  Wish wish;
  if (auto named = name_workflow(options, wish); named != kDone) return std::unexpected(named);
  auto input = workflow_input(options.input, wish.workflow);
  if (!input) return std::unexpected(report_usage(input.error()));
  auto budget = budget_of(options.input);
  if (!budget) return std::unexpected(report_usage(budget.error()));
  auto durability = durability_of(options.input, wish.workflow);
  if (!durability) return std::unexpected(report_usage(durability.error()));
  auto config = config_from(options.config, options.state);
  if (!config) return std::unexpected(report_error(config.error()));
  if (auto writable = check_writable(options.out); !writable) {
    report_error(writable.error());
    return std::unexpected(kUsage);
  }
  wish.input = *input;
  wish.budget = options.input.budget.empty() ? wish.workflow.budget : *budget;
  wish.durability = *durability;
  wish.config = std::move(*config);
  return wish;
}

Json story_of(Node& node, const std::string& run_id) {
  if (auto told = node.ask("runs.story", {dump_json(Json{{"id", run_id}})}))
    if (auto parsed = parse_json(told->text)) return std::move(*parsed);
  return {{"attempts", Json::array()}, {"breakers", Json::array()}};
}

int run(const RunOptions& options) {
  auto wish = read_wish(options);
  if (!wish) return wish.error();
  const auto& workflow = wish->workflow;
  // First, so that every thread of the node inherits the blocked signals.
  std::promise<std::weak_ptr<Node>> started;
  auto node_known = started.get_future().share();
  Signals signals([node_known] {
    std::fprintf(stderr, "\ntroupe: finishing what is in flight; once more ends at once\n");
    if (auto going = node_known.get().lock()) going->interrupt();
  });
  auto made = Node::start(*wish->config);
  std::shared_ptr<Node> node = made ? std::move(*made) : nullptr;
  started.set_value(node);
  if (!made) return report_error(made.error());
  if (wish->declared) node->add_workflow(declared::declared_type(wish->declared, system_clock()));
  bool prints = workflow.terminal && !options.json && !options.quiet;
  auto terminal = prints ? workflow.terminal() : TerminalText{};
  ProgressLine line(options.quiet || prints, system_clock());
  auto report = node->run(
      {workflow.name, wish->input, options.run_id, "default", wish->budget, {}, wish->durability},
      [&line](const RunProgress& progress) { line.show(progress); }, prints ? reader_of(terminal) : nullptr);
  line.end();
  auto story = story_of(*node, report.run_id);
  node->stop();
  if (prints) finish_on(terminal, report);
  auto files = write_outputs(options.out, workflow, {report, story, wish->input});
  if (!files) return report_error(files.error());
  print_summary(options, report, run_json(report, story), *files);
  return exit_of(report);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  auto* verb = app.add_subcommand(
      "run", "One run to its end, on a node in this process; repeat with the same --run-id to resume");
  auto what = "What to run: " + workflow_names() + ", or a file ending in .yaml";
  verb->add_option("workflow", options->workflow, what)->required();
  add_input_options(*verb, options->input);
  verb->add_option("--out", options->out, "Folder for run.json and what the workflow makes")->required();
  verb->add_option("--config", options->config, "Configuration file; without it: the simulated demo clouds");
  verb->add_option("--state", options->state,
                   "Folder of the journal and ledger (default: .troupe, or the configuration's)");
  verb->add_option("--run-id", options->run_id, "Name of the run; the same name resumes it");
  verb->add_option("--log", options->log_level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  verb->add_flag("--quiet", options->quiet, "No progress, no summary");
  verb->add_flag("--json", options->json, "run.json to stdout");
  verb->callback([options, &action] {
    action = [options] {
      log_to_stderr(options->log_level);
      return run(*options);
    };
  });
}

}  // namespace troupe::app
