// What the nodes of simulation_pair_test.cpp work on: a run with calls at home and abroad, a sleep, children,
// a race, a signal and a tool; and what must come of it.
#pragma once

#include "runtime/base/rng.hpp"

#include <troupe/node.hpp>
#include <troupe/workflow.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors::testing {

inline constexpr const char* kErrand = "errand";
inline constexpr const char* kErrandPart = "errand part";
inline constexpr std::uint64_t kGoAhead = 7;  // the id of the one signal, however often it is sent

/// The input is "RUN WIDTH"; WIDTH decides how much is done at once, and RUN is this run's id.
struct ErrandShape {
  std::string run;
  std::size_t width = 0;
};
inline ErrandShape errand_shape(const JsonText& input) {
  auto space = input.text.find(' ');
  return {input.text.substr(0, space), std::stoul(input.text.substr(space + 1))};
}

/// A workflow that must have the answer asks on, each time as a new step; over its budget it gives up.
inline Task<Result<std::string>> errand_ask(Workflow& wf, std::string run, std::string feature,
                                            std::string id) {
  for (int again = 0;; ++again) {
    StepKey step{"ask", again == 0 ? id : id + "#" + std::to_string(again)};
    CompletionRequest request;
    request.feature = feature;
    Message message;
    message.parts.emplace_back(TextPart{"what of " + id, false});
    request.messages.push_back(std::move(message));
    request.deadline = std::chrono::seconds(60);
    request.output_tokens_max = 100;
    request.labels = {{"run", run}, {"step", step.str()}};
    auto answer = co_await wf.complete(std::move(step), std::move(request));
    if (answer) co_return answer->completion.text().substr(0, 14 + id.size());
    if (again == 20 || answer.error().what.find("budget") != std::string::npos)
      co_return std::unexpected(answer.error());
  }
}

inline Task<Result<JsonText>> errand_part(Workflow& wf, JsonText input) {
  auto shape = errand_shape(input);
  std::vector<Task<Result<std::string>>> tasks;
  for (std::size_t i = 0; i < shape.width; ++i)
    tasks.push_back(errand_ask(wf, shape.run, i % 2 == 0 ? "recap" : "digest", "part " + std::to_string(i)));
  auto joined = all(std::move(tasks));
  auto answers = co_await joined;
  std::string sum;
  for (auto& each : answers) {
    if (!each) co_return std::unexpected(each.error());
    sum += *each + ";";
  }
  co_return JsonText{sum};
}

inline Task<Result<std::string>> errand_child(Workflow& wf, ErrandShape shape, std::size_t number) {
  StepKey key{"child", std::to_string(number)};
  auto run = shape.run;
  ChildSpec spec;
  // Half of what the run may call is the children's, in equal slices.
  if (auto calls = wf.budget().cap.calls; calls > 0)
    spec.slice.calls = std::max<std::int64_t>(1, calls / static_cast<std::int64_t>(2 * shape.width));
  spec.workflow = kErrandPart;
  // The engine's id for a child (RunDriver::child_id), so that providers can tell whose step it is.
  spec.input.text =
      fmt::format("{}.child-{:08x} {}", run, static_cast<std::uint32_t>(stable_hash(key.str())), number + 2);
  auto ended = co_await wf.child(std::move(key), std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  co_return ended->output.text;
}

/// Fails now and then, the same way for the same input.
class ErrandTool final : public Tool {
 public:
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    if (stable_hash(input.text) % 3 == 0) return done(ToolOutput{"cannot", true, {}});
    done(ToolOutput{"looked up " + input.text, false, {}});
  }

 private:
  ToolSpec spec_{"moody", "looks up", {"{}"}};
};

inline Task<Result<std::string>> errand_fan_out(Workflow& wf, ErrandShape shape) {
  std::vector<Task<Result<std::string>>> tasks;
  for (std::size_t i = 0; i < shape.width; ++i) tasks.push_back(errand_child(wf, shape, i));
  auto joined = all(std::move(tasks));
  auto children = co_await joined;
  std::string sum;
  for (auto& each : children) {
    if (!each) co_return std::unexpected(each.error());
    sum += "[" + *each + "]";
  }
  std::vector<Task<Result<std::string>>> racers;
  for (std::size_t i = 0; i < 3; ++i)
    racers.push_back(errand_ask(wf, shape.run, i == 0 ? "recap" : "digest", "race " + std::to_string(i)));
  auto racing = first_k(std::move(racers), 1);
  auto won = co_await racing;
  if (won.empty()) co_return fail(Errc::internal, "nobody won");
  if (!won.front().value) co_return std::unexpected(won.front().value.error());
  co_return sum;
}

inline Task<Result<JsonText>> errand(Workflow& wf, JsonText input) {
  auto shape = errand_shape(input);
  auto first = co_await errand_ask(wf, shape.run, "recap", "first");
  if (!first) co_return std::unexpected(first.error());
  StepKey night{"night", ""};
  auto when = wf.now();
  when.ms += 20'000;
  auto slept = co_await wf.sleep_until(std::move(night), when);
  if (!slept) co_return std::unexpected(slept.error());
  auto wide = co_await errand_fan_out(wf, shape);
  if (!wide) co_return std::unexpected(wide.error());
  StepKey go{"go", ""};
  auto told = co_await wf.signal(std::move(go));
  if (!told) co_return std::unexpected(told.error());
  StepKey look{"look", "1"};
  JsonText what{std::to_string(shape.width)};
  ToolPtr tool = std::make_shared<ErrandTool>();
  auto looked = co_await wf.tool(std::move(look), std::move(tool), std::move(what));
  if (!looked) co_return std::unexpected(looked.error());
  StepKey last{"sum", ""};
  auto sum = *first + *wide + told->text + looked->text;
  std::function<Result<JsonText>()> body = [sum] { return JsonText{sum}; };
  co_return co_await wf.step(std::move(last), std::move(body));
}

/// What a run of this width gives when nothing disturbs it.
inline std::string errand_expected(std::size_t width) {
  std::string sum = "answer to ask/first";
  for (std::size_t child = 0; child < width; ++child) {
    sum += "[";
    for (std::size_t i = 0; i < child + 2; ++i) sum += "answer to ask/part " + std::to_string(i) + ";";
    sum += "]";
  }
  auto what = std::to_string(width);
  return sum + "\"yes\"" + (stable_hash(what) % 3 == 0 ? "cannot" : "looked up " + what);
}

}  // namespace troupe::actors::testing
