// What runs of each durability class lose when a process is killed, the power goes or the database's server
// crashes: crash runs their newest commits at most, power runs nothing.
#include "tests/journal/postgres_support.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/journal/database.hpp"
#include "tests/support/faulty_vfs.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <optional>

namespace troupe::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::FaultyDisk;

RunRow row_of_class(const std::string& id, Durability durability) {
  auto row = run_row(id);
  row.durability = durability;
  return row;
}

Batch batch_of_class(Entry e, Durability durability) {
  auto batch = batch_of(std::move(e));
  batch.durability = durability;
  return batch;
}

// ---- both stores ----

class DurabilityStoreTest : public StoreTest {
 protected:
  /// Claims a crash run and appends to it for ever, reporting each acknowledgement.
  [[noreturn]] void append_until_killed(int report) {
    auto journal = open();
    if (!journal || !journal->claim(row_of_class("c", Durability::crash))) _exit(4);
    for (std::uint64_t seq = 1;; ++seq) {
      auto written = append_now(*journal, batch_of_class(entry("c", seq), Durability::crash));
      if (!written || write(report, &seq, sizeof seq) != sizeof seq) _exit(5);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Sqlite, DurabilityStoreTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, DurabilityStoreTest, ::testing::Values(StoreKind::postgres));

TEST_P(DurabilityStoreTest, ARunKeepsTheClassItBeganWith) {
  auto journal = open();
  ASSERT_TRUE(journal->claim(row_of_class("c", Durability::crash)));
  ASSERT_TRUE(journal->claim(row_of_class("p", Durability::power)));
  ASSERT_TRUE(journal->claim(run_row("old")));
  auto claimed = journal->claim(row_of_class("c", Durability::power));
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->durability, Durability::crash) << "whoever takes it over learns it";
  claimed->durability = Durability::power;
  auto update = batch_of(entry("c", 1, Kind::start, "", claimed->epoch));
  update.run = *claimed;
  ASSERT_TRUE(append_now(*journal, update));
  EXPECT_EQ(journal->run("c").value()->durability, Durability::crash);
  EXPECT_EQ(open_readonly()->run("p").value()->durability, Durability::power);
  EXPECT_EQ(journal->run("old").value()->durability, Durability::unsaid) << "nobody said";
}

TEST_P(DurabilityStoreTest, AKillTakesNothingOfACrashRun) {
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  auto child = fork();
  if (child == 0) append_until_killed(ends[1]);
  close(ends[1]);
  std::uint64_t acknowledged = 0, seq = 0;
  while (read(ends[0], &seq, sizeof seq) == sizeof seq) {
    acknowledged = seq;
    if (seq == 200) kill(child, SIGKILL);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  ASSERT_GE(acknowledged, 200u);
  auto journal = open();
  EXPECT_GE(journal->history("c")->size(), acknowledged);
  EXPECT_THAT(faults(*journal), IsEmpty());
}

TEST_P(DurabilityStoreTest, ARefusedBatchOfOneClassLeavesTheOthersOfItsCommitAlone) {
  auto journal = open();
  for (auto [id, durability] : {std::pair("c", Durability::crash), std::pair("p", Durability::power)})
    ASSERT_TRUE(journal->claim(row_of_class(id, durability)));
  std::promise<Result<void>> refused, good;
  journal->append(batch_of_class(entry("c", 7), Durability::crash),
                  [&](Result<void> answer) { refused.set_value(std::move(answer)); });
  journal->append(batch_of_class(entry("p", 1), Durability::power),
                  [&](Result<void> answer) { good.set_value(std::move(answer)); });
  EXPECT_FALSE(refused.get_future().get());
  EXPECT_TRUE(good.get_future().get());
  EXPECT_EQ(journal->history("p")->size(), 1u);
}

// ---- SQLite, on a disk that counts its syncs and loses what was not synced ----

class DurabilityDiskTest : public JournalTest {
 protected:
  DurabilityDiskTest() {
    troupe::testing::FaultyVfs::install();
    disk_.emplace(folder_);
  }
  void TearDown() override { journal_.reset(); }

  void begin(bool power_safe = true) {
    auto with = config();
    with.power_safe = power_safe;
    journal_ = open(with);
    ASSERT_TRUE(journal_);
    for (auto [id, durability] : classes())
      if (auto row = journal_->claim(row_of_class(id, durability))) epochs_[id] = row->epoch;
    for (auto [id, durability] : classes()) written_[id] = journal_->history(id)->size();
  }
  static std::vector<std::pair<std::string, Durability>> classes() {
    return {{"c", Durability::crash}, {"p", Durability::power}};
  }
  Batch next(const std::string& run) {
    auto e = entry(run, ++written_[run], Kind::signal_in, "k", epochs_[run]);
    return batch_of_class(std::move(e), run == "c" ? Durability::crash : Durability::power);
  }
  /// Syncs between the append and its acknowledgement.
  std::uint64_t syncs_of(const std::string& run) {
    auto before = disk_->counts().syncs;
    std::promise<std::uint64_t> after;
    journal_->append(next(run), [&](Result<void> answer) {
      EXPECT_TRUE(answer);
      after.set_value(disk_->counts().syncs);
    });
    return after.get_future().get() - before;
  }
  std::uint64_t kept(const std::string& run) { return journal_->history(run)->size(); }
  void lose_power(Rng& rng) {
    disk_->turn_off();
    journal_.reset();
    disk_->turn_on_after_power_loss(rng);
  }

  std::optional<FaultyDisk> disk_;
  std::unique_ptr<Journal> journal_;
  std::map<std::string, std::uint64_t> epochs_, written_;
};

TEST_F(DurabilityDiskTest, APowerRunHearsAfterASyncAndACrashRunWithoutOne) {
  begin();
  for (int round = 0; round < 20; ++round) {
    EXPECT_GE(syncs_of("p"), 1u) << round;
    EXPECT_EQ(syncs_of("c"), 0u) << round;
    EXPECT_EQ(syncs_of("c"), 0u) << round;
  }
}

TEST_F(DurabilityDiskTest, WithoutPowerSafetyNobodyWaits) {
  begin(false);
  for (int round = 0; round < 5; ++round) EXPECT_EQ(syncs_of("p") + syncs_of("c"), 0u);
}

TEST_F(DurabilityDiskTest, ASyncedCommitTakesAllBeforeItAlong) {
  Rng rng(1);
  begin();
  for (int i = 0; i < 30; ++i) (void)syncs_of("c");
  (void)syncs_of("p");
  lose_power(rng);
  begin();
  EXPECT_EQ(kept("c"), 30u);
  EXPECT_EQ(kept("p"), 1u);
}

TEST_F(DurabilityDiskTest, WorkBesideTheBatchesWaits) {
  begin();
  (void)syncs_of("c");
  auto before = disk_->counts().syncs;
  ASSERT_TRUE(journal_->post({"c", "word", 7, "null", {1}}));
  EXPECT_GT(disk_->counts().syncs, before) << "whoever posted a signal was told that it is safe";
}

/// Batches of both classes at random, some of them in one commit, and a power loss at some point.
class DurabilityPowerTest : public DurabilityDiskTest {
 protected:
  struct Told {
    std::uint64_t acknowledged = 0, safe = 0;
  };
  void write_some(Rng& rng) {
    std::vector<std::pair<std::string, std::future<bool>>> open;
    for (auto count = 1 + rng.below(4); count > 0; --count) {
      std::string run = rng.below(4) == 0 ? "p" : "c";
      auto answered = std::make_shared<std::promise<bool>>();
      open.emplace_back(run, answered->get_future());
      journal_->append(next(run),
                       [answered](Result<void> answer) { answered->set_value(answer.has_value()); });
    }
    for (auto& [run, answer] : open)
      if (answer.get()) note(run);
  }
  void note(const std::string& run) {
    ++told_[run].acknowledged;
    if (run != "p") return;
    for (auto& [id, told] : told_) told.safe = told.acknowledged;
  }
  void look() {
    begin();
    for (auto& [run, told] : told_) {
      EXPECT_GE(kept(run), told.safe) << run << ": a later commit had been synced";
      if (kept(run) < told.acknowledged) lost_[run] += told.acknowledged - kept(run);
      told = {kept(run), kept(run)};
    }
    EXPECT_THAT(faults(*journal_), IsEmpty());
  }
  std::map<std::string, Told> told_;
  std::map<std::string, std::uint64_t> lost_;
};

TEST_F(DurabilityPowerTest, APowerLossTakesTheTailOfCrashRunsAtMostAndOfPowerRunsNothing) {
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    told_ = {{"c", {}}, {"p", {}}};
    for (auto& [run, told] : told_) told = {written_[run], written_[run]};
    begin();
    if (rng.below(3) > 0) disk_->turn_off_after(rng.below(80));
    for (auto count = rng.below(20); count > 0; --count) write_some(rng);
    acknowledged += told_["c"].acknowledged + told_["p"].acknowledged;
    lose_power(rng);
    look();
    journal_.reset();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_EQ(lost_["p"], 0u);
  EXPECT_GT(lost_["c"], 0u) << "or the class would not be worth its price";
  std::printf("power loss: %llu entries of crash runs lost, none of power runs\n",
              static_cast<unsigned long long>(lost_["c"]));
}

// ---- PostgreSQL, whose server crashes under a node that goes on ----

class PostgresDurabilityTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    // Else the server's own writer may have saved everything by the time of the crash.
    execute("ALTER SYSTEM SET wal_writer_delay = '10s'");
    execute("SELECT pg_reload_conf()");
  }
  void TearDown() override {
    if (IsSkipped()) return;
    if (!server().available()) server().start();
    execute("ALTER SYSTEM RESET wal_writer_delay");
    execute("SELECT pg_reload_conf()");
  }
  static void crash() {
    server().stop(SIGQUIT);
    server().start();
  }
  /// Appends `count` entries after the run's `last`.
  static void write(Journal& journal, const std::string& run, std::uint64_t last, std::uint64_t count,
                    std::uint64_t epoch = 1) {
    auto durability = run.starts_with("c") ? Durability::crash : Durability::power;
    for (auto seq = last + 1; seq <= last + count; ++seq)
      ASSERT_TRUE(append_now(journal, batch_of_class(entry(run, seq, Kind::note, "k", epoch), durability)));
  }
};

