// A node in your program, a workflow of your own, one model call; and the same run again, which buys nothing.
//
// Usage: example_01_first_run [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <cstdio>

namespace {

// The simulated model picks lines of this form; a real one takes any text.
constexpr const char* kNotes =
    "[1] ann: The lighthouse was built in 1871.\n"
    "[2] ben: Decision: the lighthouse gets a new lamp in April.\n"
    "[3] ann: Good, the old lamp of the lighthouse failed twice in March.\n"
    "[4] cleo: Lunch?\n";

// A workflow is a coroutine. It says what to do next; the node does it and records it.
troupe::Task<troupe::Result<troupe::JsonText>> ask_once(troupe::Workflow& wf, troupe::JsonText) {
  troupe::CompletionRequest request;
  request.feature =
      "summary";  // which queue, which models, which row of the cost table: see the configuration
  request.messages = {{troupe::Role::user, {troupe::TextPart{kNotes}}}};
  // The key names this step for ever: under it the answer is found again.
  troupe::StepKey key{"ask", "the only question"};
  auto answer = co_await wf.complete(key, std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  // The result of a workflow is JSON. This one answers with a number: how long the text is.
  std::printf("answer: %s\n", answer->completion.text().c_str());
  co_return troupe::JsonText{std::to_string(answer->completion.text().size())};
}

int fail(const troupe::Error& error) {
  std::fprintf(stderr, "%s: %s\n", troupe::to_string(error.code), error.what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // The demo's clouds are simulated in this process: no key, no network beyond loopback. The model behind
  // them picks sentences out of what it is given; it is no language model.
  auto config = troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe");
  auto node = troupe::Node::start(config);
  if (!node) return fail(node.error());
  (*node)->add_workflow("ask_once", ask_once);

  auto first = (*node)->run({"ask_once", {"null"}, "", "example"});
  if (first.error) return fail(*first.error);
  std::printf("run %s: %zu steps, %zu replayed\n", first.run_id.c_str(), first.steps, first.steps_replayed);

  // The same run id again: the journal answers. This also holds after a crash or on another day.
  auto again = (*node)->run({"ask_once", {"null"}, first.run_id, "example"});
  if (again.error) return fail(*again.error);
  std::printf("again %s: %zu steps, %zu replayed, %s\n", again.run_id.c_str(), again.steps,
              again.steps_replayed, again.output == first.output ? "same result" : "ANOTHER RESULT");
  return again.output == first.output ? 0 : 1;
}
