// Steps that act outside a run: tools, child runs, budgets, and what is called off.
#include "tests/actors/host_world.hpp"

namespace troupe::actors::testing {
namespace {

WorkflowFunction uses_tool(ToolPtr tool, RetryPolicy retry = {}) {
  return [tool, retry](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey key{"look", "1"};
    JsonText input{"\"tides\""};
    auto used = co_await wf.tool(std::move(key), tool, std::move(input), retry);
    if (!used) co_return std::unexpected(used.error());
    co_return JsonText{used->text};
  };
}

TEST_F(HostTest, UsesAToolOnceHoweverOftenTheProcessDies) {  // M12
  auto tool = std::make_shared<ScriptedTool>();
  add("flow", uses_tool(tool));
  submit("flow");
  EXPECT_EQ(settle(1), 1u);  // START; INTENT waits
  EXPECT_TRUE(tool->contexts.empty());
  settle(1);
  ASSERT_EQ(tool->contexts.size(), 1u);
  EXPECT_EQ(tool->contexts[0].run_id, "run-1");
  EXPECT_EQ(tool->contexts[0].step_key, "look/1");
  settle(1);  // RESULT; DONE is lost
  new_process();
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "\"tides\"");
  EXPECT_EQ(report().steps_replayed, 1u);
  EXPECT_EQ(tool->contexts.size(), 1u);
}

TEST_F(HostTest, DoesNotRepeatAToolWithEffectsWhoseOutcomeIsUnknown) {
  for (bool repeatable : {true, false}) {
    journal_ = {};
    reports_.clear();
    auto tool = std::make_shared<ScriptedTool>(ScriptedTool::Script{}, repeatable);
    new_process();
    add("flow", uses_tool(tool));
    submit("flow");
    settle(2);  // the tool was used, its result is lost
    new_process();
    submit("flow");
    settle();
    EXPECT_EQ(tool->contexts.size(), repeatable ? 2u : 1u);
    ASSERT_EQ(report().end, repeatable ? RunEnd::done : RunEnd::failed);
    if (!repeatable) {
      EXPECT_TRUE(report().error->maybe_billed);
    }
  }
}

TEST_F(HostTest, TriesAToolAgainAfterPausesAndRecordsThatItFailed) {  // M13
  Error busy = make_error(Errc::overloaded, "busy");
  auto tool = std::make_shared<ScriptedTool>(
      [&](int, const JsonText&) -> Result<ToolOutput> { return std::unexpected(busy); });
  add("flow", uses_tool(tool, {3, 1s, 2, 30s}));
  submit("flow");
  settle();
  EXPECT_EQ(tool->contexts.size(), 1u);
  wait(900ms);
  EXPECT_EQ(tool->contexts.size(), 1u);
  wait(200ms);
  EXPECT_EQ(tool->contexts.size(), 2u);
  wait(2s);
  EXPECT_EQ(tool->contexts.size(), 3u);
  EXPECT_EQ(report().end, RunEnd::failed);
  EXPECT_EQ(told("intent look/1").size(), 3u);
  submit("flow");
  settle();
  EXPECT_EQ(tool->contexts.size(), 3u);  // what the workflow was told stays true
}

// ---- children ----

Task<Result<JsonText>> asks_as_child(Workflow& wf, JsonText input) {
  auto text = co_await ask_model(wf, input.text);
  if (!text) co_return std::unexpected(text.error());
  co_return JsonText{*text};
}

Task<Result<std::string>> child_of(Workflow& wf, std::string id, Budget slice = {}) {
  StepKey key{"child", id};
  ChildSpec spec{"child", {id}, slice};
  auto ended = co_await wf.child(std::move(key), std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  co_return ended->output.text;
}

Task<Result<JsonText>> two_children(Workflow& wf, JsonText) {
  std::vector<Task<Result<std::string>>> tasks;
  for (auto id : {"a", "b"}) tasks.push_back(child_of(wf, id));
  auto joined = all(std::move(tasks));
  auto ended = co_await joined;
  std::string sum;
  for (auto& each : ended) {
    if (!each) co_return std::unexpected(each.error());
    sum += *each + ";";
  }
  co_return JsonText{sum};
}

TEST_F(HostTest, ResumesParentAndChildrenWhereverTheyDied) {  // M1, M12
  add("child", asks_as_child);
  add("parent", two_children);
  submit("parent", "whole");
  auto boundaries = settle();
  ASSERT_EQ(report().output.text, "answer to ask/a;answer to ask/b;");
  EXPECT_EQ(report().spent.subagents, 2);
  EXPECT_DOUBLE_EQ(report().spent.usd, 0.5);
  EXPECT_EQ((*journal_.children("whole")).size(), 2u);
  for (std::size_t at = 0; at <= boundaries; ++at) {
    journal_ = {};
    calls_.clear();
    reports_.clear();
    new_process();
    submit("parent");
    settle(at);
    new_process();
    // Children may be taken up before their parent asks for them.
    ASSERT_TRUE(host_->resume());
    run();
    settle();
    auto row = *journal_.run("run-1");
    if (!row) continue;  // it died before it was accepted for good
    ASSERT_EQ(row->state, journal::RunState::done) << "died after commit " << at;
    EXPECT_EQ(row->output, "answer to ask/a;answer to ask/b;");
    for (const auto& [key, count] : calls_) EXPECT_LE(count, 2) << key;
    EXPECT_EQ((*journal_.runs(100, {})).size(), 3u);
  }
}

TEST_F(HostTest, CancelsItsChildrenWithTheirCalls) {
  hold_ = true;
  add("child", asks_as_child);
  add("parent", two_children);
  submit("parent");
  settle();
  ASSERT_EQ(held_.size(), 2u);
  ASSERT_TRUE(host_->cancel("run-1", false));
  run();
  settle();
  EXPECT_EQ(report().end, RunEnd::cancelled);
  EXPECT_EQ(told("cancel ask/").size(), 2u);
  auto rows = journal_.runs(100, {});
  for (const auto& row : *rows)
    EXPECT_EQ(row.state, journal::RunState::cancelled) << row.run_id;
}

TEST_F(HostTest, CallsOffWhatTheWorkflowDidNotWaitFor) {
  hold_ = true;
  add("child", asks_as_child);
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (auto id : {"a", "b", "c"}) tasks.push_back(child_of(wf, id));
    auto racing = first_k(std::move(tasks), 1);
    auto won = co_await racing;
    co_return JsonText{won.front().value.value_or("none")};
  });
  submit("parent");
  settle();
  ASSERT_EQ(held_.size(), 3u);
  answer(held_[1]);
  run();
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "answer to ask/b");
  EXPECT_EQ(told("cancel ask/").size(), 2u);
  auto rows = *journal_.children("run-1");
  for (const auto& row : rows) EXPECT_NE(row.state, journal::RunState::running);
}