TEST_F(PostgresDurabilityTest, AServersCrashTakesTheTailOfCrashRunsAtMostAndOfPowerRunsNothing) {
  std::uint64_t lost = 0;
  auto journal = open("a");
  for (int round = 0; round < 6 && lost == 0; ++round) {
    auto c = "c" + std::to_string(round), p = "p" + std::to_string(round);
    ASSERT_TRUE(journal->claim(row_of_class(c, Durability::crash)));
    ASSERT_TRUE(journal->claim(row_of_class(p, Durability::power)));
    write(*journal, c, 0, 20);
    write(*journal, p, 0, 5);
    crash();
    EXPECT_EQ(journal->history(c)->size(), 20u) << "a later commit of the other class was synced";
    EXPECT_EQ(journal->history(p)->size(), 5u);
    write(*journal, c, 20, 40);
    crash();
    // The node goes on, with more in memory than the store has; another run is the first to notice.
    write(*journal, p, 5, 1);
    auto kept = open_postgres_readonly(config("")).value()->history(c)->size();
    EXPECT_GE(kept, 20u);
    EXPECT_LE(kept, 60u);
    auto further = append_now(*journal, batch_of_class(entry(c, 61, Kind::note), Durability::crash));
    EXPECT_EQ(further.has_value(), kept == 60u) << "no history has a hole";
    EXPECT_EQ(journal->history(p)->size(), 6u);
    EXPECT_THAT(faults(*journal), IsEmpty());
    lost += 60 - kept;
  }
  EXPECT_GT(lost, 0u) << "or the class would not be worth its price";
}

