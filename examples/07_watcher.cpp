// A run that lives for ever: at the head of each round it says where it stands, so that whoever takes it up
// again begins there and needs nothing that came before.
//
// Usage: example_07_watcher [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>

namespace {

// What the rest of the loop needs, and how it is written down.
struct Watch {
  long rounds = 0;
  long seen = 0;
};
troupe::JsonText to_json_text(const Watch& watch) {
  return {"[" + std::to_string(watch.rounds) + "," + std::to_string(watch.seen) + "]"};
}
troupe::Result<void> from_json_text(const troupe::JsonText& json, Watch& watch) {
  if (std::sscanf(json.text.c_str(), "[%ld,%ld]", &watch.rounds, &watch.seen) == 2) return {};
  return troupe::fail(troupe::Errc::invalid_input, "this is no watch");
}

troupe::Task<troupe::Result<troupe::JsonText>> watch(troupe::Workflow& wf, troupe::JsonText) {
  auto state = wf.restored_or(Watch{});
  if (!state) co_return std::unexpected(state.error());
  for (;;) {
    auto rested = co_await wf.snapshot(*state);
    if (!rested) co_return std::unexpected(rested.error());
    // The key is a name of this round; the next one may use it again.
    troupe::StepKey news{"news", ""};
    auto word = co_await wf.signal(news);
    if (!word) co_return std::unexpected(word.error());
    ++state->rounds;
    if (word->text == "\"enough\"") co_return to_json_text(*state);
    state->seen += std::atol(word->text.c_str());
  }
}

troupe::RunReport live(const std::string& folder, const std::string& said) {
  troupe::RunReport none;
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(folder));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), none;
  (*node)->add_workflow("watch", watch);
  std::promise<troupe::RunReport> ended;
  troupe::Node::Watch hooks;
  hooks.on_done = [&ended](troupe::RunReport report) { ended.set_value(std::move(report)); };
  auto run = (*node)->submit({"watch", {"null"}, "the-watch", "example", {}, {}}, hooks);
  if (!run) return std::fprintf(stderr, "%s\n", run.error().what.c_str()), none;
  (void)(*node)->ask("runs.signal", {R"({"id":"the-watch","name":"news","json":)" + said + "}"});
  // It goes on for ever: the first life is stopped once it has taken its word.
  for (bool stops = said != R"("\"enough\"")"; stops;) {
    auto shown = (*node)->ask("runs.show", {R"({"id":"the-watch"})"});
    if (shown && shown->text.find("\"number\":2") != std::string::npos) break;
  }
  if (said != R"("\"enough\"")") (*node)->stop();
  return ended.get_future().get();
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = argc > 1 ? argv[1] : ".troupe";
  std::printf("first life: %s\n", troupe::to_string(live(folder, "\"7\"").end));
  auto report = live(folder, R"("\"enough\"")");
  std::printf("second life: %s, rounds and sum %s\n", troupe::to_string(report.end),
              report.output.text.c_str());
}
