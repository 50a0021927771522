// What is durable before what, what is bought again after a crash, and how runs end.
#include "tests/actors/run_world.hpp"

namespace troupe::actors::testing {
namespace {

Task<Result<JsonText>> ask_once(Workflow& wf, JsonText) {
  auto text = co_await ask_model(wf, "1");
  if (!text) co_return std::unexpected(text.error());
  co_return JsonText{*text};
}

// One call, one step of our own, then three calls at once.
Task<Result<JsonText>> fan_out(Workflow& wf, JsonText) {
  auto first = co_await ask_model(wf, "1");
  if (!first) co_return std::unexpected(first.error());
  StepKey cut_key{"cut", ""};
  std::function<Result<JsonText>()> cut = [text = *first] { return JsonText{text + "!"}; };
  auto step = co_await wf.step(std::move(cut_key), std::move(cut));
  if (!step) co_return std::unexpected(step.error());
  std::vector<Task<Result<std::string>>> tasks;
  for (auto id : {"2", "3", "4"}) tasks.push_back(ask_model(wf, id));
  auto joined = all(std::move(tasks));
  auto rest = co_await joined;
  std::string sum = step->text;
  for (auto& each : rest) {
    if (!each) co_return std::unexpected(each.error());
    sum += "," + *each;
  }
  co_return JsonText{sum};
}

const std::string kFanOut = "answer to ask/1!,answer to ask/2,answer to ask/3,answer to ask/4";

TEST_F(RunTest, WritesIntentBeforeTheCallAndResultBeforeTheWorkflowHears) {
  WorkflowFunction flow = [this](Workflow& wf, JsonText input) -> Task<Result<JsonText>> {
    auto task = ask_once(wf, input);
    auto result = co_await task;
    journal_.story.push_back("heard");
    co_return result;
  };
  begin(flow);
  EXPECT_TRUE(journal_.story.empty());
  settle();
  EXPECT_EQ(journal_.story, (std::vector<std::string>{"start", "intent ask/1", "call ask/1", "result ask/1",
                                                      "heard", "done"}));  // RUNTIME 5.3
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().output.text, "answer to ask/1");
  EXPECT_EQ(report().attempts.size(), 1u);
}

TEST_F(RunTest, MakesNoCallWhileItsIntentIsNotDurable) {
  begin(ask_once);
  settle(1);
  ASSERT_EQ(journal_.pending(), 1u);
  EXPECT_EQ(calls(), 0);
}

// M12: the process dies at a commit boundary, with the batch on disk or not, and the run is taken up again.
class CrashTest : public RunTest, public ::testing::WithParamInterface<bool> {
 protected:
  void live_until(std::size_t commits) {
    auto actor = begin(fan_out);
    settle(commits);
    if (GetParam() && journal_.pending() > 0) journal_.commit_unheard();
    journal_.crash();
    kill(actor);
    journal_.crash();
  }
};

TEST_P(CrashTest, BuysNoRecordedAnswerTwiceWhereverItDies) {
  begin(fan_out, "undisturbed");
  auto boundaries = settle();
  ASSERT_EQ(report().output.text, kFanOut);
  ASSERT_GE(boundaries, 10u);
  for (std::size_t at = 0; at <= boundaries; ++at) {
    journal_ = {};
    calls_.clear();
    live_until(at);
    auto before = calls_;
    auto entries = *journal_.history("run-1");
    auto recorded = journal_.results("run-1");
    begin(fan_out);
    settle();
    ASSERT_EQ(report().end, RunEnd::done) << "died after commit " << at;
    EXPECT_EQ(report().output.text, kFanOut);
    for (const auto& [key, count] : calls_) {
      EXPECT_EQ(recorded.contains(key) ? count : before[key], before[key]) << key;
      EXPECT_LE(count, before[key] + 1) << key;
      EXPECT_LE(count, 2) << key;  // at most once more per crash
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Batch, CrashTest, ::testing::Bool(),
                         [](const auto& batch) { return batch.param ? "OnDiskUnheard" : "Lost"; });

TEST_F(RunTest, AnswersAFinishedRunFromItsRecord) {
  begin(fan_out), settle();
  auto before = calls();
  begin(fan_out), settle();
  EXPECT_EQ(report().output.text, kFanOut);
  EXPECT_EQ(report().steps, report().steps_replayed);
  EXPECT_EQ(calls(), before);
}

TEST_F(RunTest, FailsHonestlyWhenTheJournalDoes) {
  begin(ask_once);
  settle(2);  // START, INTENT; the call is answered, RESULT waits
  journal_.fail_next();
  run();
  while (journal_.pending() > 0) journal_.fail_next();
  EXPECT_EQ(report().end, RunEnd::failed);
  ASSERT_TRUE(report().error);
  EXPECT_EQ(report().error->code, Errc::storage);
}

TEST_F(RunTest, FencesTheFirstWriterWhenASecondClaims) {
  begin(ask_once);
  settle(1);
  begin(ask_once);  // elsewhere, the same run
  settle();
  ASSERT_EQ(reports_.size(), 2u);
  std::map<RunEnd, int> ends;
  for (const auto& each : reports_) ++ends[each.end];
  EXPECT_EQ(ends[RunEnd::failed], 1);
  EXPECT_EQ(ends[RunEnd::done], 1);
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
}

TEST_F(RunTest, RefusesToUseAKeyTwice) {
  WorkflowFunction flow = [](Workflow& wf, JsonText input) -> Task<Result<JsonText>> {
    auto first = ask_once(wf, input);
    (void)co_await first;
    auto again = ask_once(wf, input);
    co_return co_await again;
  };
  begin(flow), settle();
  EXPECT_EQ(report().end, RunEnd::failed);
  EXPECT_EQ(report().error->code, Errc::internal);
  EXPECT_EQ(calls(), 1);
}

TEST_F(RunTest, RecordsTheCallersOwnMistakeForGood) {
  errors_["ask/1"] = Errc::bad_request;
  begin(ask_once), settle();
  EXPECT_EQ(report().error->code, Errc::bad_request);
  errors_.clear();
  begin(ask_once), settle();
  EXPECT_EQ(report().error->code, Errc::bad_request);
  EXPECT_EQ(calls(), 1);
}

TEST_F(RunTest, TriesAPassingFailureAgainOnResume) {
  errors_["ask/1"] = Errc::overloaded;
  begin(ask_once), settle();
  EXPECT_EQ(report().error->code, Errc::overloaded);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::failed);
  errors_.clear();
  begin(ask_once);
  settle(1);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::running);
  settle();
  EXPECT_EQ(report().output.text, "answer to ask/1");
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
}

TEST_F(RunTest, FailsOnAFeatureNobodyConfigured) {
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey key{"ask", "1"};
    auto request = question("hello", "poetry");
    auto answer = co_await wf.complete(std::move(key), std::move(request));
    if (!answer) co_return std::unexpected(answer.error());
    co_return JsonText{"null"};
  };
  begin(flow), settle();
  EXPECT_EQ(report().error->code, Errc::bad_config);
}

