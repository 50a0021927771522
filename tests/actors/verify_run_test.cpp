// Recorded runs made again offline: the same code makes the same decisions, other code is told apart by the
// step's key (RUNTIME 4, item 7; RUNTIME 5.3).
#include "actors/verify_run.hpp"

#include "tests/actors/host_world.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::HasSubstr;

class VerifyTest : public HostTest {
 protected:
  RecordedRun recorded(const std::string& id = "run-1") {
    auto row = *journal_.run(id);
    return {row.value_or(journal::RunRow{}), *journal_.history(id)};
  }
  /// Through the file, as it would come to somebody else.
  ReplayVerdict verify(WorkflowFunction code, const std::string& id = "run-1", std::string version = {}) {
    std::string lines;
    for (const auto& line : export_lines(recorded(id))) lines += dump_json(line) + "\n";
    auto read = read_histories(lines);
    EXPECT_TRUE(read) << read.error().what;
    if (!read) return {};
    VerifyParts parts{{"flow", std::move(code), std::move(version), {}}, {}, {}};
    if (price_) parts.prices = [this](Clock&) { return price_; };
    return verify_run(read->front(), parts);
  }
  void expect_same(const ReplayVerdict& verdict, const std::string& what = {}) {
    for (const auto& each : verdict.drift)
      ADD_FAILURE() << what << ": entry " << each.seq << " " << each.step << "\n  recorded " << each.recorded
                    << "\n  now " << each.now;
  }
  /// The only difference there is.
  Drift drift_of(const ReplayVerdict& verdict) {
    EXPECT_EQ(verdict.drift.size(), 1u);
    for (const auto& each : verdict.drift)
      SCOPED_TRACE(each.step + " recorded " + each.recorded + " now " + each.now);
    return verdict.drift.empty() ? Drift{} : verdict.drift.front();
  }
};

