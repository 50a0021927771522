// Runs over several lives: the order of the past, parking, signals that come twice, changed code.
#include "actors/audit.hpp"
#include "tests/actors/host_world.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

// The first two of five decide what is asked next.
Task<Result<JsonText>> acts_on_the_first_two(Workflow& wf, JsonText) {
  std::vector<Task<Result<std::string>>> tasks;
  for (auto id : {"1", "2", "3", "4", "5"}) tasks.push_back(ask_model(wf, id));
  auto racing = first_k(std::move(tasks), 2);
  auto won = co_await racing;
  std::string which;
  for (auto& each : won) which += std::to_string(each.number + 1);
  auto last = co_await ask_model(wf, "after " + which);
  co_return JsonText{last ? *last : "failed"};
}

TEST_F(HostTest, AResumedRunSeesItsPastInTheOrderItHappened) {  // M15
  hold_ = true;
  add("flow", acts_on_the_first_two);
  submit("flow");
  settle();
  ASSERT_EQ(held_.size(), 5u);
  answer(held_[3]);
  answer(held_[1]);
  run();
  settle();
  EXPECT_EQ(told("cancel ask/").size(), 3u);
  ASSERT_EQ(held_.size(), 6u);
  EXPECT_EQ(held_[5]->step_key, "ask/after 42");
  new_process();
  hold_ = false;
  calls_.clear();
  submit("flow");
  settle();
  EXPECT_EQ(report().output.text, "answer to ask/after 42");
  EXPECT_EQ(calls(), 1);  // the three that lost were not asked again
  EXPECT_TRUE(report().drift.empty());
}

// ---- parking ----

Task<Result<JsonText>> sleeps_then_asks(Workflow& wf, JsonText) {
  StepKey night{"night", ""};
  WallTime when = wf.now();
  when.ms += 3'600'000;
  auto slept = co_await wf.sleep_until(std::move(night), when);
  if (!slept) co_return std::unexpected(slept.error());
  auto text = co_await ask_model(wf, "1");
  co_return JsonText{*text};
}

Task<Result<JsonText>> waits_for_approval(Workflow& wf, JsonText) {
  StepKey key{"approve", ""};
  auto word = co_await wf.signal(std::move(key));
  co_return *word;
}

class ParkingTest : public HostTest {
 protected:
  ParkingTest() {
    park_after_ = 10s;
    new_process();
  }
};

TEST_F(ParkingTest, LeavesMemoryWhileItSleepsAndWakesOnTime) {
  add("flow", sleeps_then_asks);
  submit("flow");
  settle();
  wait(9s);
  EXPECT_TRUE(host_->progress("run-1"));
  wait(2s);
  EXPECT_FALSE(host_->progress("run-1"));  // no actor, no coroutine
  EXPECT_NE((*journal_.run("run-1"))->wake, WallTime{});
  host_->wake_due(true);
  run();
  EXPECT_FALSE(host_->progress("run-1"));  // not yet
  wait(3600s);
  host_->wake_due(true);
  run();
  settle();
  wait(1s);
  EXPECT_EQ(report().end, RunEnd::done);  // and who started it hears of it
  EXPECT_EQ(report().output.text, "answer to ask/1");
  EXPECT_EQ((*journal_.run("run-1"))->wake, WallTime{});
}

TEST_F(ParkingTest, ASignalWakesIt) {
  add("flow", waits_for_approval);
  submit("flow");
  settle();
  wait(11s);
  ASSERT_FALSE(host_->progress("run-1"));
  EXPECT_EQ((*journal_.run("run-1"))->wake, journal::kWakeBySignal);
  EXPECT_TRUE(host_->signal("run-1", "approve", "\"yes\"", 0));
  run();
  settle();
  EXPECT_EQ(report().output.text, "\"yes\"");
}

