// Histories that begin with a snapshot: what is read, what is removed, and what the rules say of them.
#include "runtime/journal/check.hpp"
#include "runtime/journal/membership.hpp"
#include "tests/journal/journal_support.hpp"

#include <gmock/gmock.h>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CompactionTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) journal_ = open();
  }

  /// Entries `from` to `to` of a run; every `snapshot_every`th is a snapshot, the others are large results.
  void write(const std::string& run, std::uint64_t from, std::uint64_t to, std::uint64_t snapshot_every) {
    for (auto seq = from; seq <= to; ++seq) {
      bool rests = seq % snapshot_every == 0;
      auto made =
          entry(run, seq, rests ? Kind::snapshot : Kind::result, rests ? "" : "k" + std::to_string(seq));
      if (!rests) made.payload.assign(10'000, static_cast<char>('a' + seq % 26));
      ASSERT_TRUE(append_now(*journal_, std::move(made)));
    }
  }
  std::vector<std::uint64_t> seqs(const Result<std::vector<Entry>>& entries) {
    std::vector<std::uint64_t> out;
    for (const auto& each : entries.value()) out.push_back(each.seq);
    return out;
  }

  std::unique_ptr<Journal> journal_;
};

TEST_P(CompactionTest, ReadsFromTheLatestSnapshotOn) {
  ASSERT_TRUE(journal_->claim(run_row("r")));
  EXPECT_THAT(seqs(journal_->history_since_snapshot("r")), IsEmpty());
  write("r", 1, 3, 100);
  EXPECT_THAT(seqs(journal_->history_since_snapshot("r")), ElementsAre(1, 2, 3)) << "there is none yet";
  write("r", 4, 10, 4);
  EXPECT_THAT(seqs(journal_->history_since_snapshot("r")), ElementsAre(8, 9, 10));
  EXPECT_EQ(journal_->history("r")->size(), 10u);
  EXPECT_THAT(seqs(journal_->history_since_snapshot("nobody")), IsEmpty());
  EXPECT_THAT(seqs(open_readonly()->history_since_snapshot("r")), ElementsAre(8, 9, 10));
}

