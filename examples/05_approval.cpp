// A run that waits for a person: it costs nothing meanwhile, and goes on when it is signalled.
//
// Usage: example_05_approval [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <cstdio>
#include <future>

namespace {

troupe::Task<troupe::Result<troupe::JsonText>> publish(troupe::Workflow& wf, troupe::JsonText) {
  // The key's name is what is signalled: `troupe runs signal ID approve '{"by":"ann"}'`.
  troupe::StepKey key{"approve", "the notice"};
  auto verdict = co_await wf.signal(key);
  if (!verdict) co_return std::unexpected(verdict.error());
  co_return *verdict;
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  (*node)->add_workflow("publish", publish);
  std::promise<troupe::RunReport> ended;
  troupe::Node::Watch watch;
  watch.on_done = [&ended](troupe::RunReport report) { ended.set_value(std::move(report)); };
  auto run = (*node)->submit({"publish", {"null"}, "", "example", {}, {}}, watch);
  if (!run) return std::fprintf(stderr, "%s\n", run.error().what.c_str()), 1;
  std::printf("run waits for approval\n");
  // A person would do this from another terminal, another day.
  auto question = R"({"id":")" + *run + R"(","name":"approve","json":"{\"by\":\"ann\"}"})";
  auto told = (*node)->ask("runs.signal", {question});
  if (!told) return std::fprintf(stderr, "%s\n", told.error().what.c_str()), 1;
  auto report = ended.get_future().get();
  std::printf("approved: %s\n", report.output.text.c_str());
}