TEST_F(ParkingTest, NoSignalIsLostWhileItParks) {
  add("flow", waits_for_approval);
  submit("flow");
  settle();
  clock_.pass(11s);
  host_->tick();
  run();
  ASSERT_EQ(journal_.pending(), 1u);  // the wish to be woken
  // It becomes durable, and before the run hears of that somebody speaks.
  journal_.commit_next();
  EXPECT_TRUE(host_->signal("run-1", "approve", "\"now\"", 0));
  run();
  settle();
  EXPECT_EQ(report().output.text, "\"now\"");
}

TEST_F(ParkingTest, ManyThatAreDueTogetherAreWokenWithoutWaitingForTheNextSecond) {
  add("flow", sleeps_then_asks);
  constexpr std::size_t many = 600;
  for (std::size_t i = 0; i < many; ++i) submit("flow", "run-" + std::to_string(i));
  settle();
  wait(11s);
  ASSERT_EQ(host_->going(), 0u);
  clock_.pass(3600s);
  EXPECT_TRUE(host_->wake_due(true)) << "there are more than one go takes";
  EXPECT_EQ(host_->going(), 256u);
  EXPECT_FALSE(host_->wake_due(true, true));
  EXPECT_EQ(host_->going(), many);
}

TEST_F(ParkingTest, IsFoundAgainByAnotherProcess) {
  add("flow", sleeps_then_asks);
  submit("flow");
  settle();
  wait(11s);
  new_process();
  EXPECT_EQ(*host_->resume(), 0u);  // it is parked, not forgotten
  wait(3600s);
  host_->wake_due(true);
  run();
  settle();
  wait(1s);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
}

// ---- signals ----

TEST_F(HostTest, ASignalSentTwiceCountsOnceAlsoAfterACrash) {  // O3
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    std::string all;
    for (int i = 0; i < 3; ++i) {
      StepKey key{"word", std::to_string(i)};
      auto word = co_await wf.signal(std::move(key));
      all += word->text;
    }
    co_return JsonText{all};
  });
  submit("flow");
  settle();
  for (int again = 0; again < 3; ++again) host_->signal("run-1", "word", "a", 7);
  run();
  settle();
  new_process();
  submit("flow");
  settle();
  host_->signal("run-1", "word", "a", 7);
  host_->signal("run-1", "word", "b", 8);
  host_->signal("run-1", "word", "a", 0);  // without a name each counts
  run();
  settle();
  EXPECT_EQ(report().output.text, "aba");
}

TEST_F(HostTest, SteersAChildThatRuns) {
  add("child", waits_for_approval);
  add("parent", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    TaskGroup<Result<ChildEnd>> group;
    auto start = [](Workflow& w) -> Task<Result<ChildEnd>> {
      StepKey key{"child", "a"};
      ChildSpec spec{"child", {"{}"}, {}};
      co_return co_await w.child(std::move(key), std::move(spec));
    };
    group.add(start(wf));
    StepKey tick{"settle", ""};
    auto soon = wf.now();
    soon.ms += 500;
    auto slept = co_await wf.sleep_until(std::move(tick), soon);
    StepKey child{"child", "a"};
    JsonText word{"\"steered\""};
    auto sent = co_await wf.signal_child(std::move(child), "approve", std::move(word));
    if (!sent) co_return std::unexpected(sent.error());
    auto ended = co_await group.next();
    co_return ended->value->output;
  });
  submit("parent");
  settle();
  wait(1s);
  EXPECT_EQ(report().output.text, "\"steered\"");
}

// ---- what earlier lives paid for ----

// Asks for something else when it is not answered.
Task<Result<JsonText>> asks_until_answered(Workflow& wf, JsonText) {
  auto text = co_await ask_model(wf, "1");
  if (!text) text = co_await ask_model(wf, "1 instead");
  if (!text) co_return std::unexpected(text.error());
  co_return JsonText{*text};
}

Task<Result<JsonText>> one_child(Workflow& wf, JsonText) {
  StepKey key{"child", "a"};
  ChildSpec spec{"child", {"{}"}, {}};
  auto ended = co_await wf.child(std::move(key), std::move(spec));
  if (!ended) co_return std::unexpected(ended.error());
  co_return ended->output;
}

