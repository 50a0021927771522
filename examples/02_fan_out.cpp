// Many model calls at once, at most three in flight, answers in the order of the questions.
//
// Usage: example_02_fan_out [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace {

constexpr std::size_t kInFlightMax = 3;
constexpr std::array kTopics{"tides", "lamps", "fog", "ships", "storms", "keepers", "charts", "harbours"};

struct Tally {
  std::size_t in_flight = 0, most = 0;
};

// One branch: asks about one topic. The step's key carries the topic, not a position in a list, so that
// topics may come, go and change places between two lives of a run.
troupe::Task<troupe::Result<std::string>> ask(troupe::Workflow& wf, std::string topic, Tally& tally) {
  troupe::CompletionRequest request;
  request.feature = "summary";
  request.messages = {
      {troupe::Role::user, {troupe::TextPart{"[1] ann: What do we know about " + topic + "?"}}}};
  troupe::StepKey key{"ask", topic};
  // A run's coroutines take turns on one thread: a plain counter needs no lock.
  tally.most = std::max(tally.most, ++tally.in_flight);
  auto answer = co_await wf.complete(key, std::move(request));
  --tally.in_flight;
  if (!answer) co_return std::unexpected(answer.error());
  co_return topic;
}

troupe::Task<troupe::Result<troupe::JsonText>> ask_all(troupe::Workflow& wf, troupe::JsonText) {
  Tally tally;
  wf.plan(kTopics.size());
  std::vector<troupe::Task<troupe::Result<std::string>>> branches;
  for (const char* topic : kTopics) branches.push_back(ask(wf, topic, tally));
  auto answers = co_await troupe::all(std::move(branches), kInFlightMax);
  std::string list;
  for (const auto& answer : answers) {
    // The first failure ends this workflow. What was answered is recorded and not bought again.
    if (!answer) co_return std::unexpected(answer.error());
    list += (list.empty() ? "" : ",") + ("\"" + *answer + "\"");
  }
  std::printf("most in flight: %zu\n", tally.most);
  co_return troupe::JsonText{"[" + list + "]"};
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().what.c_str());
    return 1;
  }
  (*node)->add_workflow("ask_all", ask_all);
  auto report = (*node)->run({"ask_all", {"null"}, "", "example"});
  if (report.error) {
    std::fprintf(stderr, "%s: %s\n", troupe::to_string(report.error->code), report.error->what.c_str());
    return 1;
  }
  std::printf("answered: %s\n%zu steps\n", report.output.text.c_str(), report.steps);
}
