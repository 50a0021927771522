// What binds a run while it is under way: its time, its budget among children, tools that do not answer, and
// what is left of them when the process dies.
#include "actors/run_entries.hpp"
#include "tests/actors/host_world.hpp"

namespace troupe::actors::testing {
namespace {

Task<Result<std::string>> part_of(Workflow& wf, std::string id, Budget slice = {}) {
  StepKey key{"part", id};
  ChildSpec spec{"part", {id}, slice};
  auto ended = co_await wf.child(std::move(key), std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  co_return ended->output.text;
}

Task<Result<JsonText>> asks_once(Workflow& wf, JsonText input) {
  auto text = co_await ask_model(wf, input.text);
  if (!text) co_return std::unexpected(text.error());
  co_return JsonText{*text};
}

// `count` children at once; how many ended well.
WorkflowFunction parts_at_once(int count) {
  return [count](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(part_of(wf, std::to_string(i)));
    auto joined = all(std::move(tasks));
    auto ended = co_await joined;
    int well = 0;
    for (const auto& each : ended) well += each ? 1 : 0;
    co_return JsonText{std::to_string(well)};
  };
}

// ---- the workflow's clock ----

WorkflowFunction tells_the_time() {
  return [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto began = wf.now();
    StepKey nap{"nap", "1"};
    (void)co_await wf.sleep_until(std::move(nap), WallTime{began.ms + 10'000});
    auto rested = wf.now().ms - began.ms;
    StepKey go{"go", "1"};
    (void)co_await wf.signal(std::move(go));
    auto told = wf.now().ms - began.ms;
    co_return JsonText{std::to_string(rested) + " " + std::to_string(told)};
  };
}

TEST_F(HostTest, AWorkflowsClockMovesWithWhatItHears) {
  add("flow", tells_the_time());
  submit("flow");
  wait(12s);
  host_->signal("run-1", "go", "1", 0);
  run();
  wait(1s);
  ASSERT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "10000 12000");
}

TEST_F(HostTest, AResumedWorkflowSeesTheSameTimes) {
  add("flow", tells_the_time());
  submit("flow");
  wait(12s);
  host_->signal("run-1", "go", "1", 0);
  run();
  settle(1);  // the signal is durable, DONE is lost
  clock_.pass(1h);
  new_process();
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "10000 12000");
}

// ---- the budget among children ----

TEST_F(HostTest, ChildrenBegunTogetherShareWhatIsLeft) {
  add("part", asks_once);
  add("parent", parts_at_once(3));
  hold_ = true;
  Budget budget;
  budget.calls = 9;
  budget.usd = 3;
  budget.tool_calls = 2;
  submit("parent", "run-1", budget);
  settle();
  double usd = 0;
  std::int64_t calls = 0, tools = 0;
  auto children = journal_.children("run-1");
  ASSERT_EQ(children->size(), 3u);
  for (const auto& child : *children) {
    auto cap = *read_budget((*journal_.run(child.run_id))->budget);
    EXPECT_GT(cap.usd, 0);
    EXPECT_EQ(cap.calls, 3);
    usd += cap.usd;
    calls += cap.calls;
    tools += std::max<std::int64_t>(cap.tool_calls, 0);
  }
  EXPECT_LE(usd, 3 + 1e-9);
  EXPECT_LE(calls, 9);
  EXPECT_EQ(tools, 2);
}

TEST_F(HostTest, AChildForWhomNothingIsLeftIsRefused) {
  add("part", asks_once);
  add("parent", parts_at_once(5));
  Budget budget;
  budget.calls = 3;
  submit("parent", "run-1", budget);
  settle();
  EXPECT_EQ(report().output.text, "3");
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(journal_.children("run-1")->size(), 3u);  // not one that could do nothing
  EXPECT_EQ(report().spent.calls, 3);
}

TEST_F(HostTest, NoBudgetIsHandedOutTwiceHoweverManyChildrenAsk) {
  add("part", asks_once);
  add("parent", parts_at_once(40));
  hold_ = true;
  Budget budget;
  budget.usd = 0.001;
  budget.tokens = 4000;
  submit("parent", "run-1", budget);
  settle();
  double usd = 0;
  std::int64_t tokens = 0;
  auto children = journal_.children("run-1");
  for (const auto& child : *children) {
    auto cap = *read_budget((*journal_.run(child.run_id))->budget);
    EXPECT_GT(cap.usd, 0);
    EXPECT_GT(cap.tokens, 0);
    usd += cap.usd;
    tokens += cap.tokens;
  }
  EXPECT_EQ(children->size(), 40u);
  EXPECT_LE(usd, 0.001 * (1 + 1e-6));
  EXPECT_LE(tokens, 4000);
}

// ---- time ----

class SilentTool final : public Tool {
 public:
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText&, std::function<void(Result<ToolOutput>)> done) override {
    held.push_back(std::move(done));
  }
  std::vector<std::function<void(Result<ToolOutput>)>> held;

 private:
  ToolSpec spec_{"oracle", "never answers", {"{}"}};
};

WorkflowFunction asks_oracle(const std::shared_ptr<SilentTool>& tool) {
  return [tool](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey key{"oracle", "1"};
    JsonText input{"{}"};
    auto used = co_await wf.tool(std::move(key), tool, std::move(input));
    co_return JsonText{used ? used->text : to_string(used.error().code)};
  };
}

TEST_F(HostTest, GivesUpAToolThatDoesNotKeepToItsTime) {
  auto tool = std::make_shared<SilentTool>();
  add("flow", asks_oracle(tool));
  submit("flow");
  wait(60s);
  EXPECT_TRUE(reports_.empty());
  wait(6s);
  ASSERT_FALSE(reports_.empty());
  EXPECT_EQ(report().output.text, "timeout");
  tool->held.at(0)(ToolOutput{"too late", false, {}});
  settle();
  EXPECT_EQ(told("failure oracle/1").size(), 1u);
  EXPECT_EQ(told("result oracle/1").size(), 0u);
}

TEST_F(HostTest, ACancelledRunDoesNotWaitForItsTool) {
  auto tool = std::make_shared<SilentTool>();
  add("flow", asks_oracle(tool));
  submit("flow");
  settle();
  ASSERT_EQ(tool->held.size(), 1u);
  ASSERT_TRUE(host_->cancel("run-1", false));
  run();
  settle();
  EXPECT_EQ(report().end, RunEnd::cancelled);
}

TEST_F(HostTest, ARunWhoseTimeIsUpGivesUpWhatIsUnderWayAndEnds) {  // RUNTIME 5.8: wall time
  auto tool = std::make_shared<SilentTool>();
  add("part", asks_oracle(tool));
  add("parent", [tool](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto child = co_await part_of(wf, "a");
    auto after = co_await ask_model(wf, "more");
    co_return JsonText{*child + ", " + (after ? *after : to_string(after.error().code))};
  });
  Budget budget;
  budget.wall = 10s;
  submit("parent", "run-1", budget);
  wait(9s);
  EXPECT_TRUE(reports_.empty());
  wait(2s);
  ASSERT_FALSE(reports_.empty());
  // The child has its parent's time too; what it found is its result.
  EXPECT_EQ(report().output.text, "cancelled, refused");
}

// ---- what a crash leaves ----

WorkflowFunction first_of_two(int wanted) {
  return [wanted](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (auto id : {"a", "b"}) tasks.push_back(part_of(wf, id));
    auto joined = first_k(std::move(tasks), static_cast<std::size_t>(wanted));
    auto ended = co_await joined;
    StepKey key{"rest", "1"};
    (void)co_await wf.signal(std::move(key));
    co_return JsonText{std::to_string(ended.size())};
  };
}

TEST_F(HostTest, AChildThatNobodyWaitsForIsCalledOffAlsoAfterACrash) {
  add("part", asks_once);
  add("parent", first_of_two(1));
  hold_ = true;
  submit("parent");
  settle();
  ASSERT_EQ(held_.size(), 2u);
  auto first = held_[0];
  answer(first);
  run();
  // Up to the moment at which the parent knows and the other child's end is not durable.
  while (told("child_end part/").empty() && settle(1) > 0) {
  }
  ASSERT_EQ(told("child_end part/").size(), 1u);
  new_process();
  held_.clear();
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  std::size_t running = 0, cancelled = 0;
  auto children = journal_.children("run-1");
  for (const auto& child : *children) {
    auto state = (*journal_.run(child.run_id))->state;
    running += state == journal::RunState::running ? 1 : 0;
    cancelled += state == journal::RunState::cancelled ? 1 : 0;
  }
  EXPECT_EQ(running, 0u);
  EXPECT_EQ(cancelled, 1u);
}

TEST_F(HostTest, ARunThatIsCancelledBeforeItIsTakenUpStaysCancelledAndSoDoItsChildren) {
  add("part", asks_once);
  add("parent", first_of_two(2));
  hold_ = true;
  submit("parent");
  settle();
  ASSERT_EQ(held_.size(), 2u);
  new_process();
  ASSERT_TRUE(host_->cancel("run-1", false));  // nobody has taken it up yet
  run();
  settle();
  auto rows = journal_.runs(100, {});
  ASSERT_EQ(rows->size(), 3u);
  for (const auto& row : *rows) EXPECT_EQ(row.state, journal::RunState::cancelled) << row.run_id;
}

TEST_F(HostTest, AChildThatFailedInAnOutageIsTriedAgainWithItsParent) {
  add("part", asks_once);
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto part = co_await part_of(wf, "a");
    if (!part) co_return std::unexpected(part.error());
    co_return JsonText{*part};
  });
  errors_["ask/a"] = Errc::overloaded;
  submit("parent");
  settle();
  ASSERT_EQ(report().end, RunEnd::failed);
  errors_.clear();
  submit("parent");
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "answer to ask/a");
}