TEST_F(HostTest, WhatAnEarlierLifePaidForIsBookedThoughThisOneDoesNotAskForIt) {  // RUNTIME 4.3
  add("child", asks_until_answered);
  add("parent", one_child);
  errors_["ask/1"] = Errc::overloaded;
  submit("parent");
  while (told("result ask/1 instead").empty()) ASSERT_EQ(settle(1), 1u);
  // The child knows all it needs, and dies before it can say so.
  new_process();
  errors_.clear();
  submit("parent");
  settle();
  EXPECT_EQ(report().output.text, "answer to ask/1");
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(report().spent.tokens, 45);  // the failed attempt, what was asked instead, and the answer
  EXPECT_THAT(audit(journal_).value(), ::testing::IsEmpty());
}

// ---- changed code ----

TEST_F(HostTest, ARunGoesOnOnlyWithCodeThatKnowsIt) {  // M14
  hold_ = true;
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto text = co_await ask_model(wf, "1");
    co_return JsonText{*text};
  };
  add("flow", flow, "v1");
  submit("flow");
  settle();
  new_process();
  hold_ = false;
  add("flow", flow, "v2");
  submit("flow");
  settle();
  EXPECT_EQ(report().end, RunEnd::interrupted);
  EXPECT_EQ(report().error->code, Errc::unsupported);
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::running);  // for a node of v1
  add("flow", flow, "v3", [](const std::string& from) { return from == "v1"; });
  submit("flow");
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
}

TEST_F(HostTest, ARunOfOtherCodeIsLeftAloneUntilItsCodeComes) {
  hold_ = true;
  WorkflowFunction flow = [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    auto text = co_await ask_model(wf, "1");
    co_return JsonText{*text};
  };
  add("flow", flow, "v1");
  submit("flow");
  settle();
  new_process();
  hold_ = false;
  add("flow", flow, "v2");
  for (int second = 0; second < 5; ++second) {
    ASSERT_TRUE(host_->resume());
    run();
    settle();
  }
  // Not even claimed: a node that serves it may take it over.
  EXPECT_EQ((*journal_.run("run-1"))->epoch, 1u);
  EXPECT_THAT(host_->why_waiting(**journal_.run("run-1")), ::testing::HasSubstr("version 'v1'"));
  add("flow", flow, "v3", [](const std::string& from) { return from == "v1"; });
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_EQ((*journal_.run("run-1"))->state, journal::RunState::done);
}

TEST_F(HostTest, TakesUpMoreRunsThanOneReadGives) {
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    StepKey key{"approve", ""};
    co_return *co_await wf.signal(std::move(key));
  });
  constexpr std::size_t many = 600;
  for (std::size_t i = 0; i < many; ++i) submit("flow", "run-" + std::to_string(i));
  settle();
  new_process();
  std::size_t begun = 0;
  for (int second = 0; second < 5; ++second) {
    begun += *host_->resume();
    run();
    settle();
  }
  EXPECT_EQ(begun, many);
  EXPECT_EQ(host_->going(), many);
}

TEST_F(HostTest, ChangedStepsDoNotWedgeARunAndAreReported) {  // RUNTIME 6, complaint 1
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    for (auto id : {"a", "b", "c"}) (void)co_await ask_model(wf, id);
    StepKey key{"approve", ""};
    co_return *co_await wf.signal(std::move(key));
  });
  submit("flow");
  settle();
  EXPECT_EQ(calls(), 3);
  new_process();
  add("flow", [](Workflow& wf, JsonText) -> Task<Result<JsonText>> {
    for (auto id : {"new", "c", "a"})
      (void)co_await ask_model(wf, id);  // b dropped, new added, order changed
    co_return JsonText{"{}"};
  });
  submit("flow");
  settle();
  EXPECT_EQ(report().end, RunEnd::done);
  EXPECT_EQ(calls(), 4);
  EXPECT_EQ(report().drift, std::vector<std::string>{"ask/b: not asked"});
}

}  // namespace
}  // namespace troupe::actors::testing
