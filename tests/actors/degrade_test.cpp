// A run short of budget: said once, asked of the cheaper tier, stopped with what there is (RUNTIME 5.8).
#include "actors/run_entries.hpp"
#include "actors/verify_run.hpp"
#include "runtime/base/tiers.hpp"

#include "tests/actors/host_world.hpp"
#include "tests/actors/queue_world.hpp"

namespace troupe::actors::testing {
namespace {

class CheaperTest : public QueueTest {
 protected:
  void ask_short_of_budget() {
    config_.dispatch.rules.hierarchy = {"large", "small"};
    add("a", "large"), add("b", "small"), open();
    behave("a", std::nullopt), behave("b", std::nullopt);
    for (bool cheaper : {false, true}) {
      auto call = std::make_shared<Call>();
      call->request = std::make_shared<const CompletionRequest>(question("hello"));
      call->cheaper = cheaper;
      call->done = [this](CallResult result) { ended_ += result.completion ? 1 : 0; };
      tell(queue_, CallPtr(std::move(call)));
    }
    EXPECT_EQ(ended_, 2);
  }
  int ended_ = 0;
};

TEST_F(CheaperTest, TheCheapestModelLeadsForARunShortOfBudget) {
  config_.cheaper = 1;
  ask_short_of_budget();
  EXPECT_EQ(orders("a").size(), 1u);
  EXPECT_EQ(orders("b").size(), 1u);
}

TEST_F(CheaperTest, WithoutACheaperModelTheFirstLeads) {
  ask_short_of_budget();
  EXPECT_EQ(orders("a").size(), 2u);
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(CheaperTest, TheCheapestModelLeadsWhereACallSaysThatItWillDo) {  // K4
  config_.cheaper = 1;
  config_.dispatch.rules.hierarchy = {"large", "small"};
  add("a", "large"), add("b", "small"), open();
  behave("a", std::nullopt), behave("b", std::nullopt);
  for (const char* tier : {"", kCheapTier}) {
    auto request = question("hello");
    request.labels[kTierLabel] = tier;
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    tell(queue_, CallPtr(std::move(call)));
  }
  EXPECT_EQ(orders("a").size(), 1u);
  EXPECT_EQ(orders("b").size(), 1u);
}

class DegradeTest : public HostTest {
 protected:
  /// One call after the other until one is refused; each uses 15 tokens.
  static WorkflowFunction asks_on() {
    return [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
      std::size_t asked = 0;
      for (; asked < 50; ++asked) {
        auto answer = co_await ask_model(wf, std::to_string(asked));
        if (!answer) break;
      }
      co_return JsonText{std::to_string(asked)};
    };
  }
  std::vector<std::string> notes_of(const std::string& run_id) {
    std::vector<std::string> out;
    for (const auto& entry : *journal_.history(run_id)) {
      auto note = entry.kind == journal::Kind::note ? read_note(entry.payload) : fail(Errc::internal, "");
      if (!note) continue;
      if (const auto* stage = std::get_if<StageNote>(&*note)) out.emplace_back(to_string(stage->stage));
    }
    return out;
  }
  std::size_t cheaper_intents(const std::string& run_id) {
    std::size_t count = 0;
    for (const auto& entry : *journal_.history(run_id))
      if (entry.kind == journal::Kind::intent) count += read_intent(entry.payload)->cheaper ? 1 : 0;
    return count;
  }
};

TEST_F(DegradeTest, WarnsThenAsksCheaperThenStopsWithWhatThereIs) {
  add("flow", asks_on());
  Budget budget;
  budget.calls = 20;
  submit("flow", "run-1", budget);
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "20");
  // 14 of 20 warn, 18 of 20 degrade: the last two were asked of the cheaper tier.
  EXPECT_EQ(notes_of("run-1"), (std::vector<std::string>{"warn", "degrade", "spent"}));
  EXPECT_EQ(cheaper_intents("run-1"), 2u);
  VerifyParts parts{{"flow", asks_on(), {}, {}}, {}, {}};
  RecordedRun recorded{journal_.run("run-1")->value(), *journal_.history("run-1")};
  EXPECT_TRUE(verify_run(recorded, parts).drift.empty()) << "replays identically";
}

TEST_F(DegradeTest, WithoutACapNothingIsSaidAndNothingCheaperAsked) {
  add("flow", asks_on());
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "50");
  EXPECT_TRUE(notes_of("run-1").empty());
  EXPECT_EQ(cheaper_intents("run-1"), 0u);
}

TEST_F(DegradeTest, SaysEachStageOnceOverAllItsLives) {
  add("flow", asks_on());
  Budget budget;
  budget.calls = 20;
  submit("flow", "run-1", budget);
  settle(34);  // sixteen calls
  ASSERT_EQ(notes_of("run-1"), (std::vector<std::string>{"warn"}));
  new_process();
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_EQ(notes_of("run-1"), (std::vector<std::string>{"warn", "degrade", "spent"}));
}

Task<Result<std::string>> slice_of(Workflow& wf, std::string id, Budget slice = {}) {
  StepKey key{"child", id};
  ChildSpec spec{"child", {"{}"}, slice};
  auto ended = co_await wf.child(std::move(key), std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  co_return ended->output.text;
}

// The second child finds nothing left; "nothing" must not give back what the first was given.
TEST_F(DegradeTest, ChildrenThatFindNothingLeftTakeNothing) {
  hold_ = true;
  add("child", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto answer = co_await ask_model(wf, "x");
    co_return JsonText{answer ? "asked" : to_string(answer.error().code)};
  });
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    for (auto id : {"a", "b"}) tasks.push_back(slice_of(wf, id));
    tasks.push_back(ask_model(wf, "own"));
    auto joined = all(std::move(tasks));
    auto ended = co_await joined;
    std::string sum;
    for (auto& each : ended) sum += (each ? *each : to_string(each.error().code)) + std::string(" ");
    co_return JsonText{sum};
  });
  Budget budget;
  budget.calls = 1;
  submit("flow", "run-1", budget);
  settle();
  EXPECT_EQ(calls(), 1) << "only the first child may ask";
  hold_ = false;
  for (auto& call : held_) answer(call);
  run();
  settle();
  EXPECT_EQ(report().output.text, "asked refused refused ");
}

// RUNTIME 6, complaint 7: through the real driver, 500 are tried at once and the run ends inside its caps.
TEST_F(DegradeTest, FiveHundredSubagentsAtOnceEndInsideTheCapWithAReport) {
  add("child", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::size_t asked = 0;
    for (; asked < 100; ++asked)
      if (auto answer = co_await ask_model(wf, std::to_string(asked)); !answer) break;
    co_return JsonText{std::to_string(asked)};
  });
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::vector<Task<Result<std::string>>> tasks;
    Budget slice;
    slice.calls = 2;
    slice.subagents = -1;
    for (int i = 0; i < 500; ++i) tasks.push_back(slice_of(wf, std::to_string(i), slice));
    auto joined = all(std::move(tasks), 500);
    auto ended = co_await joined;
    std::size_t began = 0;
    for (const auto& each : ended) began += each ? 1 : 0;
    co_return JsonText{"report of " + std::to_string(began)};
  });
  Budget budget;
  budget.subagents = 20;
  budget.calls = 40;
  submit("flow", "run-1", budget);
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "report of 20");
  EXPECT_LE(report().spent.subagents, 20);
  EXPECT_LE(calls(), 40);
  EXPECT_LE(report().spent.calls, 40);
}

}  // namespace
}  // namespace troupe::actors::testing