TEST_F(PostgresDurabilityTest, ARaisedEpochSurvivesWhateverTheClass) {
  auto lax = config("a");
  lax.power_safe = false;
  auto journal = open(lax);
  for (int round = 0; round < 4; ++round) {
    auto c = "c" + std::to_string(round);
    ASSERT_TRUE(journal->claim(row_of_class(c, Durability::crash)));
    write(*journal, c, 0, 3);
    ASSERT_EQ(journal->claim(row_of_class(c, Durability::crash))->epoch, 2u);
    crash();
    EXPECT_EQ(open_postgres_readonly(config("")).value()->run(c).value()->epoch, 2u) << c;
    EXPECT_TRUE(append_now(*journal, entry(c, 4, Kind::note, "k", 2)));
  }
}

TEST_F(PostgresDurabilityTest, AnOlderSchemaIsGivenTheClassByTheNextNode) {
  (void)open("n1")->claim(row_of_class("a", Durability::crash));
  execute("ALTER TABLE run DROP COLUMN durability; UPDATE meta SET version = 4");
  auto reading = open_postgres_readonly(config(""));
  ASSERT_FALSE(reading);
  EXPECT_THAT(reading.error().what, HasSubstr("version 4"));
  auto journal = open("n1");
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->run("a").value()->durability, Durability::unsaid);
  EXPECT_EQ(journal->claim(row_of_class("b", Durability::crash))->durability, Durability::crash);
}

// ---- files from before there were classes ----

class DurabilityFileTest : public JournalTest {};

TEST_F(DurabilityFileTest, AnOlderFileIsReadAndGivenTheClass) {
  { ASSERT_TRUE(open()->claim(row_of_class("a", Durability::crash))); }
  {
    auto connection = Connection::open(path(), Connection::Mode::write);
    ASSERT_TRUE(connection &&
                connection->execute("ALTER TABLE run DROP COLUMN durability; PRAGMA user_version=8"));
  }
  auto reading = open_sqlite_readonly(path()).value();
  EXPECT_EQ(reading->run("a").value()->durability, Durability::unsaid);
  reading.reset();
  auto journal = open();
  ASSERT_TRUE(journal->claim(row_of_class("b", Durability::crash)));
  EXPECT_THAT(ids(journal->runs(10)), ElementsAre("b", "a"));
  EXPECT_EQ(journal->run("b").value()->durability, Durability::crash);
}

}  // namespace
}  // namespace troupe::journal
