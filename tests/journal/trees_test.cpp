// Trees of runs, parking and retention: what an engine asks the journal beside histories.
#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TreesTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) journal_ = open();
  }

  RunRow start(const std::string& id, const std::string& parent = "", const std::string& workflow = "recap") {
    auto row = run_row(id);
    row.parent = parent;
    row.workflow = workflow;
    return journal_->claim(row).value();
  }
  Result<void> update(const RunRow& row) {
    Batch batch;
    batch.run = row;
    return append_now(*journal_, std::move(batch));
  }
  RunRow park(const std::string& id, std::int64_t wake) {
    auto row = start(id);
    row.wake = {wake};
    EXPECT_TRUE(update(row));
    return row;
  }
  /// Ends a run with an entry, at `finished`.
  void end(RunRow row, RunState state, std::int64_t finished) {
    row.state = state;
    row.finished = {finished};
    auto seq = journal_->history(row.run_id)->size() + 1;
    auto batch = batch_of(entry(row.run_id, seq, Kind::done, "", row.epoch));
    batch.run = row;
    EXPECT_TRUE(append_now(*journal_, std::move(batch)));
  }

  std::unique_ptr<Journal> journal_;
};

TEST_P(TreesTest, ATakenOverRunKeepsItsParentBudgetVersionAndWake) {
  auto row = run_row("r");
  row.parent = "lead";
  row.budget = R"({"usd":1})";
  row.version = "v7";
  row.wake = {4000};
  ASSERT_TRUE(journal_->claim(row));
  auto again = journal_->claim(run_row("r")).value();
  EXPECT_EQ(again.parent, "lead");
  EXPECT_EQ(again.budget, R"({"usd":1})");
  EXPECT_EQ(again.version, "v7");
  EXPECT_EQ(again.wake.ms, 4000);
  again.wake = {};
  again.budget = R"({"usd":2})";
  ASSERT_TRUE(update(again));
  auto read = journal_->run("r").value().value();
  EXPECT_EQ(read.wake.ms, 0);
  EXPECT_EQ(read.budget, R"({"usd":2})");
}

TEST_P(TreesTest, AnswersTheChildrenOfARunOldestFirst) {
  start("lead");
  start("b", "lead");
  start("a", "lead");
  start("other", "someone");
  EXPECT_THAT(ids(journal_->children("lead")), ElementsAre("b", "a"));
  EXPECT_THAT(ids(journal_->children("a")), IsEmpty());
  EXPECT_THAT(ids(journal_->children("")), IsEmpty()) << "runs without a parent are nobody's children";
}

TEST_P(TreesTest, AnswersWhatIsDueTheLongestOverdueFirst) {
  park("late", 300);
  park("first", 100);
  park("second", 200);
  park("by_signal", kWakeBySignal.ms);
  start("awake");
  auto gone = park("gone", 50);
  gone.wake = {};
  end(gone, RunState::done, 60);
  EXPECT_THAT(journal_->due({200}, 10).value(), ElementsAre("first", "second"));
  EXPECT_THAT(journal_->due({99}, 10).value(), IsEmpty());
  EXPECT_THAT(journal_->due(kWakeBySignal, 10).value(), ElementsAre("first", "second", "late"));
  EXPECT_THAT(journal_->due({300}, 1).value(), ElementsAre("first"));
}

TEST_P(TreesTest, AnswersUnfinishedRunsOfANodeThatAreNotParked) {
  start("one");
  auto elsewhere = run_row("elsewhere");
  elsewhere.node = "n2";
  ASSERT_TRUE(journal_->claim(elsewhere));
  park("parked", 500);
  end(start("ended"), RunState::done, 10);
  start("two");
  EXPECT_THAT(ids(journal_->unfinished("n1", 10)), ElementsAre("one", "two"));
  EXPECT_THAT(ids(journal_->unfinished("", 10)), ElementsAre("one", "elsewhere", "two"));
  EXPECT_THAT(ids(journal_->unfinished("n1", 1)), ElementsAre("one"));
  EXPECT_THAT(ids(journal_->unfinished("n3", 10)), IsEmpty());
}

