// Runs that are called off where they go, where they are parked, and by nodes that do not hold them.
#include "tests/actors/host_world.hpp"
#include "tests/support/memory_journal_view.hpp"

#include "actors/desk_cancel.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::HasSubstr;

Task<Result<JsonText>> wait_for_word(Workflow& wf, JsonText) {
  StepKey key{"word", "1"};
  auto word = co_await wf.signal(std::move(key));
  co_return word;
}

Task<Result<JsonText>> with_a_child(Workflow& wf, JsonText) {
  StepKey key{"child", "1"};
  ChildSpec spec;
  spec.workflow = "flow";
  auto end = co_await wf.child(std::move(key), std::move(spec));
  if (!end) co_return std::unexpected(end.error());
  co_return end->output;
}

Task<Result<JsonText>> fail_first(Workflow& wf, int life) {
  if (life == 1) co_return fail(Errc::no_endpoint, "nobody serves it now");
  StepKey key{"word", "1"};
  auto word = co_await wf.signal(std::move(key));
  co_return word;
}

/// How another living node sees a shared store: what the first holds is neither claimed nor heard of.
class SecondNodesView final : public journal::testing::MemoryJournalView {
 public:
  using MemoryJournalView::MemoryJournalView;
  Result<journal::RunRow> claim(journal::RunRow row) override {
    auto held = under_.run(row.run_id);
    if (held && *held && (*held)->node != row.node)
      return fail(Errc::refused, "run " + row.run_id + " is held by node " + (*held)->node);
    return under_.claim(std::move(row));
  }
  Result<std::vector<journal::SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    auto rows = under_.inbox(after, limit);
    std::erase_if(*rows, [&](const auto& row) { return (*under_.run(row.run_id))->node != "n2"; });
    return rows;
  }
};

class RunCancelTest : public HostTest {
 protected:
  RunCancelTest() : view_(journal_) { second_.start({&system_, &clock_, &view_, "n2", queues_, {}, {}}); }
  void TearDown() override {
    second_.kill();
    run();
    HostTest::TearDown();
  }
  void begin() {
    add("flow", wait_for_word);
    add("tree", with_a_child);
    for (const auto& type : types_) second_.add(type);
    submit("flow");
    settle();
  }
  void take() {
    host_->take_signals();
    run();
    settle();
  }
  std::string state(const std::string& run_id = "run-1") {
    return journal::to_string((*journal_.run(run_id))->state);
  }
  Result<Json> ask_to_cancel(const std::string& run_id = "run-1") {
    DeskServices services;
    services.node = "n2";
    services.clock = &clock_;
    services.journal = &view_;
    services.progress = [this](const std::string& id) { return second_.progress(id); };
    services.cancel = [this](const std::string& id) { return second_.cancel(id, false); };
    Result<std::string> told = fail(Errc::internal, "no answer");
    cancel_run(services, {{"id", run_id}}, [&told](Result<std::string> json) { told = std::move(json); });
    run();
    if (!told) return std::unexpected(told.error());
    return parse_json(*told);
  }

  SecondNodesView view_;
  RunHost second_;
};

TEST_F(RunCancelTest, ReachesTheNodeThatHoldsTheRun) {
  begin();
  ASSERT_TRUE(second_.cancel("run-1", false));
  run();
  settle();
  EXPECT_EQ(second_.going(), 0u);
  EXPECT_EQ(state(), "running");  // n1 has not looked yet
  take();
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(host_->going(), 0u);
}

TEST_F(RunCancelTest, CountsOnceHoweverOftenItIsSaidAndFound) {
  begin();
  submit("tree", "run-2");
  settle();
  for (int again = 0; again < 3; ++again) ASSERT_TRUE(second_.cancel("run-2", false));
  for (int look = 0; look < 3; ++look) {
    host_->take_signals();
    run();
  }
  settle();
  EXPECT_EQ(state("run-2"), "cancelled");
  EXPECT_EQ(told("child_end").size(), 1u);
  EXPECT_EQ(told("cancel").size(), 2u);  // the run's and its child's
  EXPECT_TRUE(journal_.check()->empty());
}

TEST_F(RunCancelTest, WhoTakesTheRunOverFindsIt) {
  begin();
  end_process();
  ASSERT_TRUE(second_.cancel("run-1", false));
  new_process();
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(RunCancelTest, ACrashBetweenTheOrderAndTheEndLosesItNot) {
  begin();
  ASSERT_TRUE(second_.cancel("run-1", false));
  host_->take_signals();
  run();  // the end is not durable yet
  new_process();
  ASSERT_TRUE(host_->resume());
  run();
  settle();
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(RunCancelTest, WakesAParkedRunForIt) {
  park_after_ = 10s;
  new_process();
  begin();
  wait(11s);
  ASSERT_FALSE(host_->progress("run-1"));
  ASSERT_TRUE(host_->cancel("run-1", false));
  run();
  settle();
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(RunCancelTest, ANodeThatStopsMeanwhileHandsNothingBack) {
  begin();
  ASSERT_TRUE(host_->cancel("run-1", false));
  host_->interrupt();
  run();
  settle();
  EXPECT_EQ(state(), "cancelled");
}

// It fails of itself before its node finds the order; whoever tries it again wants it to go on.
TEST_F(RunCancelTest, ARunThatFailedMeanwhileGoesOnWhenItIsTriedAgain) {
  int life = 0;
  add("once", [&life](Workflow& wf, JsonText) { return fail_first(wf, ++life); });
  submit("once");
  ASSERT_TRUE(second_.cancel("run-1", false));
  settle();
  ASSERT_EQ(state(), "failed");
  EXPECT_FALSE(second_.cancel("run-1", false)) << "there is nothing to call off";
  submit("once");
  take();
  EXPECT_EQ(state(), "running");
  ASSERT_TRUE(host_->signal("run-1", "word", "1", 1));
  run();
  settle();
  EXPECT_EQ(state(), "done");
}

TEST_F(RunCancelTest, SaysWhomItAskedAndWhatStands) {
  begin();
  auto told = ask_to_cancel();
  ASSERT_TRUE(told) << told.error().what;
  EXPECT_EQ(get_string(*told, "node"), "n1");
  EXPECT_EQ(get_string(*told, "state"), "running");
  EXPECT_TRUE(get_bool(*told, "asked"));
  take();
  told = ask_to_cancel();
  ASSERT_TRUE(told);
  EXPECT_EQ(get_string(*told, "state"), "cancelled");
  EXPECT_FALSE(get_bool(*told, "asked", true));
}

TEST_F(RunCancelTest, WhatHasEndedOrNeverWasIsNotCalledOff) {
  begin();
  ASSERT_TRUE(host_->signal("run-1", "word", "1", 1));
  run();
  settle();
  ASSERT_EQ(state(), "done");
  EXPECT_EQ(ask_to_cancel().error().code, Errc::invalid_input);
  EXPECT_THAT(ask_to_cancel().error().what, HasSubstr("done"));
  EXPECT_EQ(ask_to_cancel("nobody").error().code, Errc::not_found);
}

}  // namespace
}  // namespace troupe::actors::testing
