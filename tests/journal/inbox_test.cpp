// Signals written down for runs: counted once, found by the holder, gone with the entry that takes them up.
#include "tests/journal/postgres_support.hpp"

#include "runtime/journal/database.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SignalRow signal_row(const std::string& run, std::uint64_t id, const std::string& json = "1") {
  return {run, "approve", id, json, {3000}};
}
std::vector<std::string> waiting(Journal& journal) {
  std::vector<std::string> out;
  auto rows = journal.inbox(0, 5000);
  EXPECT_TRUE(rows) << rows.error().what;
  if (rows)
    for (const auto& row : *rows) out.push_back(row.run_id + " " + row.json);
  return out;
}

class InboxTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) journal_ = open();
  }
  RunRow start(const std::string& id) { return journal_->claim(run_row(id)).value(); }
  void end(RunRow row, RunState state) {
    row.state = state;
    row.finished = {5000};
    Batch batch;
    batch.run = row;
    ASSERT_TRUE(append_now(*journal_, std::move(batch)));
  }

  std::unique_ptr<Journal> journal_;
};

TEST_P(InboxTest, ASignalOfAnIdCountsOnceWhileItWaits) {  // O3
  start("a");
  start("b");
  for (int again = 0; again < 3; ++again) ASSERT_TRUE(journal_->post(signal_row("a", 7)));
  ASSERT_TRUE(journal_->post(signal_row("b", 7, "2")));
  ASSERT_TRUE(journal_->post(signal_row("a", 0, "3")));
  ASSERT_TRUE(journal_->post(signal_row("a", 0, "3")));  // without an id each counts
  EXPECT_THAT(waiting(*journal_), ElementsAre("a 1", "b 2", "a 3", "a 3"));
  auto rows = journal_->inbox(0, 9).value();
  EXPECT_EQ(rows[0].name, "approve");
  EXPECT_EQ(rows[0].id, 7u);
  EXPECT_EQ(rows[0].at.ms, 3000);
  EXPECT_NE(rows[2].id, 0u);
  EXPECT_NE(rows[2].id, rows[3].id);
  EXPECT_EQ(journal_->inbox(rows[1].number, 1)->front().number, rows[2].number);
}

TEST_P(InboxTest, WaitsUntilAnEntryThatBecomesDurableTakesItUp) {
  start("a");
  ASSERT_TRUE(journal_->post(signal_row("a", 7)));
  auto number = journal_->inbox(0, 1)->front().number;
  auto batch = batch_of(entry("a", 1, Kind::signal_in, "approve", 99));  // fenced
  batch.taken = {number};
  EXPECT_FALSE(append_now(*journal_, batch));
  EXPECT_THAT(waiting(*journal_), ElementsAre("a 1"));
  batch.entries[0].epoch = 1;
  ASSERT_TRUE(append_now(*journal_, batch));
  EXPECT_THAT(waiting(*journal_), IsEmpty());
  EXPECT_EQ(journal_->history("a")->size(), 1u);
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(InboxTest, OutlivesTheProcessAndIsFoundByTheNextHolder) {
  start("a");
  ASSERT_TRUE(journal_->post(signal_row("a", 7)));
  journal_.reset();
  auto reading = open_readonly();
  ASSERT_TRUE(reading->post(signal_row("a", 8, "2")));  // with no node up
  reading.reset();
  journal_ = open();
  start("a");
  EXPECT_THAT(waiting(*journal_), ElementsAre("a 1", "a 2"));
}

TEST_P(InboxTest, AnotherProcessWritesBesideTheOneThatHoldsTheStore) {
  start("a");
  auto reading = open_readonly();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(append_now(*journal_, entry("a", i)));
    ASSERT_TRUE(reading->post(signal_row("a", i)));
  }
  ASSERT_TRUE(append_now(*journal_, entry("a", 51)));
  EXPECT_EQ(waiting(*journal_).size(), 50u);
  EXPECT_EQ(reading->inbox(0, 9).error().code, Errc::unsupported);
}

TEST_P(InboxTest, SaysWhyNobodyCouldTakeItUp) {
  EXPECT_EQ(journal_->post(signal_row("nobody", 1)).error().code, Errc::not_found);
  auto row = start("a");
  auto bad = signal_row("a", 1);
  bad.name.clear();
  EXPECT_EQ(journal_->post(bad).error().code, Errc::invalid_input);
  bad = signal_row("a", 1, std::string(kSignalBytesMax + 1, '1'));
  EXPECT_EQ(journal_->post(bad).error().code, Errc::invalid_input);
  bad.json.pop_back();
  EXPECT_TRUE(journal_->post(bad));
  end(row, RunState::failed);
  EXPECT_TRUE(journal_->post(signal_row("a", 2))) << "it may be resumed";
  EXPECT_THAT(waiting(*journal_), IsEmpty()) << "nobody runs it";
  end(row, RunState::done);
  auto late = journal_->post(signal_row("a", 3));
  EXPECT_EQ(late.error().code, Errc::invalid_input);
  EXPECT_THAT(late.error().what, HasSubstr("done"));
}

