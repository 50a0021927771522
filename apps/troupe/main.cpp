// The command line: one verb, one file.
#include "apps/troupe/command.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

// One line, and the word that is wrong: CLI11 says of an unknown verb only that one is required.
int usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::string first = argc > 1 ? argv[1] : "";
  bool is_verb =
      !app.get_subcommands([&](const CLI::App* verb) { return verb->get_name() == first; }).empty();
  if (first.empty() || is_verb || first.starts_with('-'))
    std::fprintf(stderr, "troupe: %s; see troupe %shelp\n", error.what(),
                 is_verb ? (first + " --").c_str() : "");
  else
    std::fprintf(stderr, "troupe: there is no verb %s; see troupe help\n", first.c_str());
  return troupe::app::kUsage;
}

int parse_and_act(int argc, char** argv) {
  CLI::App app{
      "Troupe runs LLM workflows (recaps, summaries, research) over many model providers: every call goes "
      "through\n"
      "health-aware endpoint actors, every step is journaled, a killed run resumes without buying an answer "
      "twice.\n"
      "Try: troupe run recap --input examples/workspace --out out"};
  app.name("troupe");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "This text");
  troupe::app::Action action;
  for (auto add :
       {troupe::app::add_run, troupe::app::add_node, troupe::app::add_submit, troupe::app::add_runs,
        troupe::app::add_schedules, troupe::app::add_simulate, troupe::app::add_replay, troupe::app::add_call,
        troupe::app::add_endpoints, troupe::app::add_route, troupe::app::add_cost, troupe::app::add_control,
        troupe::app::add_feedback, troupe::app::add_tools, troupe::app::add_check, troupe::app::add_keygen,
        troupe::app::add_version})
    add(app, action);
  bool help = false;
  app.add_subcommand("help", "This text")->callback([&help] { help = true; });
  // Before parsing: afterwards CLI11 gives the help of the verb that was chosen.
  auto help_text = app.help();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return usage_error(app, error, argc, argv);
  }
  if (help) {
    std::fputs(help_text.c_str(), stdout);
    return troupe::app::kDone;
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  // Nothing of ours throws; what a library lets through here is our bug, said plainly.
  try {
    return parse_and_act(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "troupe: internal error: %s\n", error.what());
    return troupe::app::kOurBug;
  }
}