TEST_P(CompactionTest, RemovesWhatCameBeforeAndGoesOn) {
  ASSERT_TRUE(journal_->claim(run_row("r")));
  ASSERT_TRUE(journal_->claim(run_row("other")));
  write("r", 1, 10, 4);
  // The same content as the other run's first: it has to stay for that one.
  write("other", 1, 1, 100);
  EXPECT_EQ(journal_->compact("r", 0).value(), 7u);
  EXPECT_EQ(journal_->compact("r", 0).value(), 0u) << "once is enough";
  EXPECT_THAT(seqs(journal_->history("r")), ElementsAre(8, 9, 10));
  EXPECT_EQ(journal_->history("other")->front().payload, std::string(10'000, 'b'));
  write("r", 11, 12, 4);
  EXPECT_THAT(faults(*journal_), IsEmpty());
  journal_.reset();
  journal_ = open();
  auto again = journal_->claim(run_row("r")).value();
  EXPECT_TRUE(append_now(*journal_, entry("r", 13, Kind::result, "later", again.epoch)));
  EXPECT_THAT(seqs(journal_->history("r")), ElementsAre(8, 9, 10, 11, 12, 13));
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(CompactionTest, KeepsEarlierSnapshotsWhenAskedTo) {
  ASSERT_TRUE(journal_->claim(run_row("r")));
  write("r", 1, 10, 4);
  EXPECT_EQ(journal_->compact("r", 4).value(), 3u);
  EXPECT_THAT(seqs(journal_->history("r")), ElementsAre(4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(journal_->compact("r", 5).error().code, Errc::invalid_input) << "that is no snapshot";
  EXPECT_EQ(journal_->compact("r", 12).error().code, Errc::invalid_input);
  EXPECT_EQ(journal_->compact("nobody", 0).error().code, Errc::not_found);
  ASSERT_TRUE(journal_->claim(run_row("young")));
  write("young", 1, 3, 100);
  EXPECT_EQ(journal_->compact("young", 0).value(), 0u);
  EXPECT_EQ(journal_->history("young")->size(), 3u);
  EXPECT_EQ(open_readonly()->compact("r", 0).error().code, Errc::unsupported);
}

TEST_P(CompactionTest, TakesALongPastInSlices) {
  ASSERT_TRUE(journal_->claim(run_row("r")));
  constexpr std::uint64_t many = 2 * kCompactEntriesMax + 10;
  Batch batch;
  for (std::uint64_t seq = 1; seq <= many; ++seq)
    batch.entries.push_back(
        entry("r", seq, seq == many ? Kind::snapshot : Kind::note, seq == many ? "" : "k"));
  ASSERT_TRUE(append_now(*journal_, std::move(batch)));
  EXPECT_EQ(journal_->compact("r", 0).value(), many - 1);
  EXPECT_THAT(seqs(journal_->history("r")), ElementsAre(many));
  EXPECT_THAT(faults(*journal_), IsEmpty());
}

TEST_P(CompactionTest, TakesOverOnlyWhatIsServed) {  // M14
  for (const auto* version : {"1", "2"}) {
    auto row = run_row(std::string("of ") + version);
    row.version = version;
    ASSERT_TRUE(journal_->claim(row));
  }
  // Another process of the node, or its heir.
  journal_.reset();
  journal_ = open();
  ASSERT_TRUE(journal_->membership()->join("n1", "", ""));
  std::vector<RunKind> waiting;
  auto serves = [](const RunKind& kind) { return kind.workflow == "recap" && kind.version == "2"; };
  auto taken = journal_->membership()->take_over_served(10, serves, &waiting);
  EXPECT_THAT(ids(taken), ElementsAre("of 2"));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].version, "1");
  EXPECT_EQ(waiting[0].runs, 1u);
  EXPECT_EQ(journal_->run("of 1").value()->epoch, 1u) << "nobody has touched it";
  EXPECT_EQ(journal_->run("of 2").value()->epoch, 2u);
  EXPECT_THAT(ids(journal_->membership()->take_over(10)), ElementsAre("of 1"));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, CompactionTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, CompactionTest, ::testing::Values(StoreKind::postgres));

// ---- the rules ----

Entry at_place(std::uint64_t seq, Kind kind, const std::string& key = "") {
  auto made = entry("r", seq, kind, key);
  made.lsn = seq;
  return made;
}

TEST(CompactedHistory, MayBeginWithASnapshotAndNothingElse) {
  RunRow row = run_row("r");
  row.epoch = 1;
  EXPECT_THAT(check_history(row, std::vector{at_place(7, Kind::snapshot), at_place(8, Kind::result, "a")}),
              IsEmpty());
  EXPECT_THAT(check_history(row, std::vector{at_place(7, Kind::result, "a")}),
              ElementsAre(HasSubstr("follows entry 0")));
  EXPECT_THAT(check_history(row, std::vector{at_place(7, Kind::snapshot), at_place(9, Kind::note)}),
              ElementsAre(HasSubstr("follows entry 7")));
}

TEST(CompactedHistory, NoChildIsUnderWayAtASnapshot) {
  RunRow row = run_row("r");
  row.epoch = 1;
  auto begun = at_place(1, Kind::child_start, "c"), rests = at_place(3, Kind::snapshot);
  EXPECT_THAT(check_history(row, std::vector{begun, at_place(2, Kind::note, "other"), rests}),
              ElementsAre(HasSubstr("while child c is under way")));
  EXPECT_THAT(check_history(row, std::vector{begun, at_place(2, Kind::child_end, "c"), rests}), IsEmpty());
  EXPECT_THAT(check_history(row, std::vector{begun, at_place(2, Kind::note, "c"), rests}), IsEmpty())
      << "it failed for now";
}

}  // namespace
}  // namespace troupe::journal