TEST_P(InboxTest, HasABound) {
  start("a");
  for (std::size_t i = 1; i <= kSignalsWaitingMax; ++i) ASSERT_TRUE(journal_->post(signal_row("a", i)));
  EXPECT_EQ(journal_->post(signal_row("a", 5000)).error().code, Errc::refused);
  // What calls the run off must get in, and counts once.
  SignalRow cancel{"a", kCancelSignal, kCancelSignalId, "null", {3000}};
  for (int again = 0; again < 3; ++again) EXPECT_TRUE(journal_->post(cancel));
  EXPECT_EQ(journal_->inbox(0, 5000)->size(), kSignalsWaitingMax + 1);
  Batch batch;
  auto first = journal_->inbox(0, 2).value();
  for (const auto& row : first) batch.taken.push_back(row.number);
  ASSERT_TRUE(append_now(*journal_, batch));
  EXPECT_TRUE(journal_->post(signal_row("a", 5000)));
}

TEST_P(InboxTest, AnOrderIsForTheLifeItWasSaidTo) {
  SignalRow cancel{"a", kCancelSignal, kCancelSignalId, "null", {3000}};
  auto row = start("a");
  ASSERT_TRUE(journal_->post(cancel));
  ASSERT_TRUE(journal_->post(signal_row("a", 7)));
  end(row, RunState::failed);  // of itself, before the order was found
  auto late = journal_->post(cancel);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::invalid_input);
  EXPECT_THAT(late.error().what, HasSubstr("failed"));
  end(start("a"), RunState::running);
  EXPECT_THAT(waiting(*journal_), ElementsAre("a 1")) << "what was said to it goes on";
  ASSERT_TRUE(journal_->post(cancel));
  end(start("a"), RunState::running);  // as parking does
  EXPECT_EQ(waiting(*journal_).size(), 2u) << "an order to a run that goes stays until it ends";
}

TEST_P(InboxTest, GoesWithItsRun) {
  auto row = start("a");
  ASSERT_TRUE(journal_->post(signal_row("a", 7)));
  end(row, RunState::done);
  EXPECT_EQ(journal_->forget({9000}, "").value(), 1u);
  start("a");
  EXPECT_THAT(waiting(*journal_), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Sqlite, InboxTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, InboxTest, ::testing::Values(StoreKind::postgres));

// ---- files and schemas from before there were inboxes ----

class InboxFileTest : public JournalTest {
 protected:
  void age() {
    auto connection = Connection::open(path(), Connection::Mode::write);
    ASSERT_TRUE(connection && connection->execute("DROP TABLE inbox; PRAGMA user_version=6"));
  }
};

TEST_F(InboxFileTest, AnOlderFileIsGivenOneWhenSomethingIsPosted) {
  (void)open()->claim(run_row("a"));
  age();
  auto reading = open_sqlite_readonly(path()).value();
  ASSERT_TRUE(reading->post(signal_row("a", 7)));
  reading.reset();
  auto journal = open();
  (void)journal->claim(run_row("a"));
  EXPECT_THAT(waiting(*journal), ElementsAre("a 1"));
}

TEST_F(InboxFileTest, AnOlderProgramThatHasTheFileOpenIsNotWrittenPast) {
  auto journal = open();
  (void)journal->claim(run_row("a"));
  age();
  auto posted = open_sqlite_readonly(path()).value()->post(signal_row("a", 7));
  ASSERT_FALSE(posted);
  EXPECT_THAT(posted.error().what, HasSubstr("version 6"));
}

class PostgresInboxTest : public PostgresTest {};

TEST_F(PostgresInboxTest, AnOlderSchemaIsGivenOneByTheNextNode) {
  (void)open("n1")->claim(run_row("a"));
  execute(
      "DROP TABLE inbox; DROP SEQUENCE signal_seq; DROP TABLE feedback;"
      "ALTER TABLE decision DROP COLUMN run_id, DROP COLUMN step_key, DROP COLUMN arm;"
      "ALTER TABLE run DROP COLUMN durability; UPDATE meta SET version = 1");
  auto reading = open_postgres_readonly(config(""));
  ASSERT_FALSE(reading);
  EXPECT_THAT(reading.error().what, HasSubstr("version 1"));
  auto journal = open("n1");
  ASSERT_TRUE(journal);
  (void)journal->claim(run_row("a"));
  EXPECT_TRUE(journal->post(signal_row("a", 7)));
  EXPECT_THAT(waiting(*journal), ElementsAre("a 1"));
}

TEST_F(PostgresInboxTest, OnlyTheHolderFindsASignalAndHearsOfIt) {
  auto a = open("a");
  auto b = open("b");
  (void)a->claim(run_row("r"));
  std::promise<void> heard;
  std::atomic<bool> once = false;
  a->membership()->watch([&](const std::string& topic) {
    if (topic == kInboxTopic && !once.exchange(true)) heard.set_value();
  });
  // The listener may not stand yet; a poke is a hint, so the test repeats what it hints at.
  auto hint = heard.get_future();
  for (std::uint64_t id = 1; hint.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready; ++id)
    ASSERT_TRUE(b->post(signal_row("r", id)));
  a->membership()->watch({});
  EXPECT_GE(waiting(*a).size(), 1u);
  EXPECT_THAT(waiting(*b), IsEmpty());
  let_live("b");
  let_lapse("a");
  ASSERT_EQ(b->membership()->take_over(9)->size(), 1u);
  EXPECT_GE(waiting(*b).size(), 1u) << "what waited goes with the run";
}

}  // namespace
}  // namespace troupe::journal
