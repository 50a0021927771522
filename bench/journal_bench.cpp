// Durable steps per second of the journal in both stores, beside what the disk, bare SQLite and bare
// PostgreSQL give in the same run. Prints `NAME VALUE UNIT` lines; an argument keeps the names that contain
// it. Figures of a shared machine: compare the lines of one run, not runs.
#include "runtime/base/clock.hpp"
#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/postgres_connection.hpp"
#include "tests/support/postgres_server.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr std::size_t kPayloadBytes = 300;
constexpr double kSeconds = 1.5;

void print(const std::string& name, double value, const char* unit) {
  fmt::print("{} {:.{}f} {}\n", name, value, value < 100 ? 2 : 0, unit);
  std::fflush(stdout);
}

class Stopwatch {
 public:
  double elapsed() const { return seconds(system_clock().now() - start_); }

 private:
  Instant start_ = system_clock().now();
};

/// The floor: one append of a step's size and one fdatasync each.
void bench_fdatasync(const std::string& folder) {
  int file = ::open((folder + "/floor").c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
  std::string bytes(4096, 'x');
  Stopwatch watch;
  int count = 0;
  for (; watch.elapsed() < kSeconds; ++count)
    if (write(file, bytes.data(), bytes.size()) < 0 || fdatasync(file) != 0) std::abort();
  print("journal.floor.fdatasync_4k", count / watch.elapsed(), "syncs/s");
  ::close(file);
}

/// SQLite alone in one thread: the same row, key and durability, `batch` rows in a transaction.
void bench_bare(const std::string& folder, int batch) {
  auto path = fmt::format("{}/bare{}.db", folder, batch);
  auto db = journal::Connection::open(path, journal::Connection::Mode::create).value();
  auto ready = db.execute(
      "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA wal_autocheckpoint=0; CREATE TABLE e(lsn INTEGER PRIMARY KEY, run INTEGER,"
      " seq INTEGER, k TEXT, at INTEGER, p BLOB); CREATE UNIQUE INDEX u ON e(run, seq);");
  auto insert = db.prepare("INSERT INTO e(run, seq, k, at, p) VALUES (?, ?, ?, ?, ?)").value();
  std::string payload(kPayloadBytes, 'p');
  Stopwatch watch;
  long rows = 0;
  while (ready && watch.elapsed() < kSeconds) {
    ready = db.execute("BEGIN IMMEDIATE");
    for (int i = 0; ready && i < batch; ++i, ++rows)
      ready = insert.with(rows % batch, rows / batch, "step/1", rows, journal::BlobView{payload}).run();
    if (ready) ready = db.execute("COMMIT");
  }
  print(fmt::format("journal.bare_sqlite.b{}", batch), static_cast<double>(rows) / watch.elapsed(),
        "steps/s");
}

/// PostgreSQL alone on one connection: the same row, key and durability, `batch` rows in a statement.
void bench_bare_postgres(const testing::PostgresServer& server, int batch) {
  using journal::PgColumn;
  auto db = journal::PgConnection::open({.conninfo = server.conninfo(), .schema = "public"}).value();
  auto ready = db.execute(
      "DROP TABLE IF EXISTS e; CREATE TABLE e(lsn int8 GENERATED ALWAYS AS IDENTITY, run int8, seq int8, k "
      "text,"
      " at int8, p bytea, PRIMARY KEY (run, seq))");
  constexpr std::string_view insert =
      "INSERT INTO e(run, seq, k, at, p) SELECT * FROM unnest($1::int8[], $2::int8[], $3::text[], $4::int8[],"
      " $5::bytea[])";
  PgColumn run(PgColumn::Type::integer), seq = run, at = run, key(PgColumn::Type::text),
                                         payload(PgColumn::Type::bytes);
  std::string bytes(kPayloadBytes, 'p');
  Stopwatch watch;
  long rows = 0;
  while (ready && watch.elapsed() < kSeconds) {
    for (auto* column : {&run, &seq, &at, &key, &payload}) column->clear();
    for (int i = 0; i < batch; ++i, ++rows) {
      run.add(rows % batch), seq.add(rows / batch), at.add(rows);
      key.add(std::string_view("step/1")), payload.add(std::string_view(bytes));
    }
    if (!db.query(insert, journal::PgParams::of(run, seq, key, at, payload))) std::abort();
  }
  print(fmt::format("journal.bare_postgres.b{}", batch), static_cast<double>(rows) / watch.elapsed(),
        "steps/s");
}

/// N runs, each with one step in flight. Acknowledgements go to one thread that sends the next steps, as an
/// actor scheduler would; waking N threads would measure the kernel.
class ClosedLoop {
 public:
  ClosedLoop(journal::Journal& journal, std::size_t runs) : journal_(journal), state_(runs) {
    for (std::size_t i = 0; i < runs; ++i) {
      journal::RunRow row;
      row.run_id = fmt::format("run-{:06}", i);
      row.workflow = "bench";
      state_[i].epoch = journal.claim(row).value().epoch;
      state_[i].id = row.run_id;
    }
  }

  void run(const std::string& name) {
    Stopwatch watch;
    for (std::size_t i = 0; i < state_.size(); ++i) send(i);
    std::vector<std::size_t> ready;
    while (in_flight_ > 0) {
      take(ready);
      bool more = watch.elapsed() < kSeconds;
      for (auto run : ready) receive(run, more);
    }
    auto steps = static_cast<double>(waits_.size());
    print(name, steps / watch.elapsed(), "steps/s");
    std::ranges::sort(waits_);
    print(name + ".p50", waits_[waits_.size() / 2] * 1e3, "ms");
    print(name + ".p99", waits_[waits_.size() * 99 / 100] * 1e3, "ms");
  }

 private:
  struct Run {
    std::string id;
    std::uint64_t epoch = 0, seq = 0;
    Instant sent;
  };

  void send(std::size_t run) {
    auto& state = state_[run];
    journal::Entry entry;
    entry.run_id = state.id;
    entry.seq = ++state.seq;
    entry.kind = journal::Kind::result;
    entry.step_key = fmt::format("step/{}", state.seq);
    entry.epoch = state.epoch;
    entry.payload.assign(kPayloadBytes, 'p');
    journal::Batch batch;
    batch.entries.push_back(std::move(entry));
    state.sent = system_clock().now();
    ++in_flight_;
    journal_.append(std::move(batch), [this, run](Result<void> answer) { acknowledge(run, answer); });
  }

  void acknowledge(std::size_t run, const Result<void>& answer) {
    if (!answer) std::abort();
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      first = acknowledged_.empty();
      acknowledged_.push_back(run);
    }
    if (first) wake_.notify_one();
  }

  void take(std::vector<std::size_t>& ready) {
    ready.clear();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !acknowledged_.empty(); });
    ready.swap(acknowledged_);
  }

  void receive(std::size_t run, bool more) {
    --in_flight_;
    waits_.push_back(seconds(system_clock().now() - state_[run].sent));
    if (more) send(run);
  }

  journal::Journal& journal_;
  std::vector<Run> state_;
  std::vector<double> waits_;
  std::size_t in_flight_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::size_t> acknowledged_;
};

