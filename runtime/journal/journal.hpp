// Durable history of runs: the one interface behind which SQLite and PostgreSQL keep it
// (RUNTIME 5.2).
#pragma once

#include "runtime/journal/feedback_row.hpp"
#include "runtime/journal/signal_row.hpp"

#include <troupe/durability.hpp>
#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {
class Clock;
}

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
  /// A run this one started, under a key of its own; and how it ended: once for each key.
  child_start = 10,
  child_end = 11,
  /// The code version a run goes on with from here.
  version_mark = 12,
  /// Progress of whoever drives the run; opaque here.
  note = 13,
  /// All that is needed to go on from here: entries before it may be compacted.
  snapshot = 14,
};
const char* to_string(Kind kind);

struct Entry {
  std::string run_id;
  /// Dense from 1 within a run; the (run, seq) pair is unique, so a second writer is refused. A compacted
  /// history begins with a snapshot instead.
  std::uint64_t seq = 0;
  Kind kind = Kind::start;
  /// Empty for start, cancel and done.
  std::string step_key;
  /// Hash of the step's input: guards against a key being reused for something else.
  std::uint64_t input_hash = 0;
  /// The lease epoch this was written under.
  std::uint64_t epoch = 0;
  /// From 1 for a step with effects outside the run, which writes its intent before it acts; 0 for a pure
  /// step, whose result needs no intent. check() holds results to this.
  std::uint32_t attempt = 0;
  WallTime at;
  /// Opaque bytes. Equal payloads above 8 KiB are stored once, however many entries of whichever runs carry
  /// them.
  std::string payload;
  /// Position in the whole journal, growing in commit order. Filled when read.
  std::uint64_t lsn = 0;
};

/// RunRow::wake of a run that only a signal wakes.
inline constexpr WallTime kWakeBySignal{INT64_MAX};

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
  /// Id of the run that started it; empty: nobody's child.
  std::string parent;
  /// JSON: its caps; empty: none.
  std::string budget;
  /// The code version pinned at its start.
  std::string version;
  /// A parked run wants to be woken then; 0: it is not parked. A run that has ended is never parked.
  WallTime wake;
  /// Kept from its first claim on. It says how a new run's claim is committed; what follows says so itself
  /// (Batch::durability).
  Durability durability = Durability::unsaid;
};

/// What runs() is asked for; an empty text or no state asks for all.
struct RunFilter {
  std::optional<RunState> state;
  std::string workflow, parent, tenant;
};

/// One attempt's line in the ledger. (run, step, attempt, endpoint, started) identifies it: writing twice
/// counts once.
struct UsageRow {
  std::string run_id, step_key;
  std::uint32_t attempt = 0;
  std::string feature, tenant, model, endpoint, cause, error, node;
  Usage usage;
  double usd = 0;
  WallTime started;
  Duration ttft{}, total{};
  /// AttemptRecord::price and unit_hours: old rows keep their price (I5). Empty and 0 in rows from before
  /// there were any.
  std::string price;
  double unit_hours = 0;
};

/// One change of a breaker, kept for history.
struct BreakerRow {
  std::string endpoint, node, from, to, reason, detail;
  WallTime at, cool_until;
  double share = 1;
};

/// What a breaker takes along over a restart. One per endpoint: the newest replaces what was there (F13).
struct BreakerMemoryRow {
  std::string endpoint, node;
  /// policy::to_text of its memory.
  std::string memory;
  WallTime at;
};

/// One order of an operator or of a rollout: what is in force after a restart, and the audit trail (C15, B9).
struct ControlRow {
  /// "stop", "flag", "share": the writer's words, with the name of what it is about.
  std::string kind, subject;
  /// The order among writers (policy::Stamp).
  std::uint64_t epoch = 0;
  std::string node;
  /// JSON: the order itself.
  std::string body;
  std::string who, why;
  WallTime at;
};

/// A unit has been shown an arm. (experiment, version, unit) identifies it: the first is kept.
struct ExposureRow {
  std::string experiment;
  std::uint64_t version = 0;
  std::string arm;
  /// A hash; it names nobody.
  std::uint64_t unit = 0;
  std::string decision, node;
  WallTime at;
};
/// Units of one arm.
struct ExposureCount {
  std::string experiment;
  std::uint64_t version = 0;
  std::string arm;
  std::uint64_t units = 0;
  WallTime first, last;
};

