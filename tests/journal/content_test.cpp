// Large content: stored once, bounded, and never confused with other content.
#include "runtime/journal/blob_store.hpp"

#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::IsEmpty;

class ContentTest : public StoreTest {};

class ContentFileTest : public JournalTest {
 protected:
  /// Size of the closed file after 39 entries with a 100 KB prompt each, which `vary` may make unlike.
  std::uintmax_t size_with(const std::string& name, bool vary) {
    auto journal = open({.path = path(name)});
    for (int i = 0; i < 39; ++i) {
      auto id = "run" + std::to_string(i);
      auto row = run_row(id);
      EXPECT_TRUE(journal->claim(row));
      auto e = entry(id, 1, Kind::intent);
      e.payload = std::string(100'000, 'p') + (vary ? std::to_string(i) : "");
      EXPECT_TRUE(append_now(*journal, e));
    }
    EXPECT_THAT(faults(*journal), IsEmpty());
    journal.reset();
    return std::filesystem::file_size(path(name));
  }
};

TEST_F(ContentFileTest, APromptWrittenByThirtyNineRunsIsStoredOnce) {  // RUNTIME 6, complaint 6
  EXPECT_LT(size_with("same.db", false), 400'000u);
  EXPECT_GT(size_with("different.db", true), 3'900'000u) << "unlike prompts take what they take";
}

TEST_P(ContentTest, LargeInputsAndOutputsComeBackWhole) {
  auto journal = open();
  auto row = run_row("r");
  row.input = std::string(50'000, 'i');
  row = journal->claim(row).value();
  row.output = std::string(60'000, 'o');
  Batch batch;
  batch.run = row;
  ASSERT_TRUE(append_now(*journal, batch));
  auto read = journal->run("r").value().value();
  EXPECT_EQ(read.input, row.input);
  EXPECT_EQ(read.output, row.output);
  EXPECT_EQ(journal->claim(run_row("r"))->input, row.input);
}

TEST_P(ContentTest, SizesAroundTheInlineBoundComeBackWhole) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("r")));
  std::uint64_t seq = 0;
  for (std::size_t size : {0, 1, 8191, 8192, 8193, 65536}) {
    auto e = entry("r", ++seq);
    e.payload = std::string(size, 'z');
    ASSERT_TRUE(append_now(*journal, e));
    EXPECT_EQ(journal->history("r")->back().payload, e.payload) << size;
  }
}

TEST_P(ContentTest, APayloadMayBeAsLargeAsItsBoundAndNoLarger) {
  StoreOptions small;
  small.payload_bytes_max = 20'000;
  auto journal = open(small);
  ASSERT_TRUE(journal->claim(run_row("r")));
  auto e = entry("r", 1);
  e.payload.assign(20'001, 'x');
  EXPECT_EQ(append_now(*journal, e).error().code, Errc::invalid_input);
  e.payload.pop_back();
  EXPECT_TRUE(append_now(*journal, e));
  auto row = run_row("s");
  row.input.assign(20'001, 'x');
  EXPECT_EQ(journal->claim(row).error().code, Errc::invalid_input);
}

TEST_P(ContentTest, RefusesTextsOverTheirBoundAndNumbersThatAreNone) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(run_row("r")));
  EXPECT_TRUE(append_now(*journal, entry("r", 1, Kind::signal_in, std::string(2048, 'k'))));
  EXPECT_EQ(append_now(*journal, entry("r", 2, Kind::signal_in, std::string(2049, 'k'))).error().code,
            Errc::invalid_input);
  EXPECT_EQ(append_now(*journal, entry("r", 2, static_cast<Kind>(77))).error().code, Errc::invalid_input);
  Batch batch;
  batch.usage.resize(1);
  batch.usage[0].usd = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(append_now(*journal, batch).error().code, Errc::invalid_input);
  EXPECT_EQ(journal->claim(run_row("")).error().code, Errc::invalid_input);
}

TEST_P(ContentTest, AFullQueueRefusesInsteadOfGrowing) {
  StoreOptions tight;
  tight.queue_bytes_max = 100'000;
  auto journal = open(tight);
  ASSERT_TRUE(journal->claim(run_row("r")));
  int refused = 0;
  std::uint64_t kept = 0;
  std::promise<void> entered, go_on;
  auto wait = go_on.get_future();
  // While the committer's thread is held in a callback, everything stays in the queue.
  journal->append(batch_of(entry("r", 1)), [&](Result<void> answer) {
    kept += answer.has_value();
    entered.set_value();
    wait.wait();
  });
  entered.get_future().wait();
  for (std::uint64_t seq = 2; seq <= 11; ++seq) {
    auto e = entry("r", seq);
    e.payload.assign(30'000, 'x');
    journal->append(batch_of(std::move(e)), [&](Result<void> answer) {
      kept += answer.has_value();
      refused += !answer && answer.error().code == Errc::refused;
    });
  }
  go_on.set_value();
  auto next = append_now(*journal, entry("r", 5));
  EXPECT_EQ(kept, 4u);
  EXPECT_EQ(refused, 7);
  EXPECT_TRUE(next) << "once answered there is room again";
}

TEST_P(ContentTest, ABatchLargerThanAGroupIsCommittedAlone) {
  StoreOptions small;
  small.batch_entries_max = 4;
  small.batch_bytes_max = 1000;
  auto journal = open(small);
  ASSERT_TRUE(journal->claim(run_row("r")));
  Batch batch;
  for (std::uint64_t seq = 1; seq <= 20; ++seq) batch.entries.push_back(entry("r", seq));
  EXPECT_TRUE(append_now(*journal, batch));
  EXPECT_EQ(journal->history("r")->size(), 20u);
}

TEST(ContentHash, DependsOnEveryByteAndTheLength) {
  std::string text(37, 'a');
  auto whole = content_hash(text);
  EXPECT_EQ(whole, content_hash(std::string(37, 'a')));
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = 'b';
    EXPECT_NE(content_hash(changed), whole) << i;
  }
  EXPECT_NE(content_hash(text + '\0'), whole);
}

TEST(BlobStore, ContentThatCollidesIsKeptApart) {
  auto connection = Connection::open(":memory:", Connection::Mode::create).value();
  ASSERT_TRUE(connection.execute("CREATE TABLE blob(id INTEGER PRIMARY KEY, hash INTEGER, bytes BLOB)"));
  auto store = BlobStore::open(connection).value();
  std::string one(9000, 'a'), two(9000, 'b');
  auto first = store.put(one).value();
  // Make the stored one look like a collision with the second.
  auto sql = "UPDATE blob SET hash = " + std::to_string(static_cast<std::int64_t>(content_hash(two)));
  ASSERT_TRUE(connection.execute(sql.c_str()));
  auto second = store.put(two).value();
  EXPECT_NE(first.blob, second.blob);
  EXPECT_EQ(store.put(two)->blob, second.blob);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, ContentTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, ContentTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
