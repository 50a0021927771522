// What survives a crash: processes killed at random moments, disks that fill up, logs that must not grow for
// ever.
#include "tests/journal/journal_support.hpp"

#include "runtime/base/rng.hpp"

#include <gmock/gmock.h>

#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <thread>

namespace troupe::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Acknowledged {
  std::uint32_t run;
  std::uint32_t seq;
};

std::string crash_run(std::uint32_t run) { return "run" + std::to_string(run); }

/// Appends to four runs for ever, one entry of each in flight, and reports each acknowledgement on `report`.
[[noreturn]] void append_for_ever(const SqliteConfig& config, int report) {
  auto journal = open_sqlite(config);
  if (!journal) _exit(3);
  std::array<std::thread, 4> producers;
  for (std::uint32_t run = 0; run < producers.size(); ++run)
    producers[run] = std::thread([&, run] {
      auto row = (*journal)->claim(run_row(crash_run(run)));
      if (!row) _exit(4);
      auto last = (*journal)->history(crash_run(run));
      for (auto seq = static_cast<std::uint32_t>(last->size() + 1);; ++seq) {
        auto written = append_now(**journal, entry(crash_run(run), seq, Kind::signal_in, "k", row->epoch));
        Acknowledged fact{run, seq};
        if (!written || write(report, &fact, sizeof fact) != sizeof fact) _exit(5);
      }
    });
  for (auto& producer : producers) producer.join();
  _exit(6);
}