TEST_P(TreesTest, FiltersRuns) {
  end(start("a"), RunState::done, 10);
  start("b", "a", "research");
  auto row = run_row("c");
  row.tenant = "t2";
  ASSERT_TRUE(journal_->claim(row));
  EXPECT_THAT(ids(journal_->runs(9)), ElementsAre("c", "b", "a"));
  EXPECT_THAT(ids(journal_->runs(9, {.state = RunState::running})), ElementsAre("c", "b"));
  EXPECT_THAT(ids(journal_->runs(9, {.workflow = "research"})), ElementsAre("b"));
  EXPECT_THAT(ids(journal_->runs(9, {.parent = "a"})), ElementsAre("b"));
  EXPECT_THAT(ids(journal_->runs(9, {.tenant = "t2"})), ElementsAre("c"));
  EXPECT_THAT(ids(journal_->runs(9, {.state = RunState::done, .tenant = "t2"})), IsEmpty());
  EXPECT_THAT(ids(journal_->runs(1, {.state = RunState::running})), ElementsAre("c"));
}

TEST_P(TreesTest, RefusesParkingWhatHasEndedAndARunThatIsItsOwnParent) {
  auto row = start("r");
  row.state = RunState::done;
  row.wake = {5};
  EXPECT_EQ(update(row).error().code, Errc::invalid_input);
  auto negative = start("s");
  negative.wake = {-1};
  EXPECT_EQ(update(negative).error().code, Errc::invalid_input);
  auto own = run_row("own");
  own.parent = "own";
  EXPECT_EQ(journal_->claim(own).error().code, Errc::invalid_input);
}

