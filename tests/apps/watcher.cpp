// A program of an embedder for the whole-process tests: one workflow that lives by snapshots, of the code
// version it is told, told what to do by lines.
//   troupe_watcher CONFIG VERSION [upgrades]
//   < submit ID ROUNDS PAUSE_MS | ask VERB JSON | stop
//   > ready | begun ID | told JSON | refused WHY
#include <troupe/node.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

namespace {

using troupe::JsonText;
using troupe::Result;

/// What it keeps: which version did each round, a letter each. Version 2 writes it in another form.
JsonText state_of(const std::string& version, const std::string& by) {
  return {(version == "1" ? R"({"by":")" : R"({"rounds_by":")") + by + "\"}"};
}
Result<std::string> by_of(const std::string& version, const JsonText& state) {
  std::string head = version == "1" ? R"({"by":")" : R"({"rounds_by":")";
  if (!state.text.starts_with(head))
    return troupe::fail(troupe::Errc::invalid_input, "a state of other code");
  return state.text.substr(head.size(), state.text.size() - head.size() - 2);
}

struct Wish {
  std::size_t rounds = 0;
  std::int64_t pause_ms = 0;
};
Wish wish_of(const JsonText& input) {
  Wish wish;
  std::istringstream(input.text.substr(1, input.text.size() - 2)) >> wish.rounds >> wish.pause_ms;
  return wish;
}

troupe::WorkflowFunction watches(std::string version) {
  return [version](troupe::Workflow& wf, JsonText input) -> troupe::Task<Result<JsonText>> {
    auto wish = wish_of(input);
    std::string by;
    if (auto state = wf.restored()) {
      auto read = by_of(version, *state);
      if (!read) co_return std::unexpected(read.error());
      by = *read;
    }
    while (by.size() < wish.rounds) {
      auto here = state_of(version, by);
      auto rested = co_await wf.snapshot(std::move(here));
      if (!rested) co_return std::unexpected(rested.error());
      troupe::StepKey look{"look", ""}, pause{"pause", ""};
      std::function<Result<JsonText>()> body = [version] { return Result<JsonText>(JsonText{version}); };
      auto made = co_await wf.step(std::move(look), std::move(body));
      if (!made) co_return std::unexpected(made.error());
      by += made->text;
      troupe::WallTime when{wf.now().ms + wish.pause_ms};
      auto slept = co_await wf.sleep_until(std::move(pause), when);
      if (!slept) co_return std::unexpected(slept.error());
    }
    co_return JsonText{"\"" + by + "\""};
  };
}

troupe::WorkflowType type_of(const std::string& version, bool upgrades) {
  troupe::WorkflowType type{"watcher", watches(version), version, {}, {}};
  if (!upgrades) return type;
  type.migrates = [](const std::string& from) { return from == "1"; };
  type.migrate = [version](const std::string& from, JsonText state) -> Result<JsonText> {
    auto by = by_of(from, state);
    if (!by) return std::unexpected(by.error());
    return state_of(version, *by);
  };
  return type;
}

void say(const std::string& word, const std::string& more = {}) {
  std::printf("%s%s%s\n", word.c_str(), more.empty() ? "" : " ", more.c_str());
  std::fflush(stdout);
}

void submit(troupe::Node& node, std::istream& words) {
  std::string id, rounds, pause;
  words >> id >> rounds >> pause;
  troupe::RunSpec spec;
  spec.workflow = "watcher";
  spec.run_id = id;
  spec.input = {"\"" + rounds + " " + pause + "\""};
  auto begun = node.submit(std::move(spec));
  begun ? say("begun", *begun) : say("refused", begun.error().what);
}

void ask(troupe::Node& node, std::istream& words) {
  std::string verb, json;
  words >> verb;
  std::getline(words, json);
  auto told = node.ask(verb, {json});
  told ? say("told", told->text) : say("refused", told.error().what);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  auto config = troupe::Config::load(argv[1]);
  if (!config) return std::fprintf(stderr, "%s\n", config.error().what.c_str()), 78;
  auto node = troupe::Node::start(*config);
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 70;
  (*node)->add_workflow(type_of(argv[2], argc > 3));
  if (auto taken = (*node)->resume_runs(); !taken)
    return std::fprintf(stderr, "%s\n", taken.error().what.c_str()), 70;
  say("ready");
  for (std::string line; std::getline(std::cin, line) && line != "stop";) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    verb == "submit" ? submit(**node, words) : ask(**node, words);
  }
  (*node)->stop();
  return 0;
}