// ---- signals ----

// Waits a while, then once more: which of the two waits heard the word.
WorkflowFunction waits_twice() {
  return [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto nap = [](Workflow& w, WallTime until) -> Task<Result<std::string>> {
      StepKey key{"nap", "1"};
      (void)co_await w.sleep_until(std::move(key), until);
      co_return "nap";
    };
    auto word = [](Workflow& w, std::string id) -> Task<Result<std::string>> {
      StepKey key{"word", std::move(id)};
      auto heard = co_await w.signal(std::move(key));
      co_return heard->text;
    };
    std::vector<Task<Result<std::string>>> tasks;
    tasks.push_back(nap(wf, WallTime{wf.now().ms + 1000}));
    tasks.push_back(word(wf, "1"));
    auto race = first_k(std::move(tasks), 1);
    auto first = co_await race;
    auto second = co_await word(wf, "2");
    auto third = co_await ask_model(wf, "more");
    co_return JsonText{*first[0].value + " " + *second + " " + (third ? *third : "")};
  };
}

TEST_F(HostTest, ASignalThatCameTooLateForOneWaitIsForTheNextAlsoAfterACrash) {
  add("flow", waits_twice());
  hold_ = true;
  submit("flow");
  wait(2s);
  host_->signal("run-1", "word", "hello", 0);
  run();
  settle();
  new_process();
  hold_ = false;
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "nap hello answer to ask/more");
}