/// Everything one commit makes durable together. Entries of one run stand in seq order.
inline constexpr std::size_t kDecisionsKept = 100'000;

/// One routing decision with all it was made from (E9).
struct DecisionRow {
  /// Unique over all nodes; a second row of the same id is dropped.
  std::string id;
  /// Bytes; what they mean is the writer's affair.
  std::string body;
  WallTime at;
  /// The step it was made for and the arm it counts for; empty: none.
  std::string run_id, step_key, arm;
};

struct Batch {
  std::vector<Entry> entries;
  std::vector<UsageRow> usage;
  std::vector<BreakerRow> breakers;
  std::vector<BreakerMemoryRow> breaker_memories;
  std::vector<ControlRow> controls;
  std::vector<ExposureRow> exposures;
  std::vector<DecisionRow> decisions;
  std::vector<FeedbackRow> feedback;
  /// Numbers of signals that these entries take up: they wait no longer.
  std::vector<std::uint64_t> taken;
  /// Inserted or updated by run_id, before the entries. An update keeps `created` and the epoch, and is
  /// refused like an entry when its epoch is not the run's.
  std::optional<RunRow> run;
  /// `crash`: its commit need not wait for the disk. Any other batch of the same commit makes it wait, and
  /// with it everything committed before is on the disk, whatever its class.
  Durability durability = Durability::power;
};

/// Whether a commit with such rows waits for the disk.
inline bool waits_for_disk(Durability durability) { return durability != Durability::crash; }

/// Called once, on the committer's thread, never inside the append that took it. On error nothing of the
/// batch is durable, except after Errc::storage, when the outcome is unknown until the run is read again.
using Committed = std::function<void(Result<void>)>;

struct UsageFilter {
  std::string run_id;  ///< empty: all
  WallTime since;
  WallTime until{INT64_MAX};  ///< that moment is not in it
};
/// Sums of the ledger under one key.
struct CostRow {
  std::string key;
  /// One for each word of `by`; the first is `key`.
  std::vector<std::string> keys;
  std::uint64_t attempts = 0, failed = 0;
  Usage usage;
  double usd = 0;
  /// The same in billionths of a USD, each attempt rounded by itself: sums of groups are the whole's,
  /// exactly.
  std::int64_t nano_usd = 0;
  double unit_hours = 0;
  /// Attempts whose model had no price.
  std::uint64_t unpriced = 0;
};

class Membership;
inline constexpr std::size_t kCompactEntriesMax = 4096;