Task<Result<std::string>> asked(Workflow& wf, std::string id, std::string prompt) {
  StepKey key{"ask", id};
  auto request = question(prompt);
  auto answer = co_await wf.complete(std::move(key), std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->completion.text();
}

Task<Result<std::string>> noted(Workflow& wf, std::string id) {
  StepKey key{"own", id};
  std::function<Result<JsonText>()> body = [] { return Result<JsonText>(JsonText{"\"noted\""}); };
  auto text = co_await wf.step(std::move(key), std::move(body));
  if (!text) co_return std::unexpected(text.error());
  co_return text->text;
}

/// A bit of everything: calls at once, a step of our own, a tool, a child.
WorkflowFunction mixed(ToolPtr tool, std::vector<std::string> ids, std::string prompt = "what of ") {
  return [tool, ids, prompt](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (const auto& id : ids) tasks.push_back(asked(wf, id, prompt + id));
    auto joined = all(std::move(tasks), 2);
    auto answers = co_await joined;
    std::string sum;
    for (auto& each : answers) sum += each ? *each : std::string(to_string(each.error().code));
    auto note = co_await noted(wf, "1");
    StepKey look{"look", "1"};
    JsonText input{"{\"q\":1}"};
    auto looked = co_await wf.tool(std::move(look), tool, std::move(input));
    StepKey key{"child", "1"};
    ChildSpec spec{"child", {"{}"}, {}};
    auto child = co_await wf.child(std::move(key), std::move(spec));
    sum += note.value_or("-") + (looked ? looked->text : "-") + (child ? child->output.text : "-");
    co_return JsonText{sum};
  };
}

Task<Result<JsonText>> small_child(Workflow& wf, JsonText) {
  auto answer = co_await asked(wf, "of child", "small");
  if (!answer) co_return std::unexpected(answer.error());
  co_return JsonText{*answer};
}

Budget plenty() {
  Budget budget;
  budget.calls = 100;
  budget.tokens = 1'000'000;
  budget.usd = 1000;
  budget.subagents = 10;
  return budget;
}

TEST_F(VerifyTest, MakesARunAndItsChildAgainWithoutTheWorld) {
  price_ = [](const CompletionRequest&, const Usage& usage) {
    return 1e-4 * static_cast<double>(usage.input);
  };
  new_process();
  auto tool = std::make_shared<ScriptedTool>();
  add("child", small_child);
  add("flow", mixed(tool, {"a", "b", "c"}));
  submit("flow", "run-1", plenty());
  settle();
  ASSERT_EQ(report().end, RunEnd::done);
  auto bought = calls();
  auto verdict = verify(mixed(tool, {"a", "b", "c"}));
  expect_same(verdict);
  EXPECT_EQ(verdict.made, recorded().entries.size());
  EXPECT_EQ(verdict.lives, 1u);
  auto child = (*journal_.children("run-1")).front().run_id;
  expect_same(verify(small_child, child));
  EXPECT_EQ(calls(), bought) << "nothing was asked";
  EXPECT_EQ(tool->contexts.size(), 1u) << "nor used";
}

TEST_F(VerifyTest, TimeGoesOnWhileAStepOfOurOwnIsDone) {
  auto slow = [this](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::string times;
    for (int round = 0; round < 3; ++round) {
      StepKey key{"own", std::to_string(round)};
      std::function<Result<JsonText>()> body = [this] {
        clock_.pass(5s);
        return Result<JsonText>(JsonText{"1"});
      };
      (void)co_await wf.step(std::move(key), std::move(body));
      times += std::to_string(wf.now().ms) + " ";
    }
    co_return JsonText{times};
  };
  add("flow", slow);
  submit("flow");
  settle();
  auto began = recorded().entries.front().at.ms;
  ASSERT_EQ(report().output.text, fmt::format("{} {} {} ", began + 5000, began + 10'000, began + 15'000));
  expect_same(verify(slow));
}

TEST_F(VerifyTest, MakesEveryLifeAgainWhereverTheProcessDied) {
  auto tool = std::make_shared<ScriptedTool>();
  auto flow = mixed(tool, {"a", "b", "c"});
  add("child", small_child);
  add("flow", flow);
  submit("flow", "whole", plenty());
  auto boundaries = settle();
  for (std::size_t at = 1; at <= boundaries; ++at) {
    journal_ = {};
    new_process();
    submit("flow", "run-1", plenty());
    settle(at);
    if (recorded().entries.empty()) continue;
    expect_same(verify(flow), "unfinished after commit " + std::to_string(at));
    new_process();
    ASSERT_TRUE(host_->resume());
    run();
    settle();
    ASSERT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
    auto verdict = verify(flow);
    expect_same(verdict, "died after commit " + std::to_string(at));
    EXPECT_EQ(verdict.made, recorded().entries.size());
  }
}

TEST_F(VerifyTest, NamesWhatAnotherEditionOfTheCodeDoes) {
  auto tool = std::make_shared<ScriptedTool>();
  add("child", small_child);
  add("flow", mixed(tool, {"a", "b"}));
  submit("flow", "run-1", plenty());
  settle();
  ASSERT_EQ(report().end, RunEnd::done);

  auto edited = verify(mixed(tool, {"a", "b"}, "tell me of "));
  ASSERT_GE(edited.drift.size(), 2u);
  EXPECT_EQ(edited.drift[0].step, "ask/a");
  EXPECT_EQ(edited.drift[1].step, "ask/b");
  EXPECT_THAT(edited.drift[0].now, HasSubstr("another input"));

  auto added = drift_of(verify(mixed(tool, {"a", "b", "c"})));
  EXPECT_THAT(added.now, HasSubstr("intent ask/c"));
  auto dropped = drift_of(verify(mixed(tool, {"a"})));
  EXPECT_THAT(dropped.recorded, HasSubstr("intent ask/b"));
  EXPECT_THAT(dropped.now, HasSubstr("code waits for call ask/a"));
  auto turned = drift_of(verify(mixed(tool, {"b", "a"})));
  EXPECT_THAT(turned.recorded, HasSubstr("intent ask/a"));
  EXPECT_THAT(turned.now, HasSubstr("intent ask/b"));
  auto versioned = drift_of(verify(mixed(tool, {"a", "b"}), "run-1", "2"));
  EXPECT_THAT(versioned.now, HasSubstr("here is version 2"));
}

TEST_F(VerifyTest, TellsAReservationAndAnEndThatDiffer) {
  price_ = [](const CompletionRequest&, const Usage&) { return 1.0; };
  new_process();
  auto told = [](std::string end) -> WorkflowFunction {
    return [end](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      auto answer = co_await asked(wf, "a", "what");
      co_return JsonText{end + answer.value_or("")};
    };
  };
  add("flow", told("A"));
  submit("flow", "run-1", plenty());
  settle();
  expect_same(verify(told("A")));
  EXPECT_THAT(drift_of(verify(told("B"))).now, HasSubstr("another output"));
  price_ = [](const CompletionRequest&, const Usage&) { return 2.0; };
  auto dearer = drift_of(verify(told("A")));
  EXPECT_EQ(dearer.step, "ask/a");
  EXPECT_THAT(dearer.recorded, HasSubstr("1.25"));
  EXPECT_THAT(dearer.now, HasSubstr("2.5"));
}

// What a workflow was told is in the record also when it was bad news of the passing kind.
TEST_F(VerifyTest, FailuresAndRefusalsAreMadeAgain) {
  errors_["ask/b"] = Errc::transient_server;
  errors_["ask/c"] = Errc::bad_request;
  auto tool = std::make_shared<ScriptedTool>([](int use, const JsonText&) -> Result<ToolOutput> {
    if (use == 1) return fail(Errc::overloaded, "busy");
    return ToolOutput{"found", false, {}};
  });
  WorkflowFunction flow = [tool](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::string sum;
    for (auto id : {"a", "b", "c", "d", "e", "f"}) {
      auto answer = co_await asked(wf, id, id);
      sum += answer ? "+" : to_string(answer.error().code);
    }
    StepKey key{"own", "fails"};
    std::function<Result<JsonText>()> body = [] { return Result<JsonText>(fail(Errc::internal, "no")); };
    auto own = co_await wf.step(std::move(key), std::move(body));
    sum += own ? "+" : to_string(own.error().code);
    StepKey look{"look", "1"};
    JsonText input{"{}"};
    RetryPolicy retry{3, 1s, 2, 10s};
    auto looked = co_await wf.tool(std::move(look), tool, std::move(input), retry);
    sum += looked ? looked->text : to_string(looked.error().code);
    co_return JsonText{sum};
  };
  add("flow", flow);
  Budget budget;
  budget.calls = 5;
  submit("flow", "run-1", budget);
  settle();
  wait(5s);
  ASSERT_EQ(report().output.text, "+transient_serverbad_request++refusedinternalfound");
  auto verdict = verify(flow);
  expect_same(verdict);
  EXPECT_EQ(verdict.made, recorded().entries.size());
}

TEST_F(VerifyTest, TimersSignalsParkingAndCancellationsAreMadeAgain) {
  park_after_ = 10s;
  new_process();
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey nap{"nap", "1"};
    auto until = WallTime{wf.now().ms + 60'000};
    auto slept = co_await wf.sleep_until(std::move(nap), until);
    StepKey approve{"approve", ""};
    auto said = co_await wf.signal(std::move(approve));
    auto answer = co_await asked(wf, "a", said->text);
    co_return JsonText{*answer};
  };
  add("flow", flow);
  submit("flow");
  wait(30s);
  for (int i = 0; i < 60; ++i) {
    wait(1s);
    host_->wake_due(true);
    run();
  }
  settle();
  expect_same(verify(flow), "waiting");
  ASSERT_TRUE(host_->signal("run-1", "approve", "\"yes\"", 0));
  run();
  settle();
  ASSERT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
  auto verdict = verify(flow);
  expect_same(verdict, "done");
  EXPECT_GT(verdict.lives, 1u);

  hold_ = true;
  add("flow", mixed(std::make_shared<ScriptedTool>(), {"a", "b"}));
  submit("flow", "stopped");
  settle();
  ASSERT_TRUE(host_->cancel("stopped", false));
  run();
  settle();
  ASSERT_EQ((*journal_.run("stopped"))->state, journal::RunState::cancelled);
  expect_same(verify(mixed(std::make_shared<ScriptedTool>(), {"a", "b"}), "stopped"), "cancelled");
}

TEST(HistoryFile, WhatIsNoHistoryIsRefusedWithItsLine) {
  EXPECT_THAT(read_histories("").error().what, HasSubstr("no history"));
  EXPECT_THAT(read_histories("{").error().what, HasSubstr("line 1"));
  EXPECT_THAT(read_histories("\n[1]\n").error().what, HasSubstr("line 2"));
  EXPECT_THAT(read_histories(R"({"seq":1,"kind":"start"})").error().what, HasSubstr("begins with"));
  std::string start = R"({"seq":1,"kind":"start","run":{"run_id":"r","workflow":"w","state":"done"}})";
  EXPECT_TRUE(read_histories(start));
  EXPECT_THAT(read_histories(start + "\n" + R"({"seq":3,"kind":"done"})").error().what,
              HasSubstr("expected entry 2"));
  EXPECT_THAT(read_histories(start + "\n" + R"({"seq":2,"kind":"dance"})").error().what, HasSubstr("kind"));
  EXPECT_THAT(read_histories(start + "\n" + R"({"seq":2,"kind":"done","bytes":"*"})").error().what,
              HasSubstr("base64"));
  EXPECT_THAT(read_histories(start + "\n" + R"({"seq":2,"kind":"done","hash":"xyz"})").error().what,
              HasSubstr("hexadecimal"));
}

}  // namespace
}  // namespace troupe::actors::testing