// ---- timers and signals ----

Task<Result<JsonText>> sleep_then_listen(Workflow& wf, JsonText) {
  StepKey nap{"nap", ""};
  WallTime when{wf.now().ms + 60'000};
  auto slept = co_await wf.sleep_until(std::move(nap), when);
  if (!slept) co_return std::unexpected(slept.error());
  StepKey first_key{"go", ""};
  auto first = co_await wf.signal(std::move(first_key));
  StepKey second_key{"go", ""};
  auto second = co_await wf.signal(std::move(second_key));
  co_return JsonText{first->text + second->text};
}

TEST_F(RunTest, KeepsTimersOverARestart) {
  auto actor = begin(sleep_then_listen);
  settle();
  kill(actor);
  clock_.pass(59s);
  actor = begin(sleep_then_listen);
  settle();
  tell(actor, Tick{});
  EXPECT_EQ(journal_.pending(), 0u);
  clock_.pass(1s);
  tell(actor, Tick{});
  settle();
  EXPECT_EQ(journal_.story.back(), "timer_fired nap");
}

TEST_F(RunTest, HearsSignalsInOrderAlsoAfterARestart) {
  auto actor = begin(sleep_then_listen);
  settle();
  tell(actor, SignalRun{"go", "1"});  // early: nobody listens yet
  settle();
  clock_.pass(60s);
  tell(actor, Tick{});
  settle();
  kill(actor);
  actor = begin(sleep_then_listen);
  settle();
  tell(actor, SignalRun{"go", "2"});
  settle();
  EXPECT_EQ(report().output.text, "12");
}

TEST_F(RunTest, KeepsASignalThatComesBeforeItsFirstTurn) {
  RunConfig config;
  config.spec = {"flow", {"{}"}, "run-1", "default"};
  config.function = sleep_then_listen;
  config.queues = queues_;
  config.on_done = [this](RunReport report) { reports_.push_back(std::move(report)); };
  auto actor = keep(spawn_run(system_, std::move(config), clock_, journal_));
  caf::anon_send(actor, SignalRun{"go", "1"});
  settle();
  EXPECT_EQ(journal_.story, (std::vector<std::string>{"start", "signal_in go", "timer_set nap"}));
}

// ---- stopping ----

TEST_F(RunTest, InterruptWaitsForWhatIsInFlightAndRecordsIt) {
  hold_ = true;
  auto actor = begin(fan_out);
  settle();
  tell(actor, CancelRun{true});
  EXPECT_TRUE(reports_.empty());
  answer(held_.at(0));
  settle();
  EXPECT_EQ(report().end, RunEnd::interrupted);
  EXPECT_TRUE(journal_.results("run-1").contains("ask/1"));
  hold_ = false;
  begin(fan_out), settle();
  EXPECT_EQ(report().output.text, kFanOut);
  EXPECT_EQ(calls_["ask/1"], 1);
}

TEST_F(RunTest, BeginsNoCallOnceItStops) {
  hold_ = true;
  auto actor = begin(fan_out);
  settle();
  answer(held_.at(0));
  run();
  settle(3);  // RESULT, the step, one INTENT: its call is out, two INTENTs wait
  auto out = calls();
  tell(actor, CancelRun{true});
  settle();
  EXPECT_EQ(calls(), out);
}

TEST_F(RunTest, CancelEndsARunForGood) {
  hold_ = true;
  auto actor = begin(ask_once);
  settle();
  tell(actor, CancelRun{});
  answer(held_.at(0));
  settle();
  EXPECT_EQ(report().end, RunEnd::cancelled);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::cancelled);
  begin(ask_once), settle();
  EXPECT_EQ(report().end, RunEnd::cancelled);
  EXPECT_EQ(calls(), 1);
}

TEST_F(RunTest, SaysThatItWasInterruptedWhenItIsKilled) {
  hold_ = true;
  auto actor = begin(ask_once);
  settle();
  kill(actor);
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(report().end, RunEnd::interrupted);
}

TEST_F(RunTest, RunsTenThousandStepsWithoutNesting) {
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    for (int i = 0; i < 10'000; ++i) {
      StepKey key{"n", std::to_string(i)};
      std::function<Result<JsonText>()> body = [i] { return JsonText{std::to_string(i)}; };
      auto step = co_await wf.step(std::move(key), std::move(body));
      if (!step) co_return std::unexpected(step.error());
    }
    co_return JsonText{"null"};
  };
  auto actor = begin(flow);
  settle(9'999);
  kill(actor);
  journal_.crash();
  begin(flow), settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(report().steps, 10'000u);
}

}  // namespace
}  // namespace troupe::actors::testing