/// Thread-safe. Reads run on the caller's thread and see everything acknowledged before.
/// Destroying it first commits and acknowledges all that was queued; nothing may be called meanwhile.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Queues a batch for the next group commit. `committed` fires after the disk has it, or with
  /// Batch::durability `crash` after the system has.
  /// A Batch whose entries repeat a (run, seq), or carry an epoch older than the run's, fails with `storage`
  /// and leaves the other batches of the same commit untouched; so does one that leaves a gap in seq, claims
  /// an epoch nobody was given, or records a second result for a step. Entries of a run nobody created, texts
  /// and payloads over their bounds: `invalid_input`. The queue is full: `refused`, nothing was written, try
  /// again after an answer. Once the disk has failed, everything fails with `storage` until the journal is
  /// opened again: SQLite cannot say what a failed fsync left behind, so nothing after it may be called
  /// durable.
  virtual void append(Batch batch, Committed committed) = 0;

  /// Creates the run if it is new, else takes it over: bumps its epoch and returns the row with the new
  /// epoch, so that a writer from before is fenced. `row.epoch` is ignored; a taken-over run keeps all but
  /// its node. Durable when it returns. `invalid_input` when the id belongs to another workflow. May be
  /// called from a Committed callback.
  virtual Result<RunRow> claim(RunRow row) = 0;
  /// The same without waiting; `claimed` is called once, on the committer's thread or within this call.
  virtual void claim_then(RunRow row, std::function<void(Result<RunRow>)> claimed) {
    claimed(claim(std::move(row)));
  }
  /// The same for a run whose id was just made for it, so that it is not looked for first. Where it is there
  /// all the same it fails and stays as it was.
  virtual void begin_then(RunRow row, std::function<void(Result<RunRow>)> begun) {
    claim_then(std::move(row), std::move(begun));
  }
  virtual Result<std::optional<RunRow>> run(const std::string& run_id) = 0;
  /// Newest first, whole rows.
  virtual Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter = {}) = 0;
  /// The runs that this one started, oldest first.
  virtual Result<std::vector<RunRow>> children(const std::string& run_id) = 0;
  /// Ids of parked runs that wanted to be woken at `until` or before, the longest overdue first; never those
  /// that only a signal wakes. In a store that nodes share: of the runs that this one holds.
  virtual Result<std::vector<std::string>> due(WallTime until, std::size_t limit) = 0;
  /// Running runs of this node (empty: of any) that are not parked, oldest first: after a crash, what to take
  /// up again.
  virtual Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) = 0;
  /// Writes a signal down for its run, whoever holds it, now or later; durable when this returns. Needs no
  /// seat: any process may, through a journal opened for reading too, and beside the one that writes to a
  /// SQLite file. One that waits with the same id counts. `not_found`: no such run; `invalid_input`: it was
  /// done or cancelled; `refused`: kSignalsWaitingMax wait (a kCancelSignal is taken all the same, but
  /// not for a failed run: `invalid_input`). After `storage` post it again under its id.
  virtual Result<void> post(SignalRow signal) = 0;
  /// Signals that wait for running runs which this node holds, parked ones among them, in order; those with
  /// numbers above `after`. They are found again until a Batch says that they were taken.
  virtual Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) = 0;
  /// In seq order.
  virtual Result<std::vector<Entry>> history(const std::string& run_id) = 0;
  virtual Result<std::vector<UsageRow>> usage(const UsageFilter& filter) = 0;
  /// `by`: feature, tenant, model, endpoint, cause, run, node, price, hour ("2026-11-22T07:00:00Z") or day,
  /// or several of them with commas between; invalid_input otherwise. Most expensive first.
  virtual Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) = 0;
  /// In the order they were written, those with `at` >= since.
  virtual Result<std::vector<BreakerRow>> breakers(WallTime since) = 0;
  /// By endpoint; none from a file older than they are.
  virtual Result<std::vector<BreakerMemoryRow>> breaker_memories() = 0;
  /// In the order they were written; none from a file older than they are.
  virtual Result<std::vector<ControlRow>> controls(WallTime since) = 0;
  virtual Result<std::vector<ExposureCount>> exposures() = 0;
  /// Nothing when it is unknown, or has been forgotten: the newest kDecisionsKept stay.
  virtual Result<std::optional<DecisionRow>> decision(const std::string& id) = 0;
  /// In the order they were written; none from a store older than they are.
  virtual Result<std::vector<FeedbackRow>> feedback(const FeedbackFilter&) {
    return fail(Errc::unsupported, "this journal keeps no ratings");
  }
  /// Retention: removes the runs that were done or cancelled before that time (of one workflow; empty: of
  /// all), their entries, and the content that nobody else refers to. Answers how many. What the ledger knows
  /// stays; failed runs stay, as they may be resumed, and so does a child while its parent may still ask for
  /// it, and the run of the newest slot of each schedule and tenant (policy::slot_run_id), which tells how
  /// far that schedule came. Works in slices of at most 64 runs or about 4096 entries (a longer history is a
  /// slice of its own), so that commits get in between, and ends after the slice with which `enough` are
  /// gone. After an error some slices may be gone. Any thread; blocks.
  virtual Result<std::uint64_t> forget(WallTime finished_before, const std::string& workflow,
                                       std::uint64_t enough = UINT64_MAX) = 0;
  /// The seats of nodes in this store (membership.hpp); lives as long as the journal. Null when the journal
  /// only reads or keeps none.
  virtual Membership* membership() { return nullptr; }
  /// Checks the invariants of RUNTIME 4.3 over everything stored; empty when all hold.
  virtual Result<std::vector<std::string>> check() = 0;
  /// history() from the latest snapshot on; the whole history when there is none.
  virtual Result<std::vector<Entry>> history_since_snapshot(const std::string& run_id);
  /// Removes the entries of a run before `seq`, which must be one of its snapshots, else invalid_input; 0:
  /// the latest, if there is one. Content that nobody else refers to goes with them; the ledger stays.
  /// Answers how many entries. The run may go on meanwhile. In slices of at most kCompactEntriesMax, oldest
  /// first; after an error some may be gone, which leaves the history with its snapshot all the same. Any
  /// thread; blocks.
  virtual Result<std::uint64_t> compact(const std::string& run_id, std::uint64_t seq);
};

