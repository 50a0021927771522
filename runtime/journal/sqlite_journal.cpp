// The journal in one SQLite file: opening it, and who does what behind the interface.
#include "runtime/journal/check.hpp"
#include "runtime/journal/committer.hpp"
#include "runtime/journal/compaction.hpp"
#include "runtime/journal/file_lock.hpp"
#include "runtime/journal/inbox.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/queries.hpp"
#include "runtime/journal/readers.hpp"
#include "runtime/journal/retention.hpp"
#include "runtime/journal/schema.hpp"
#include "runtime/journal/sqlite_membership.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace troupe::journal {
namespace {

/// The reading half, which needs no writer in this process.
class SqliteReader : public Journal {
 public:
  explicit SqliteReader(std::string path) : path_(std::move(path)), readers_(path_) {}

  void append(Batch, Committed committed) override {
    if (committed) committed(fail(Errc::unsupported, "this journal was opened for reading only"));
  }
  Result<RunRow> claim(RunRow) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::optional<RunRow>> run(const std::string& run_id) override {
    return readers_.ask([&](Connection& c) { return read_run(c, run_id); });
  }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return readers_.ask([&](Connection& c) { return read_runs(c, limit, filter); });
  }
  Result<std::vector<RunRow>> children(const std::string& run_id) override {
    return readers_.ask([&](Connection& c) { return read_children(c, run_id); });
  }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return readers_.ask([&](Connection& c) { return read_due(c, until, limit); });
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return readers_.ask([&](Connection& c) { return read_unfinished(c, node, limit); });
  }
  Result<void> post(SignalRow signal) override {
    auto valid = validate(signal);
    return valid ? put_signal_beside(path_, signal) : valid;
  }
  Result<std::vector<SignalRow>> inbox(std::uint64_t, std::size_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::vector<SignalRow>> inbox_of(std::uint64_t holder, std::uint64_t after, std::size_t limit) {
    return readers_.ask([=](Connection& c) { return read_signals(c, holder, after, limit); });
  }
  Result<std::vector<Entry>> history(const std::string& run_id) override {
    return readers_.ask([&](Connection& c) { return read_history(c, run_id); });
  }
  Result<std::vector<Entry>> history_since_snapshot(const std::string& run_id) override {
    return readers_.ask([&](Connection& c) { return read_since_snapshot(c, run_id); });
  }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override {
    return readers_.ask([&](Connection& c) { return read_usage(c, filter); });
  }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return readers_.ask([&](Connection& c) { return read_cost(c, by, filter); });
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override {
    return readers_.ask([&](Connection& c) { return read_breakers(c, since); });
  }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override {
    return readers_.ask([](Connection& c) { return read_breaker_memories(c); });
  }
  Result<std::vector<ControlRow>> controls(WallTime since) override {
    return readers_.ask([&](Connection& c) { return read_controls(c, since); });
  }
  Result<std::vector<ExposureCount>> exposures() override {
    return readers_.ask([](Connection& c) { return read_exposures(c); });
  }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override {
    return readers_.ask([&id](Connection& c) { return read_decision(c, id); });
  }
  Result<std::vector<FeedbackRow>> feedback(const FeedbackFilter& filter) override {
    return readers_.ask([&](Connection& c) { return read_feedback(c, filter); });
  }
  Result<std::uint64_t> forget(WallTime, const std::string&, std::uint64_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::uint64_t> compact(const std::string&, std::uint64_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::vector<std::string>> check() override {
    return readers_.ask([](Connection& c) { return check_everything(c); });
  }

 private:
  std::string path_;
  Readers readers_;
};

/// Reads as above; writes through the committer. The lock is let go last.
class SqliteJournal final : public Journal {
 public:
  SqliteJournal(FileLock lock, const SqliteConfig& config, std::unique_ptr<Committer> committer)
      : lock_(std::move(lock)),
        payload_bytes_max_(config.payload_bytes_max),
        committer_(std::move(committer)),
        membership_(*committer_, config.path),
        reader_(config.path) {}

  void append(Batch batch, Committed committed) override {
    Job job;
    if (auto valid = validate(batch, payload_bytes_max_); !valid) job.refusal = std::move(valid.error());
    job.batch = std::move(batch);
    job.committed = std::move(committed);
    committer_->push(std::move(job));
  }

  Result<RunRow> claim(RunRow row) override {
    if (auto valid = validate(row, payload_bytes_max_); !valid)
      return std::unexpected(std::move(valid.error()));
    Job job;
    job.claim = &row;
    auto done = committer_->push_and_wait(std::move(job));
    if (!done) return std::unexpected(std::move(done.error()));
    return row;
  }
  void claim_then(RunRow row, std::function<void(Result<RunRow>)> claimed) override {
    if (auto valid = validate(row, payload_bytes_max_); !valid)
      return claimed(std::unexpected(std::move(valid.error())));
    auto kept = std::make_shared<RunRow>(std::move(row));
    Job job;
    job.claim = kept.get();
    job.committed = [kept, claimed = std::move(claimed)](Result<void> done) {
      if (!done) return claimed(std::unexpected(std::move(done.error())));
      claimed(std::move(*kept));
    };
    committer_->push(std::move(job));
  }

  void begin_then(RunRow row, std::function<void(Result<RunRow>)> begun) override {
    if (auto valid = validate(row, payload_bytes_max_); !valid)
      return begun(std::unexpected(std::move(valid.error())));
    committer_->push(job_of_new(std::move(row), std::move(begun)));
  }

  Membership* membership() override { return &membership_; }
  Result<std::uint64_t> forget(WallTime finished_before, const std::string& workflow,
                               std::uint64_t enough) override {
    std::uint64_t removed = 0;
    Forgetting slice{.finished_before = finished_before, .workflow = workflow, .more = true};
    while (slice.more && removed < enough) {
      Job job;
      job.work = [&slice](Connection& connection, Writer&) -> Result<void> {
        auto retention = Retention::open(connection);
        return retention ? retention->forget(slice) : std::unexpected(std::move(retention.error()));
      };
      if (auto done = committer_->push_and_wait(std::move(job)); !done)
        return std::unexpected(std::move(done.error()));
      removed += slice.removed;
    }
    return removed;
  }
  // Slices are jobs of their own, so that commits get in between.
  Result<std::uint64_t> compact(const std::string& run_id, std::uint64_t seq) override {
    Compaction compaction{.run_id = run_id, .seq = seq};
    auto found = readied([&](Connection& c) { return find_snapshot(c, compaction); });
    if (!found) return std::unexpected(std::move(found.error()));
    std::uint64_t removed = 0;
    for (std::uint64_t slice = 1; compaction.run != 0 && slice > 0; removed += slice) {
      auto done = readied([&](Connection& c) -> Result<void> {
        auto count = remove_slice(c, compaction);
        slice = count.value_or(0);
        return count ? Result<void>() : std::unexpected(std::move(count.error()));
      });
      if (!done) return std::unexpected(std::move(done.error()));
    }
    return removed;
  }

  Result<std::optional<RunRow>> run(const std::string& run_id) override { return reader_.run(run_id); }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return reader_.runs(limit, filter);
  }
  Result<std::vector<RunRow>> children(const std::string& run_id) override {
    return reader_.children(run_id);
  }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return reader_.due(until, limit);
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return reader_.unfinished(node, limit);
  }
  Result<void> post(SignalRow signal) override {
    if (auto valid = validate(signal); !valid) return valid;
    Job job;
    job.work = [&signal](Connection& connection, Writer&) { return put_signal(connection, signal); };
    auto posted = committer_->push_and_wait(std::move(job));
    return posted ? membership_.poke(kInboxTopic) : posted;
  }
  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    return reader_.inbox_of(membership_.incarnation(), after, limit);
  }
  Result<std::vector<Entry>> history(const std::string& run_id) override { return reader_.history(run_id); }
  Result<std::vector<Entry>> history_since_snapshot(const std::string& run_id) override {
    return reader_.history_since_snapshot(run_id);
  }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override { return reader_.usage(filter); }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return reader_.cost(by, filter);
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override { return reader_.breakers(since); }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override { return reader_.breaker_memories(); }
  Result<std::vector<ControlRow>> controls(WallTime since) override { return reader_.controls(since); }
  Result<std::vector<ExposureCount>> exposures() override { return reader_.exposures(); }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override { return reader_.decision(id); }
  Result<std::vector<FeedbackRow>> feedback(const FeedbackFilter& filter) override {
    return reader_.feedback(filter);
  }
  Result<std::vector<std::string>> check() override { return reader_.check(); }

 private:
  /// Does this between two group commits, and waits.
  template <class Work>
  Result<void> readied(Work work) {
    Job job;
    job.work = [&work](Connection& connection, Writer&) { return work(connection); };
    return committer_->push_and_wait(std::move(job));
  }

  FileLock lock_;
  std::size_t payload_bytes_max_;
  std::unique_ptr<Committer> committer_;
  SqliteMembership membership_;
  SqliteReader reader_;
};

