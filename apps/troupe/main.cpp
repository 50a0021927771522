// The command line: one verb, one file.
#include "apps/troupe/command.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

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
        troupe::app::add_simulate, troupe::app::add_endpoints, troupe::app::add_route, troupe::app::add_cost,
        troupe::app::add_check, troupe::app::add_keygen, troupe::app::add_version})
    add(app, action);
  bool help = false;
  app.add_subcommand("help", "This text")->callback([&help] { help = true; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    auto status = app.exit(error);
    return status == 0 ? troupe::app::kDone : troupe::app::kUsage;
  }
  if (help) {
    std::fputs(app.help().c_str(), stdout);
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