// ---- budgets ----

WorkflowFunction asks_at_once(std::size_t count) {
  return [count](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (std::size_t i = 0; i < count; ++i) tasks.push_back(ask_model(wf, std::to_string(i)));
    auto joined = all(std::move(tasks), count);
    auto asked = co_await joined;
    std::size_t refused = 0;
    for (const auto& each : asked) refused += !each && each.error().code == Errc::refused ? 1 : 0;
    co_return JsonText{std::to_string(refused)};
  };
}

TEST_F(HostTest, CallsMadeAtOnceCannotOvershootABudget) {
  add("flow", asks_at_once(20));
  for (std::int64_t cap : {0, 5}) {
    calls_.clear();
    Budget budget;
    budget.calls = cap;
    submit("flow", "calls-" + std::to_string(cap), budget);
    settle();
    EXPECT_EQ(calls(), cap == 0 ? 20 : 5);
    EXPECT_EQ(report().output.text, cap == 0 ? "0" : "15");
  }
}

TEST_F(HostTest, SetsMoneyAsideBeforeACallAndTakesBackWhatItDidNotUse) {
  price_ = [](const CompletionRequest&, const Usage&) { return 1.0; };
  new_process();
  Budget budget;
  budget.usd = 2.6;  // a call sets 1.25 aside and uses 0.25
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::size_t asked = 0;
    for (; asked < 50; ++asked) {
      auto answer = co_await ask_model(wf, std::to_string(asked));
      if (!answer) break;
    }
    co_return JsonText{std::to_string(asked)};
  });
  submit("flow", "run-1", budget);
  settle();
  EXPECT_EQ(report().output.text, "6");  // 6 x 0.25 + 1.25 fits, 7 x 0.25 + 1.25 does not
  EXPECT_DOUBLE_EQ(report().spent.usd, 1.5);
}

TEST_F(HostTest, KeepsABudgetOverACrashAndCountsWhatNobodyKnows) {
  hold_ = true;
  add("flow", asks_at_once(4));
  Budget budget;
  budget.calls = 4;
  submit("flow", "run-1", budget);
  settle();
  ASSERT_EQ(held_.size(), 4u);
  answer(held_[0]);
  run();
  settle();
  new_process();  // three calls were out
  hold_ = false;
  calls_.clear();
  submit("flow");
  settle();
  // One is recorded, three count as spent: nothing is left.
  EXPECT_EQ(calls(), 0);
  EXPECT_EQ(report().output.text, "3");
}

TEST_F(HostTest, AGreedyLeadEndsInsideItsCapWithAReport) {  // RUNTIME 5.8
  add("child", asks_as_child);
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::size_t started = 0, refused = 0;
    for (int i = 0; i < 500; ++i) {
      auto ended = co_await child_of(wf, std::to_string(i));
      ++(ended ? started : refused);
    }
    co_return JsonText{std::to_string(started) + " of 500, stage " + to_string(wf.budget().stage)};
  });
  Budget budget;
  budget.subagents = 20;
  submit("parent", "run-1", budget);
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  // From 90 % on no further child is started.
  EXPECT_EQ(report().output.text, "18 of 500, stage degrade");
  EXPECT_EQ(report().spent.subagents, 18);
}

TEST_F(HostTest, AChildCannotSpendMoreThanItsSlice) {
  add("child", asks_at_once(10));
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    Budget slice;
    slice.calls = 3;
    auto ended = co_await child_of(wf, "a", slice);
    co_return JsonText{*ended};
  });
  Budget budget;
  budget.calls = 100;
  submit("parent", "run-1", budget);
  settle();
  EXPECT_EQ(report().output.text, "7");
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(report().spent.calls, 3);
}

TEST_F(HostTest, LevelsOfChildrenAreBounded) {
  add("child", [](Workflow& wf, JsonText input) -> Task<Result<JsonText>> {
    auto below = co_await child_of(wf, input.text + "x");
    co_return JsonText{below ? *below : input.text + " " + to_string(below.error().code)};
  });
  Budget budget;
  budget.depth = 3;
  submit("child", "run-1", budget, "\"");
  settle();
  EXPECT_EQ(report().output.text, "\"xxx refused");
}

}  // namespace
}  // namespace troupe::actors::testing
