// What people said of answers: kept once for each rater, found again, given to files from before (K8).
#include "runtime/journal/database.hpp"
#include "tests/journal/journal_support.hpp"

namespace troupe::journal {
namespace {

FeedbackRow rating(const std::string& step, const std::string& rater, double score, std::int64_t at = 1) {
  FeedbackRow row;
  row.run_id = "r1";
  row.step_key = step;
  row.rater = rater;
  row.decision = "d1";
  row.feature = "chat";
  row.arm = "tone/new";
  row.model = "small";
  row.endpoint = "main";
  row.surface = "mail";
  row.note = "trop long \xc3\xa9";
  row.score = score;
  row.at = {at};
  return row;
}

class FeedbackRowsTest : public StoreTest {
 protected:
  static Result<void> keep(Journal& journal, FeedbackRow row) {
    Batch batch;
    batch.feedback.push_back(std::move(row));
    return append_now(journal, std::move(batch));
  }
};
class FeedbackFileTest : public JournalTest {};

TEST_P(FeedbackRowsTest, ARatersFirstWordOnAnAnswerStaysOverARestart) {
  {
    auto journal = open();
    for (auto& row :
         {rating("a", "ann", 1), rating("a", "ann", 0), rating("a", "bob", 0.25), rating("b", "ann", 0, 9)})
      ASSERT_TRUE(keep(*journal, row));
  }
  auto journal = open();
  auto rows = journal->feedback({});
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].score, 1);
  EXPECT_EQ((*rows)[0].note, rating("a", "ann", 1).note);
  EXPECT_EQ((*rows)[0].arm, "tone/new");
  EXPECT_EQ((*rows)[1].rater, "bob");
  EXPECT_EQ((*rows)[1].score, 0.25);
  EXPECT_EQ(journal->feedback({.run_id = "r1", .step_key = "b"})->size(), 1u);
  EXPECT_EQ(journal->feedback({.since = {9}})->size(), 1u);
  auto newest = journal->feedback({.rows_max = 2});
  ASSERT_EQ(newest->size(), 2u);
  EXPECT_EQ((*newest)[1].step_key, "b") << "the newest, in order";
}

TEST_P(FeedbackRowsTest, WhatIsOutOfBoundsIsRefusedAndNothingKept) {
  auto journal = open();
  EXPECT_EQ(keep(*journal, rating("a", "ann", 1.5)).error().code, Errc::invalid_input);
  EXPECT_EQ(keep(*journal, rating("a", std::string(2049, 'x'), 1)).error().code, Errc::invalid_input);
  auto share = rating("a", "", 0);
  share.asked_share = -0.1;
  EXPECT_EQ(keep(*journal, share).error().code, Errc::invalid_input);
  EXPECT_TRUE(journal->feedback({})->empty());
}

TEST_P(FeedbackRowsTest, ADecisionKnowsWhoseAnswerItLedTo) {
  auto journal = open();
  Batch batch;
  batch.decisions.push_back({"chat.n.1.1", "body", {5}, "r1", "a", "tone/new"});
  ASSERT_TRUE(append_now(*journal, batch));
  auto found = journal->decision("chat.n.1.1");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->body, "body");
  EXPECT_EQ((*found)->run_id, "r1");
  EXPECT_EQ((*found)->step_key, "a");
  EXPECT_EQ((*found)->arm, "tone/new");
}

TEST_F(FeedbackFileTest, AFileFromBeforeIsReadAsEmptyAndGivenTheTableWhenWritten) {
  {
    auto journal = open();
    Batch batch;
    batch.decisions.push_back({"old", "body", {5}, {}, {}, {}});
    ASSERT_TRUE(append_now(*journal, batch));
  }
  {
    auto connection = Connection::open(path(), Connection::Mode::create);
    ASSERT_TRUE(connection &&
                connection->execute("DROP TABLE feedback; ALTER TABLE decision DROP COLUMN run_id;"
                                    "ALTER TABLE decision DROP COLUMN step_key;"
                                    "ALTER TABLE decision DROP COLUMN arm; PRAGMA user_version=7"));
  }
  {
    auto reading = open_sqlite_readonly(path());
    ASSERT_TRUE(reading);
    EXPECT_TRUE((*reading)->feedback({})->empty());
    EXPECT_EQ((*reading)->decision("old").value()->body, "body");
  }
  auto journal = open();
  Batch batch;
  batch.feedback.push_back(rating("a", "ann", 1));
  ASSERT_TRUE(append_now(*journal, batch));
  EXPECT_EQ(journal->feedback({})->size(), 1u);
  EXPECT_EQ(journal->decision("old").value()->arm, "");
}

INSTANTIATE_TEST_SUITE_P(Sqlite, FeedbackRowsTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, FeedbackRowsTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
