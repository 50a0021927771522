// troupe submit: a run on a cluster's node, watched from here when asked.
#include "actors/run_entries.hpp"
#include "apps/troupe/command.hpp"
#include "apps/troupe/inputs.hpp"
#include "apps/troupe/outputs.hpp"
#include "apps/troupe/progress.hpp"
#include "apps/troupe/signals.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::app {
namespace {

struct SubmitOptions {
  AskerOptions asker;
  InputOptions input;
  std::string workflow, run_id, out;
  bool wait = false, quiet = false, json = false;
};

constexpr Duration kAskEvery = std::chrono::milliseconds(300);
// A node that restarts is asked again for this long before the wait is given up; the run itself goes on
// without us.
constexpr Duration kSilenceMax = std::chrono::seconds(60);

RunProgress progress_from(const Json& shown) {
  RunProgress progress;
  progress.run_id = get_string(shown, "run_id");
  progress.steps_planned = static_cast<std::size_t>(get_int(shown, "steps_planned"));
  progress.steps_done = static_cast<std::size_t>(get_int(shown, "steps_done"));
  progress.calls = static_cast<std::uint64_t>(get_int(shown, "calls"));
  progress.tokens = get_int(shown, "tokens");
  progress.usd = get_double(shown, "cost_usd");
  progress.tool_calls = get_int(shown, "tool_calls");
  progress.children = static_cast<std::size_t>(get_int(shown, "children"));
  return progress;
}

/// Asks until the run has ended; the last answer of "runs.show".
Result<Json> wait_for(Asker& asker, const std::string& run_id, ProgressLine& line, const Signals& signals) {
  auto& clock = system_clock();
  auto heard = clock.now();
  while (!signals.seen()) {
    auto shown = asker.ask("runs.show", {{"id", run_id}});
    if (shown) {
      heard = clock.now();
      if (get_string(*shown, "state") != "running") return shown;
      line.show(progress_from(*shown));
    } else if (shown.error().code != Errc::unreachable || clock.now() - heard > kSilenceMax) {
      return shown;
    }
    signals.wait_for(kAskEvery);
  }
  return fail(Errc::cancelled,
              fmt::format("no longer waiting; the run goes on: troupe runs show {}", run_id));
}

int finish(const SubmitOptions& options, const WorkflowEntry& workflow, Asker& asker, const Json& shown,
           const JsonText& input) {
  RunReport report;
  report.run_id = get_string(shown, "run_id");
  report.workflow = workflow.name;
  auto state = get_string(shown, "state");
  report.end = state == "done" ? RunEnd::done : state == "cancelled" ? RunEnd::cancelled : RunEnd::failed;
  report.output = {get_string(shown, "output")};
  report.started.ms = get_int(shown, "created_ms");
  report.took = from_seconds(get_double(shown, "seconds"));
  report.steps = static_cast<std::size_t>(get_int(shown, "steps_done"));
  if (report.end == RunEnd::failed) report.error = make_error(Errc::no_endpoint, report.output.text);
  if (!options.out.empty()) {
    auto story = asker.ask("runs.story", {{"id", report.run_id}});
    if (!story) return report_error(story.error());
    if (auto written = write_outputs(options.out, workflow, {report, *story, input}); !written)
      return report_error(written.error());
  }
  if (report.end == RunEnd::cancelled) return report_cancelled(report.run_id);
  return report.error ? report_error(*report.error) : kDone;
}

// A workflow of ours by name, or one that the node has from a file like this one.
Result<WorkflowEntry> named_workflow(const std::string& name) {
  if (declared::names_declared_file(name)) {
    auto declared = declared::load_declared(name);
    if (!declared) return std::unexpected(declared.error());
    return entry_of(*declared);
  }
  if (const auto* known = find_workflow(name)) return *known;
  return fail(Errc::unsupported,
              fmt::format("no workflow is named {}; there are: {}, and files ending in .yaml", name,
                          workflow_names()));
}

int submit(const SubmitOptions& options) {
  Signals signals({});
  auto named = named_workflow(options.workflow);
  if (!named) return report_usage(named.error());
  const auto* workflow = &*named;
  auto input = workflow_input(options.input, *workflow);
  if (!input) return report_usage(input.error());
  auto budget = budget_of(options.input);
  if (!budget) return report_usage(budget.error());
  auto durability = durability_of(options.input, *workflow);
  if (!durability) return report_usage(durability.error());
  const auto& caps = options.input.budget.empty() ? workflow->budget : *budget;
  if (!options.out.empty())
    if (auto writable = check_writable(options.out); !writable) return report_error(writable.error());
  auto asker = make_asker(options.asker);
  if (!asker) return report_error(asker.error());
  auto told = (*asker)->ask("submit", {{"workflow", workflow->name},
                                       {"run_id", options.run_id},
                                       {"input", *parse_json(input->text)},
                                       {"join", options.wait},
                                       {"budget", actors::budget_json(caps)},
                                       {"durability", to_string(*durability)}});
  if (!told) return report_error(told.error());
  auto run_id = get_string(*told, "run_id");
  if (auto note = get_string(*told, "note"); !note.empty())
    std::fprintf(stderr, "troupe: %s\n", note.c_str());
  if (!options.wait) {
    std::printf("%s\n", options.json ? dump_json(*told).c_str() : run_id.c_str());
    return kDone;
  }
  ProgressLine line(options.quiet, system_clock());
  auto shown = wait_for(**asker, run_id, line, signals);
  line.end();
  if (!shown) return report_error(shown.error());
  if (options.json)
    std::printf("%s\n", dump_json(*shown).c_str());
  else
    std::printf("%s %s\n", run_id.c_str(), get_string(*shown, "state").c_str());
  return finish(options, *workflow, **asker, *shown, *input);
}

}  // namespace

void add_submit(CLI::App& app, Action& action) {
  auto options = std::make_shared<SubmitOptions>();
  auto* verb = app.add_subcommand("submit", "A run on a node; prints its id, or with --wait how it ended");
  verb->add_option("workflow", options->workflow,
                   "What to run: " + workflow_names() + ", or the file of one that the node has")
      ->required();
  add_input_options(*verb, options->input);
  add_asker_options(*verb, options->asker);
  verb->get_option("--to")->required();
  verb->add_option("--run-id", options->run_id,
                   "Name of the run; the same name resumes it, or with --wait waits for it");
  verb->add_option("--out", options->out, "With --wait: folder for the results");
  verb->add_flag("--wait", options->wait, "Until it has ended");
  verb->add_flag("--quiet", options->quiet, "No progress");
  verb->add_flag("--json", options->json, "JSON to stdout");
  verb->callback([options, &action] { action = [options] { return submit(*options); }; });
}

}  // namespace troupe::app
