// Durable history of runs: the one interface behind which SQLite (and later PostgreSQL) keep it (RUNTIME 5.2).
#pragma once

#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::journal {

/// What a journal entry records. Numbers are stored: never renumber.
enum class Kind : std::uint8_t {
  start = 1,
  intent = 2,
  result = 3,
  failure = 4,
  timer_set = 5,
  timer_fired = 6,
  signal_in = 7,
  cancel = 8,
  done = 9,
};
const char* to_string(Kind kind);

struct Entry {
  std::string run_id;
  /// Dense from 1 within a run; the (run, seq) pair is unique, so a second writer is refused.
  std::uint64_t seq = 0;
  Kind kind = Kind::start;
  /// Empty for start, cancel and done.
  std::string step_key;
  /// Hash of the step's input: guards against a key being reused for something else.
  std::uint64_t input_hash = 0;
  /// The lease epoch this was written under.
  std::uint64_t epoch = 0;
  std::uint32_t attempt = 0;
  WallTime at;
  std::string payload;
  /// Filled when read.
  std::uint64_t lsn = 0;
};

enum class RunState : std::uint8_t { running = 1, done = 2, failed = 3, cancelled = 4 };
const char* to_string(RunState state);

struct RunRow {
  std::string run_id;
  std::string workflow;
  RunState state = RunState::running;
  /// JSON: what the workflow was started with.
  std::string input;
  /// JSON result, or the error as text.
  std::string output;
  std::string tenant = "default";
  std::string node;
  std::uint64_t epoch = 0;
  WallTime created, finished;
  double usd = 0;
  std::int64_t tokens_in = 0, tokens_out = 0;
};

/// One attempt's line in the ledger. (run, step, attempt, endpoint, started) identifies it: writing twice counts once.
struct UsageRow {
  std::string run_id, step_key;
  std::uint32_t attempt = 0;
  std::string feature, tenant, model, endpoint, cause, error, node;
  Usage usage;
  double usd = 0;
  WallTime started;
  Duration ttft{}, total{};
};

/// One change of a breaker, kept for history and for restarts (a cool-down outlives its process).
struct BreakerRow {
  std::string endpoint, node, from, to, reason, detail;
  WallTime at, cool_until;
  double share = 1;
};

/// Everything one commit makes durable together.
struct Batch {
  std::vector<Entry> entries;
  std::vector<UsageRow> usage;
  std::vector<BreakerRow> breakers;
  /// Inserted or updated by run_id.
  std::optional<RunRow> run;
};

/// Called once, on the committer's thread. On error nothing of the batch is durable, except after Errc::storage,
/// when the outcome is unknown until the run is read again.
using Committed = std::function<void(Result<void>)>;

struct UsageFilter {
  std::string run_id;       ///< empty: all
  WallTime since;
};
/// Sums of the ledger under one key.
struct CostRow {
  std::string key;
  std::uint64_t attempts = 0, failed = 0;
  Usage usage;
  double usd = 0;
};

/// Thread-safe. Reads run on the caller's thread and see everything acknowledged before.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Queues a batch for the next group commit. `committed` fires after the disk has it.
  /// A Batch whose entries repeat a (run, seq), or carry an epoch older than the run's, fails with `storage` and
  /// leaves the other batches of the same commit untouched.
  virtual void append(Batch batch, Committed committed) = 0;

  /// Creates the run if it is new, else takes it over: bumps its epoch and returns the row with the new epoch, so that
  /// a writer from before is fenced. `row.epoch` is ignored.
  virtual Result<RunRow> claim(RunRow row) = 0;
  virtual Result<std::optional<RunRow>> run(const std::string& run_id) = 0;
  virtual Result<std::vector<RunRow>> runs(std::size_t limit) = 0;
  /// In seq order.
  virtual Result<std::vector<Entry>> history(const std::string& run_id) = 0;
  virtual Result<std::vector<UsageRow>> usage(const UsageFilter& filter) = 0;
  /// `by`: feature, tenant, model, endpoint, cause or run; invalid_input otherwise. Most expensive first.
  virtual Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) = 0;
  virtual Result<std::vector<BreakerRow>> breakers(WallTime since) = 0;
  /// Checks the invariants of RUNTIME 4.3 over everything stored; empty when all hold.
  virtual Result<std::vector<std::string>> check() = 0;
};

struct SqliteConfig {
  /// The file; created with its folder. ":memory:" is refused: it would not be a journal.
  std::string path;
  /// Off: synchronous=NORMAL, which survives kill -9 but not power loss.
  bool power_safe = true;
  std::size_t batch_entries_max = 1024;
  std::size_t payload_bytes_max = 16u << 20;
};

/// Fails with `storage` when the file cannot be opened, is no journal, is of a newer version, or another process
/// is writing to it (one writer per file: an flock beside it, refused with a clear text naming the holder's pid).
Result<std::unique_ptr<Journal>> open_sqlite(SqliteConfig config);
/// For looking only; works while another process writes. append and claim fail with `unsupported`.
Result<std::unique_ptr<Journal>> open_sqlite_readonly(const std::string& path);

}  // namespace troupe::journal
