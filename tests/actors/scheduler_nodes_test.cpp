// Two nodes that have the same schedules and one store: one run for each slot, whoever dies.
#include "tests/actors/scheduler_world.hpp"
#include "tests/support/memory_journal_view.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::ElementsAre;

/// How another living node sees a shared store: what the first holds cannot be claimed.
class OtherNodesView final : public journal::testing::MemoryJournalView {
 public:
  using MemoryJournalView::MemoryJournalView;
  Result<journal::RunRow> claim(journal::RunRow row) override {
    auto held = under_.run(row.run_id);
    if (held && *held && (*held)->state == journal::RunState::running && (*held)->node != row.node &&
        others_live)
      return fail(Errc::refused, "run " + row.run_id + " is held by node " + (*held)->node);
    ++claims;
    return under_.claim(std::move(row));
  }
  bool others_live = true;
  int claims = 0;
};

class TwoSchedulersTest : public SchedulerTest {
 protected:
  TwoSchedulersTest() : view_(journal_) {
    other_ = std::make_unique<RunHost>();
    other_->start({&system_, &clock_, &view_, "n2", queues_, {}, {}});
  }
  ~TwoSchedulersTest() override { end_other(); }
  void TearDown() override {
    end_other();
    SchedulerTest::TearDown();
  }
  void end_other() {
    if (!other_) return;
    if (second_) caf::anon_send_exit(second_, caf::exit_reason::user_shutdown);
    second_ = nullptr;
    other_->kill();
    run();
    journal_.crash();
    run();
    other_.reset();
  }
  void begin_other(std::vector<Scheduled> schedules) {
    for (const auto& type : types_) other_->add(type);
    SchedulerParts parts;
    parts.clock = &clock_;
    parts.journal = &view_;
    parts.submit = [this](RunSpec spec) {
      ++submitted_by_other_;
      return other_->submit(std::move(spec), {});
    };
    parts.going = [this](const std::string& run_id) { return other_->progress(run_id).has_value(); };
    second_ = spawn_scheduler(system_, std::move(schedules), std::move(parts));
  }
  void look_both() {
    caf::anon_send(scheduler_, Tick{});
    caf::anon_send(second_, Tick{});
    run();
    settle();
  }

  OtherNodesView view_;
  std::unique_ptr<RunHost> other_;
  SchedulerActor second_;
  int submitted_by_other_ = 0;
};

TEST_F(TwoSchedulersTest, BothHaveTheScheduleAndOneRunIsMade) {
  add_flow();
  hold_ = true;
  begin_other({hourly(policy::CatchUp::last)});
  begin({hourly(policy::CatchUp::last)});
  for (int second = 0; second < 10; ++second) {
    clock_.pass(1s);
    look_both();
  }
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(starts(), 1u);
  EXPECT_EQ(calls(), 1);
}

TEST_F(TwoSchedulersTest, BothSubmitAtTheSameMomentAndOneRunIsMade) {
  add_flow();
  hold_ = true;
  begin_other({hourly(policy::CatchUp::last)});
  // The other has looked, found nothing, and submits while the first does.
  auto theirs = run_of(hourly(policy::CatchUp::last), {1'699'999'200'000});
  ASSERT_EQ(theirs.run_id, kNewestHour);
  begin({hourly(policy::CatchUp::last)});
  ASSERT_TRUE(other_->submit(theirs, {}));
  run();
  settle();
  for (int second = 0; second < 10; ++second) {
    clock_.pass(1s);
    look_both();
  }
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ((*journal_.run(kNewestHour))->epoch, 1u);  // never taken over
  EXPECT_EQ(calls(), 1);
}

TEST_F(TwoSchedulersTest, WhatADeadNodeBeganTheOtherEndsAndBeginsNoSecond) {
  add_flow();
  hold_ = true;
  begin({hourly(policy::CatchUp::last)});
  ASSERT_EQ(calls(), 1);
  stop();
  end_process();  // kill -9 of the first
  begin_other({hourly(policy::CatchUp::last)});
  caf::anon_send(second_, Tick{});
  run();
  EXPECT_EQ(submitted_by_other_, 0);  // the slot has its run
  hold_ = false;
  view_.others_live = false;  // its lease has run out: the other takes its runs
  RunSpec taken{"flow", {"{}"}, kNewestHour, "default", {}, {}};
  ASSERT_TRUE(other_->submit(std::move(taken), {}));
  run();
  settle();
  EXPECT_EQ((*journal_.run(kNewestHour))->state, journal::RunState::done);
  for (int second = 0; second < 10; ++second) {
    clock_.pass(1s);
    caf::anon_send(second_, Tick{});
    run();
    settle();
  }
  EXPECT_THAT(runs(), ElementsAre(kNewestHour));
  EXPECT_EQ(starts(), 1u);
  EXPECT_EQ(submitted_by_other_, 0);
}

}  // namespace
}  // namespace troupe::actors::testing