/// Lets a child write, kills it after `count` acknowledgements, and answers the highest acknowledged seq of
/// each run.
std::map<std::uint32_t, std::uint32_t> crash_after(const SqliteConfig& config, std::uint64_t count) {
  int ends[2] = {};
  if (pipe(ends) != 0) return {};
  auto child = fork();
  if (child == 0) append_for_ever(config, ends[1]);
  close(ends[1]);
  std::map<std::uint32_t, std::uint32_t> acknowledged;
  Acknowledged fact{};
  for (std::uint64_t seen = 0; read(ends[0], &fact, sizeof fact) == sizeof fact; ++seen) {
    if (seen == count) kill(child, SIGKILL);
    acknowledged[fact.run] = std::max(acknowledged[fact.run], fact.seq);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  return acknowledged;
}

class CrashTest : public JournalTest {
 protected:
  void expect_all_kept(const std::map<std::uint32_t, std::uint32_t>& acknowledged) {
    auto journal = open();
    ASSERT_TRUE(journal);
    for (auto [run, seq] : acknowledged)
      EXPECT_GE(journal->history(crash_run(run))->size(), seq) << crash_run(run);
    EXPECT_THAT(faults(*journal), IsEmpty());
  }
};

TEST_F(CrashTest, EveryAcknowledgedEntrySurvivesKill) {  // M12, O3
  Rng rng(20261122);
  for (int round = 0; round < 25; ++round) {
    auto acknowledged = crash_after(config(), rng.below(200));
    ASSERT_FALSE(acknowledged.empty());
    expect_all_kept(acknowledged);
    if (HasFailure()) return;
  }
}

TEST_F(CrashTest, KillInTheMiddleOfCheckpointsLosesNothing) {
  auto small_log = config();
  small_log.wal_bytes_max = 64u << 10;
  Rng rng(7);
  for (int round = 0; round < 5; ++round) {
    auto acknowledged = crash_after(small_log, 100 + rng.below(300));
    expect_all_kept(acknowledged);
    if (HasFailure()) return;
  }
}

TEST_F(CrashTest, KillAlsoSparesWhatIsOnlyCrashSafe) {
  auto crash_safe = config();
  crash_safe.power_safe = false;
  for (std::uint64_t count : {10, 100, 1000}) expect_all_kept(crash_after(crash_safe, count));
}

TEST_F(CrashTest, AReaderSeesAKilledWritersJournal) {
  auto acknowledged = crash_after(config(), 50);
  auto reader = open_sqlite_readonly(path());
  ASSERT_TRUE(reader) << reader.error().what;
  for (auto [run, seq] : acknowledged) EXPECT_GE((*reader)->history(crash_run(run))->size(), seq);
}

/// Writes 32 KiB entries until one fails, then once more; answers 0 when both failed with `storage` and the
/// rest held.
int fill_up(Journal& journal, std::uint64_t& kept) {
  if (!journal.claim(run_row("r"))) return 1;
  Result<void> written;
  for (kept = 0; written && kept < 4096; ++kept) {
    auto big = entry("r", kept + 1);
    big.payload = std::string(32 << 10, static_cast<char>('a' + kept % 26)) + std::to_string(kept);
    written = append_now(journal, big);
  }
  --kept;
  if (written || written.error().code != Errc::storage) return 2;
  auto after = append_now(journal, entry("r", kept + 1));
  if (after || after.error().code != Errc::storage) return 3;
  return 0;
}

TEST_F(CrashTest, AFullDiskFailsUntilReopenedAndKeepsWhatItAcknowledged) {
  auto limited = config();
  limited.file_bytes_max = 2u << 20;
  std::uint64_t kept = 0;
  {
    auto journal = open(limited);
    EXPECT_EQ(fill_up(*journal, kept), 0);
    auto error = append_now(*journal, entry("r", kept + 1));
    EXPECT_THAT(error.error().what, HasSubstr("disk is full"));
    EXPECT_EQ(journal->history("r")->size(), kept) << "what was acknowledged can still be read";
  }
  ASSERT_GT(kept, 10u);
  auto journal = open();
  EXPECT_EQ(journal->history("r")->size(), kept);
  EXPECT_THAT(faults(*journal), IsEmpty());
  EXPECT_TRUE(append_now(*journal, entry("r", kept + 1))) << "with room again it goes on";
}

TEST_F(CrashTest, AFailingDiskNeverAcknowledges) {
  std::uint64_t kept = 0;
  int report[2] = {};
  ASSERT_EQ(pipe(report), 0);
  int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    auto journal = open_sqlite(config());
    if (!journal) return 10;
    rlimit limit{1u << 20, 1u << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 11;
    auto answer = fill_up(**journal, kept);
    bool told = write(report[1], &kept, sizeof kept) == sizeof kept;
    return told ? answer : 12;
  });
  EXPECT_EQ(status, 0);
  ASSERT_EQ(read(report[0], &kept, sizeof kept), static_cast<ssize_t>(sizeof kept));
  close(report[0]);
  close(report[1]);
  auto journal = open();
  EXPECT_GE(journal->history("r")->size(), kept);
  EXPECT_THAT(faults(*journal), IsEmpty());
}

/// Largest size the write-ahead log had while 16 MiB went through it.
std::uintmax_t largest_log(const SqliteConfig& config) {
  auto journal = open_sqlite(config).value();
  if (!journal->claim(run_row("r"))) return 0;
  std::uintmax_t largest = 0;
  for (std::uint64_t seq = 1; seq <= 512; ++seq) {
    auto e = entry("r", seq);
    e.payload = std::string(32 << 10, 'x') + std::to_string(seq);
    EXPECT_TRUE(append_now(*journal, e));
    largest = std::max(largest, std::filesystem::file_size(config.path + "-wal"));
  }
  return largest;
}

TEST_F(CrashTest, TheLogStaysShortWhileWriting) {
  auto bounded = config();
  bounded.power_safe = false;
  bounded.wal_bytes_max = 256u << 10;
  EXPECT_LT(largest_log(bounded), 8u << 20);
  auto unbounded = bounded;
  unbounded.path = path("other.db");
  unbounded.wal_bytes_max = 1u << 30;
  EXPECT_GT(largest_log(unbounded), 16u << 20) << "without checkpoints it holds everything";
}

TEST_F(CrashTest, ClosingLeavesOneWholeFile) {
  { ASSERT_TRUE(open()->claim(run_row("r"))); }
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
  EXPECT_TRUE(open_sqlite_readonly(path()).value()->run("r").value().has_value());
}

}  // namespace
}  // namespace troupe::journal
