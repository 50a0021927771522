// A workflow of recorded steps that starts a child run and gives it a slice of its budget.
//
// Usage: example_03_child_and_budget [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <cstdio>
#include <functional>

namespace {

using troupe::JsonText;
using troupe::Result;
using troupe::Task;
using troupe::Workflow;

// The child: asks twice. Its budget decides how often it may.
Task<Result<JsonText>> ask_twice(Workflow& wf, JsonText) {
  int answered = 0;
  for (const char* question : {"tides", "lamps"}) {
    troupe::CompletionRequest request;
    request.feature = "summary";
    request.messages = {{troupe::Role::user, {troupe::TextPart{"[1] ann: " + std::string(question) + "?"}}}};
    troupe::StepKey key{"ask", question};
    auto answer = co_await wf.complete(key, std::move(request));
    // `refused`: the budget is used up. A good workflow finishes with what it has.
    if (!answer && answer.error().code == troupe::Errc::refused) break;
    if (!answer) co_return std::unexpected(answer.error());
    ++answered;
  }
  co_return JsonText{std::to_string(answered)};
}

Task<Result<JsonText>> parent(Workflow& wf, JsonText) {
  // Work of our own whose result must not change when the run is resumed is a step.
  troupe::StepKey choose{"choose", ""};
  std::function<Result<JsonText>()> choosing = [] { return JsonText{"\"harbour\""}; };
  auto chosen = co_await wf.step(choose, choosing);
  if (!chosen) co_return std::unexpected(chosen.error());

  troupe::ChildSpec spec{"ask_twice", *chosen, {}};
  spec.slice.calls = 1;
  troupe::StepKey key{"child", "of one call"};
  auto ended = co_await wf.child(key, std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  std::printf("child answered %s, spent %lld calls\n", ended->output.text.c_str(),
              static_cast<long long>(ended->spent.calls));
  co_return ended->output;
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  (*node)->add_workflow("ask_twice", ask_twice);
  (*node)->add_workflow("parent", parent);
  troupe::RunSpec spec{"parent", {"null"}, "", "example", {}, {}};
  // What the run and its children may use together.
  spec.budget.usd = 0.10;
  spec.budget.subagents = 3;
  auto report = (*node)->run(spec);
  if (report.error) return std::fprintf(stderr, "%s\n", report.error->what.c_str()), 1;
  std::printf("run: %s, %lld calls in all\n", report.output.text.c_str(),
              static_cast<long long>(report.spent.calls));
}