void bench_journal(const std::string& folder, std::size_t runs, bool power_safe) {
  auto name = fmt::format("journal.sqlite{}.c{}", power_safe ? "" : "_crash_safe", runs);
  auto journal =
      journal::open_sqlite({.path = fmt::format("{}/{}.db", folder, name), .power_safe = power_safe});
  if (!journal) std::abort();
  ClosedLoop(**journal, runs).run(name);
}

void bench_postgres(const testing::PostgresServer& server, std::size_t runs) {
  auto name = fmt::format("journal.postgres.c{}", runs);
  auto journal = journal::open_postgres(
      {.conninfo = server.conninfo(), .schema = fmt::format("c{}", runs), .node = "bench"});
  if (!journal) std::abort();
  ClosedLoop(**journal, runs).run(name);
}

/// What taking a run over costs: reading a history of 1000 steps back.
void bench_history(const std::string& folder) {
  auto journal = journal::open_sqlite({.path = folder + "/history.db"}).value();
  journal::RunRow row;
  row.run_id = "r";
  auto epoch = journal->claim(row).value().epoch;
  journal::Batch batch;
  for (std::uint64_t seq = 1; seq <= 1000; ++seq)
    batch.entries.push_back({.run_id = "r",
                             .seq = seq,
                             .kind = journal::Kind::signal_in,
                             .epoch = epoch,
                             .payload = std::string(kPayloadBytes, 'p')});
  journal->append(std::move(batch), {});
  // A claim is answered after everything queued before it.
  if (!journal->claim(row)) std::abort();
  Stopwatch watch;
  std::size_t rows = 0;
  while (watch.elapsed() < 0.5) rows += journal->history("r").value().size();
  print("journal.sqlite.history", static_cast<double>(rows) / watch.elapsed(), "entries/s");
}

constexpr std::size_t kConcurrent[] = {1, 8, 64, 100, 512};

/// On the disk of `folder`, with fsync and synchronous_commit on: what is acknowledged survives power loss as
/// far as the disk tells the truth.
template <class Wanted>
void run_postgres(const std::string& folder, Wanted wanted) {
  bool any = false;
  for (int batch : {1, 64, 512}) any = any || wanted(fmt::format("journal.bare_postgres.b{}", batch));
  for (auto runs : kConcurrent) any = any || wanted(fmt::format("journal.postgres.c{}", runs));
  if (!any) return;
  // The server runs as a user of its own.
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  testing::PostgresServer server(folder);
  if (!server.available()) {
    fmt::print(stderr, "{}\n", testing::PostgresServer::why_not());
    return;
  }
  for (int batch : {1, 64, 512})
    if (wanted(fmt::format("journal.bare_postgres.b{}", batch))) bench_bare_postgres(server, batch);
  for (auto runs : kConcurrent)
    if (wanted(fmt::format("journal.postgres.c{}", runs))) bench_postgres(server, runs);
}

int run_benchmarks(const std::string& filter) {
  // Beside the program rather than in /tmp, which may be memory.
  std::string folder = (std::filesystem::current_path() / "journal_bench_XXXXXX").string();
  if (!mkdtemp(folder.data())) return 1;
  auto wanted = [&](const std::string& name) { return name.find(filter) != std::string::npos; };
  if (wanted("journal.floor.fdatasync_4k")) bench_fdatasync(folder);
  for (int batch : {1, 64, 512})
    if (wanted(fmt::format("journal.bare_sqlite.b{}", batch))) bench_bare(folder, batch);
  for (auto runs : kConcurrent)
    if (wanted(fmt::format("journal.sqlite.c{}", runs))) bench_journal(folder, runs, true);
  if (wanted("journal.sqlite_crash_safe.c1")) bench_journal(folder, 1, false);
  if (wanted("journal.sqlite.history")) bench_history(folder);
  run_postgres(folder, wanted);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  std::string filter = argc > 1 ? argv[1] : "";
  return filter.empty() || filter.starts_with("journal") ? troupe::run_benchmarks(filter) : 0;
}