TEST_F(HostTest, TwoWaitsForOneNameEachGetASignal) {
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto word = [](Workflow& w, std::string id) -> Task<Result<std::string>> {
      StepKey key{"word", std::move(id)};
      auto heard = co_await w.signal(std::move(key));
      co_return heard->text;
    };
    std::vector<Task<Result<std::string>>> tasks;
    tasks.push_back(word(wf, "1"));
    tasks.push_back(word(wf, "2"));
    auto joined = all(std::move(tasks));
    auto both = co_await joined;
    co_return JsonText{*both[0] + *both[1]};
  });
  submit("flow");
  settle();
  for (auto text : {"x", "y"}) host_->signal("run-1", "word", text, 0);
  run();
  settle();
  EXPECT_EQ(report().output.text, "xy");
}

// ---- parked ----

TEST_F(HostTest, WhoWaitsForAParkedRunHearsOfTheNodesEnd) {
  end_process();
  park_after_ = 1s;
  new_process();
  add("flow", tells_the_time());
  submit("flow");
  wait(4s);
  ASSERT_EQ(host_->going(), 0u);
  EXPECT_TRUE(reports_.empty());
  host_->interrupt();
  ASSERT_FALSE(reports_.empty());
  EXPECT_EQ(report().end, RunEnd::interrupted);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::running);
}

TEST_F(HostTest, ARunThatHeardSomethingWhileItParkedIsFoundAfterACrash) {
  end_process();
  park_after_ = 1s;
  new_process();
  add("flow", waits_twice());
  hold_ = true;
  submit("flow");
  settle();
  wait(1500ms);  // the nap is over, the second wait begins
  for (int i = 0; i < 40 && journal_.pending() == 0; ++i) {
    clock_.pass(100ms);
    host_->tick();
    run();
  }
  ASSERT_GT(journal_.pending(), 0u);  // the row that says it sleeps
  host_->signal("run-1", "word", "hello", 0);
  run();
  settle();
  new_process();
  auto resumed = host_->resume();
  ASSERT_TRUE(resumed);
  EXPECT_EQ(*resumed, 1u);
}

}  // namespace
}  // namespace troupe::actors::testing