struct SqliteConfig {
  /// The file; created with its folder. ":memory:" is refused: it would not be a journal.
  std::string path;
  /// Off: synchronous=NORMAL at every commit, which survives kill -9 but not power loss.
  bool power_safe = true;
  /// Entries of one group commit; a larger single batch is committed alone.
  std::size_t batch_entries_max = 1024;
  /// Content bytes of one group commit, likewise: keeps the wait for a commit in the tens of milliseconds.
  std::size_t batch_bytes_max = 4u << 20;
  std::size_t payload_bytes_max = 16u << 20;
  /// What may wait for the committer; a batch that finds more than this waiting is refused.
  std::size_t queue_bytes_max = 256u << 20;
  /// The write-ahead log is folded into the file when it has grown by this much, on a thread of its own.
  std::size_t wal_bytes_max = 64u << 20;
  /// The file may not grow beyond; reaching it is a full disk. 0: no limit.
  std::uint64_t file_bytes_max = 0;
};

/// A journal that many nodes share: a schema of a PostgreSQL database (15 or newer).
struct PostgresConfig {
  /// libpq's words: "host=db.internal dbname=troupe user=troupe", or a postgresql:// address. A connection of
  /// its own or session pooling; pooling by transaction loses the session's settings. Never logged.
  std::string conninfo;
  /// Lower-case letters, digits, underscores. Created when it is missing.
  std::string schema = "troupe";
  /// Joins under this name when opened (membership.hpp); empty: appends and claims are refused until join().
  std::string node, address, region;
  /// Off: synchronous_commit=off at every commit of runs, which survives our own crash but not the server's.
  bool power_safe = true;
  /// As in SqliteConfig.
  std::size_t batch_entries_max = 1024;
  std::size_t batch_bytes_max = 4u << 20;
  std::size_t payload_bytes_max = 16u << 20;
  std::size_t queue_bytes_max = 256u << 20;
  /// The lease, and how often a thread of the store renews it; 0: whoever holds the seat calls renew().
  Duration lease = std::chrono::seconds(10);
  Duration renew_every = std::chrono::seconds(3);
  /// How long what is queued waits for a server that has gone; then it is answered with `storage`.
  Duration outage_max = std::chrono::seconds(30);
  /// How long a server may take over one answer before the connection counts as broken.
  Duration answer_max = std::chrono::seconds(30);
  /// Measures leases and outages; null: the machine's.
  const Clock* clock = nullptr;
};

/// As the interface says, with these differences. A run that a living node holds cannot be claimed by
/// another: `refused`, naming the node; take_over() is how runs change hands. A run must have been claimed
/// through this journal before it is written. Texts must be UTF-8 without zero bytes, else `invalid_input`.
/// `lsn` grows within a run; over runs of several nodes it is only about the order of commits. After
/// `storage` later batches may succeed: the server comes back. A connection that breaks during a commit is
/// looked into when the server answers again, so `storage` for that reason means only: it did not in
/// outage_max. Opening fails with `storage` when there is no server, the schema is of a newer version, or the
/// database is not UTF-8; `bad_config` for a schema name that is none.
Result<std::unique_ptr<Journal>> open_postgres(PostgresConfig config);
/// For looking only, as above. `input_missing` when there is no journal.
Result<std::unique_ptr<Journal>> open_postgres_readonly(PostgresConfig config);

/// Fails with `storage` when the file cannot be opened, is no journal, is of a newer version, or another
/// process is writing to it (one writer per file: an flock beside it, refused with a clear text naming the
/// holder's pid).
Result<std::unique_ptr<Journal>> open_sqlite(SqliteConfig config);
/// For looking only; works while another process writes. append and claim fail with `unsupported`, append at
/// once and on the caller's thread. `input_missing` when there is no such file, else `storage` as above.
Result<std::unique_ptr<Journal>> open_sqlite_readonly(const std::string& path);

}  // namespace troupe::journal
