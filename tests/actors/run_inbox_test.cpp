// Signals that were written down for a run: taken up once, whoever wrote them and whenever.
#include "tests/actors/host_world.hpp"

namespace troupe::actors::testing {
namespace {

Task<Result<JsonText>> two_words(Workflow& wf, JsonText) {
  std::string all;
  for (int i = 0; i < 2; ++i) {
    StepKey key{"word", std::to_string(i)};
    auto word = co_await wf.signal(std::move(key));
    all += word->text;
  }
  co_return JsonText{all};
}

class RunInboxTest : public HostTest {
 protected:
  void begin() {
    add("flow", two_words);
    submit("flow");
    settle();
  }
  /// As another process does it.
  void post(std::uint64_t id, const std::string& json) {
    ASSERT_TRUE(journal_.post({"run-1", "word", id, json, clock_.wall()}));
  }
  void take() {
    host_->take_signals();
    run();
  }
  std::size_t waiting() { return journal_.inbox(0, 100)->size(); }
  std::size_t recorded() const { return told("signal_in").size(); }
  /// The process dies and the next one takes up what it left.
  void die() {
    new_process();
    ASSERT_TRUE(host_->resume());
    run();
    settle();
  }
  std::string output() { return (*journal_.run("run-1"))->output; }
};

TEST_F(RunInboxTest, WhatAnotherProcessWroteDownReachesTheRun) {
  begin();
  post(7, "a");
  take();
  EXPECT_EQ(waiting(), 1u);  // until the entry is durable
  settle();
  EXPECT_EQ(waiting(), 0u);
  post(8, "b");
  take();
  settle();
  EXPECT_EQ(report().output.text, "ab");
}

TEST_F(RunInboxTest, FoundAgainWhileItIsBeingRecordedItCountsOnce) {
  begin();
  post(7, "a");
  for (int look = 0; look < 3; ++look) take();
  settle();
  EXPECT_EQ(recorded(), 1u);
}

TEST_F(RunInboxTest, ACrashBeforeTheEntryLosesNothing) {
  begin();
  post(7, "a");
  take();
  ASSERT_EQ(journal_.pending(), 1u);  // read, not recorded
  EXPECT_EQ(waiting(), 1u);
  die();  // who resumes it looks for what was said meanwhile
  EXPECT_EQ(waiting(), 0u);
  take();
  settle();
  EXPECT_EQ(recorded(), 1u);
  post(8, "b");
  take();
  settle();
  EXPECT_EQ(output(), "ab");
}

TEST_F(RunInboxTest, ACrashAfterTheEntryRepeatsNothing) {
  begin();
  post(7, "a");
  take();
  journal_.commit_unheard();
  die();
  EXPECT_EQ(waiting(), 0u);
  post(7, "a");  // whoever sent it heard of nothing and says it again
  take();
  settle();
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(recorded(), 1u);
  post(8, "b");
  take();
  settle();
  EXPECT_EQ(output(), "ab");
}

TEST_F(RunInboxTest, WhatIsSaidWhileNoNodeIsUpWaitsForOne) {
  begin();
  end_process();
  post(7, "a");
  post(8, "b");
  die();
  take();
  settle();
  EXPECT_EQ(output(), "ab");
}

TEST_F(RunInboxTest, WakesAParkedRun) {
  park_after_ = 10s;
  new_process();
  begin();
  wait(11s);
  ASSERT_FALSE(host_->progress("run-1"));
  post(7, "a");
  take();
  settle();
  EXPECT_TRUE(host_->progress("run-1"));
  EXPECT_EQ(recorded(), 1u);
}

TEST_F(RunInboxTest, ARunThatGoesElsewhereFindsWhatIsSaidHere) {
  // Of a workflow this node does not know, so it cannot be going here.
  journal::RunRow elsewhere;
  elsewhere.run_id = "far";
  elsewhere.workflow = "other";
  ASSERT_TRUE(journal_.claim(elsewhere));
  EXPECT_TRUE(host_->signal("far", "word", "a", 3));
  run();
  EXPECT_EQ(waiting(), 1u);
  EXPECT_FALSE(host_->signal("nobody", "word", "a", 3));
}

TEST_F(RunInboxTest, ARefusedEntryLeavesTheSignalToTheNextHolder) {
  begin();
  post(7, "a");
  take();
  journal_.fail_next();
  run();
  for (int look = 0; look < 3; ++look) take();
  EXPECT_EQ(waiting(), 1u);
  EXPECT_EQ(journal_.pending(), 0u);  // this life cannot record it any more, and does not try again and again
  die();
  take();
  settle();
  EXPECT_EQ(recorded(), 1u);
  EXPECT_EQ(waiting(), 0u);
}

}  // namespace
}  // namespace troupe::actors::testing