/// The file's one true path, its folder created: two names of one file must meet at one lock.
Result<std::string> settle_path(const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty() || path == ":memory:")
    return fail(Errc::storage, fmt::format("'{}' is no place for a journal: it needs a file", path));
  std::error_code error;
  auto absolute = fs::absolute(path, error);
  if (!error) fs::create_directories(absolute.parent_path(), error);
  if (error)
    return fail(Errc::storage,
                fmt::format("journal {}: its folder cannot be made: {}", path, error.message()));
  auto true_path = fs::weakly_canonical(absolute, error);
  if (error) return fail(Errc::storage, fmt::format("journal {}: {}", path, error.message()));
  if (fs::is_directory(true_path, error))
    return fail(Errc::storage, fmt::format("journal {}: this is a folder", path));
  return true_path.string();
}

Result<std::unique_ptr<Committer>> start_committer(const SqliteConfig& config) {
  auto connection = open_for_writing(config);
  if (!connection) return std::unexpected(std::move(connection.error()));
  auto for_checkpoints = Connection::open(config.path, Connection::Mode::write);
  if (!for_checkpoints) return std::unexpected(std::move(for_checkpoints.error()));
  Committer::Limits limits{.group = {config.batch_entries_max, config.batch_bytes_max},
                           .queue_bytes_max = config.queue_bytes_max,
                           .wal_bytes_max = config.wal_bytes_max,
                           .power_safe = config.power_safe};
  return Committer::start(std::make_unique<Connection>(std::move(*connection)), std::move(*for_checkpoints),
                          limits);
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite(SqliteConfig config) {
  auto path = settle_path(config.path);
  if (!path) return std::unexpected(std::move(path.error()));
  config.path = std::move(*path);
  auto lock = FileLock::acquire(config.path + ".lock");
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto committer = start_committer(config);
  if (!committer) return std::unexpected(std::move(committer.error()));
  return std::make_unique<SqliteJournal>(std::move(*lock), config, std::move(*committer));
}

Result<std::unique_ptr<Journal>> open_sqlite_readonly(const std::string& path) {
  auto connection = open_for_reading(path);
  if (!connection) return std::unexpected(std::move(connection.error()));
  return std::make_unique<SqliteReader>(path);
}

}  // namespace troupe::journal