TEST_P(TreesTest, KeepsTheNewKindsAndOneEndOfEachChild) {
  start("r");
  std::uint64_t seq = 0;
  for (auto kind : {Kind::child_start, Kind::child_end, Kind::version_mark, Kind::note})
    ASSERT_TRUE(append_now(*journal_, entry("r", ++seq, kind, "child")));
  auto twice = append_now(*journal_, entry("r", ++seq, Kind::child_end, "child"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::storage);
  EXPECT_THAT(twice.error().what, HasSubstr("child child has ended already"));
  EXPECT_EQ(journal_->history("r")->back().kind, Kind::note);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(TreesTest, TheCheckSeesAChildThatOutlivesItsParent) {  // RUNTIME 4.3 f
  auto lead = start("lead");
  auto child = start("child", "lead");
  EXPECT_THAT(faults(*journal_), IsEmpty());
  end(lead, RunState::done, 10);
  EXPECT_THAT(faults(*journal_),
              ElementsAre(HasSubstr("run lead has ended, but its child child is running")));
  end(child, RunState::cancelled, 20);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

class ForgetTest : public TreesTest {
 protected:
  /// A run with a 20 KB prompt, ended at `finished`.
  void past(const std::string& id, std::int64_t finished, char prompt, RunState state = RunState::done,
            const std::string& workflow = "recap") {
    auto row = start(id, "", workflow);
    auto e = entry(id, 1, Kind::signal_in);
    e.payload.assign(20'000, prompt);
    EXPECT_TRUE(append_now(*journal_, e));
    UsageRow used;
    used.run_id = id;
    used.usd = 1;
    Batch batch;
    batch.usage = {used};
    EXPECT_TRUE(append_now(*journal_, batch));
    end(row, state, finished);
  }
  std::string prompt_of(const std::string& id) { return journal_->history(id)->at(0).payload.substr(0, 1); }
};

TEST_P(ForgetTest, RemovesOldEndedRunsAndKeepsTheLedger) {
  past("old", 100, 'a');
  past("cancelled", 120, 'b', RunState::cancelled);
  past("failed", 100, 'c', RunState::failed);
  past("young", 300, 'd');
  start("running");
  EXPECT_EQ(journal_->forget({200}, "").value(), 2u);
  EXPECT_THAT(ids(journal_->runs(9)), ElementsAre("running", "young", "failed"));
  EXPECT_THAT(journal_->history("old").value(), IsEmpty());
  EXPECT_EQ(journal_->usage({})->size(), 4u) << "what was paid stays in the books";
  EXPECT_EQ(journal_->forget({200}, "").value(), 0u);
  EXPECT_THAT(faults(*journal_), IsEmpty());
  // The name is free again; nothing of its former life is there.
  EXPECT_EQ(start("old").epoch, 1u);
  EXPECT_TRUE(append_now(*journal_, entry("old", 1)));
}

TEST_P(ForgetTest, KeepsContentThatOthersReferTo) {
  past("old", 100, 'a');
  past("young", 300, 'a');
  auto holds_it_as_input = run_row("input");
  holds_it_as_input.input.assign(20'000, 'z');
  ASSERT_TRUE(journal_->claim(holds_it_as_input));
  past("also_old", 100, 'z');
  EXPECT_EQ(journal_->forget({200}, "").value(), 2u);
  EXPECT_EQ(prompt_of("young"), "a");
  EXPECT_EQ(journal_->run("input").value()->input, holds_it_as_input.input);
  EXPECT_THAT(faults(*journal_), IsEmpty());
  EXPECT_EQ(journal_->forget({400}, "").value(), 1u);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(ForgetTest, RemovesOnlyTheNamedWorkflow) {
  past("a", 100, 'a', RunState::done, "research");
  past("b", 100, 'b');
  EXPECT_EQ(journal_->forget({200}, "research").value(), 1u);
  EXPECT_THAT(ids(journal_->runs(9)), ElementsAre("b"));
}

TEST_P(ForgetTest, KeepsAChildWhileItsParentMayAskForIt) {
  auto lead = start("lead");
  end(start("child", "lead"), RunState::done, 50);
  EXPECT_EQ(journal_->forget({200}, "").value(), 0u);
  end(lead, RunState::done, 60);
  EXPECT_EQ(journal_->forget({200}, "").value(), 2u);
}

TEST_P(ForgetTest, TakesManyInSlices) {
  for (int i = 0; i < 150; ++i) end(start("r" + std::to_string(i)), RunState::done, 10);
  start("stays");
  EXPECT_EQ(journal_->forget({200}, "").value(), 150u);
  EXPECT_THAT(ids(journal_->runs(9)), ElementsAre("stays"));
}

TEST_P(ForgetTest, EndsAfterTheSliceWithWhichEnoughAreGone) {
  for (int i = 0; i < 150; ++i) end(start("r" + std::to_string(i)), RunState::done, 10);
  EXPECT_EQ(journal_->forget({200}, "", 1).value(), 64u);
  EXPECT_EQ(journal_->forget({200}, "", 65).value(), 86u);
  EXPECT_EQ(journal_->forget({200}, "", 1).value(), 0u);
}

TEST_P(ForgetTest, KeepsTheNewestSlotsRunOfEachScheduleAndTenant) {
  for (auto slot : {"20", "21", "22"})
    past(std::string("nightly/acme@2026-11-") + slot + "T04:00Z", 100, 'a');
  past("nightly/acme2@2026-11-01T04:00Z", 100, 'b');
  past("weekly/acme@2026-10-01T04:00Z", 100, 'c');
  past("weekly/acme@2026-10-02T04:00Z", 100, 'd');
  // The newest decides, also when it cannot be forgotten itself.
  past("hourly/a@2026-10-01T04:00Z", 100, 'e');
  past("hourly/a@2026-10-01T05:00Z", 100, 'f', RunState::failed);
  // None of a schedule, however it looks.
  past("/@2026-11-22T04:00Z", 100, 'g');
  past("nightly/acme@2026-11-23T04:00", 100, 'h');
  past("nightly/acme@9999-zz-zzTzz:zzZ", 100, 'i');
  EXPECT_EQ(journal_->forget({200}, "").value(), 7u);
  auto left = ids(journal_->runs(99));
  std::ranges::sort(left);
  EXPECT_THAT(left, ElementsAre("hourly/a@2026-10-01T05:00Z", "nightly/acme2@2026-11-01T04:00Z",
                                "nightly/acme@2026-11-22T04:00Z", "weekly/acme@2026-10-02T04:00Z"));
  EXPECT_THAT(faults(*journal_), IsEmpty());
  past("nightly/acme@2026-11-23T04:00Z", 300, 'a');
  EXPECT_EQ(journal_->forget({200}, "").value(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, TreesTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, TreesTest, ::testing::Values(StoreKind::postgres));
INSTANTIATE_TEST_SUITE_P(Sqlite, ForgetTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, ForgetTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
