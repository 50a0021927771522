// A stranger's program: a workflow of its own on the simulated clouds, then the built-in recap by its name.
#include <troupe/node.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using troupe::Result;

namespace {

// Asks once and gives the answer's length, recorded as a step.
troupe::Task<Result<troupe::JsonText>> measure_answer(troupe::Workflow& wf, troupe::JsonText input) {
  troupe::CompletionRequest request;
  request.feature = "summary";
  request.messages = {{troupe::Role::user, {troupe::TextPart{input.text}}}};
  troupe::StepKey ask{"ask", "1"};
  auto answer = co_await wf.complete(ask, std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  auto length = answer->completion.text().size();
  troupe::StepKey count{"count", "1"};
  // Named first: g++ 12 miscompiles some temporaries inside a co_await expression.
  std::function<Result<troupe::JsonText>()> body = [length] {
    return troupe::JsonText{std::to_string(length)};
  };
  auto counted = co_await wf.step(count, std::move(body));
  co_return counted;
}

int expect(bool holds, const char* what) {
  if (!holds) std::fprintf(stderr, "not so: %s\n", what);
  return holds ? 0 : 1;
}

}  // namespace

int main() {
  auto state = std::filesystem::current_path() / "stranger-state";
  std::filesystem::remove_all(state);
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(state.string()));
  if (!node) return expect(false, node.error().what.c_str());
  (*node)->add_workflow("measure", measure_answer);
  auto report = (*node)->run({"measure", {"\"Say something about lighthouses.\""}, "", "stranger"});
  int wrong = expect(report.end == troupe::RunEnd::done, "the run is done");
  wrong += expect(std::atoi(report.output.text.c_str()) > 0, "the answer has a length");
  wrong += expect(!report.attempts.empty(), "a model was called");
  auto recap = (*node)->run({"recap", {R"({"input": "no such folder"})"}, "", "stranger"});
  wrong += expect(recap.end == troupe::RunEnd::failed, "a recap of nothing fails");
  wrong +=
      expect(recap.error && recap.error->code == troupe::Errc::input_missing, "and says what is missing");
  std::printf("answer of %s bytes after %zu attempts\n", report.output.text.c_str(), report.attempts.size());
  return wrong;
}
