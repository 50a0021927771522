// The journal in a schema of PostgreSQL: opening it, and who does what behind the interface.
#include "runtime/base/log.hpp"
#include "runtime/journal/inbox.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/postgres_committer.hpp"
#include "runtime/journal/postgres_compaction.hpp"
#include "runtime/journal/postgres_inbox.hpp"
#include "runtime/journal/postgres_membership.hpp"
#include "runtime/journal/postgres_queries.hpp"
#include "runtime/journal/postgres_schema.hpp"
#include "runtime/journal/retention.hpp"
#include "runtime/journal/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::journal {
namespace {

/// What only reads holds nobody up, and may be slow between two portions of a check.
PgTarget patient(PgTarget target) {
  target.idle_in_transaction_max = std::chrono::minutes(10);
  return target;
}

/// Leases and fences wait for the server's disk, whatever the runs do.
PgTarget waiting(PgTarget target) {
  target.power_safe = true;
  return target;
}

/// The reading half, which needs no seat.
class PgReader : public Journal {
 public:
  explicit PgReader(PgTarget target) : channel_(channel_of(target)), pool_(patient(std::move(target))) {}

  void append(Batch, Committed committed) override {
    if (committed) committed(fail(Errc::unsupported, "this journal was opened for reading only"));
  }
  Result<RunRow> claim(RunRow) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::uint64_t> forget(WallTime, const std::string&, std::uint64_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::uint64_t> compact(const std::string&, std::uint64_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::optional<RunRow>> run(const std::string& run_id) override {
    if (!is_storable_text(run_id)) return std::nullopt;
    return pool_.ask([&](PgConnection& c) { return pg_run(c, run_id); });
  }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return pool_.ask([&](PgConnection& c) { return pg_runs(c, limit, filter); });
  }
  Result<std::vector<RunRow>> children(const std::string& run_id) override {
    return pool_.ask([&](PgConnection& c) { return pg_children(c, run_id); });
  }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return pool_.ask([&](PgConnection& c) { return pg_due(c, until, limit); });
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return pool_.ask([&](PgConnection& c) { return pg_unfinished(c, node, limit); });
  }
  Result<void> post(SignalRow signal) override {
    auto valid = validate(signal);
    return valid ? pg_post(pool_, channel_, std::move(signal)) : valid;
  }
  Result<std::vector<SignalRow>> inbox(std::uint64_t, std::size_t) override {
    return fail(Errc::unsupported, "this journal was opened for reading only");
  }
  Result<std::vector<Entry>> history(const std::string& run_id) override {
    return pool_.ask([&](PgConnection& c) { return pg_history(c, run_id); });
  }
  Result<std::vector<Entry>> history_since_snapshot(const std::string& run_id) override {
    return pool_.ask([&](PgConnection& c) { return pg_since_snapshot(c, run_id); });
  }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override {
    return pool_.ask([&](PgConnection& c) { return pg_usage(c, filter); });
  }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return pool_.ask([&](PgConnection& c) { return pg_cost(c, by, filter); });
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override {
    return pool_.ask([&](PgConnection& c) { return pg_breakers(c, since); });
  }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override {
    return pool_.ask([](PgConnection& c) { return pg_breaker_memories(c); });
  }
  Result<std::vector<ControlRow>> controls(WallTime since) override {
    return pool_.ask([&](PgConnection& c) { return pg_controls(c, since); });
  }
  Result<std::vector<FeedbackRow>> feedback(const FeedbackFilter& filter) override {
    return pool_.ask([&](PgConnection& c) { return pg_feedback(c, filter); });
  }
  Result<std::vector<ExposureCount>> exposures() override {
    return pool_.ask([](PgConnection& c) { return pg_exposures(c); });
  }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override {
    return pool_.ask([&](PgConnection& c) { return pg_decision(c, id); });
  }
  Result<std::vector<std::string>> check() override {
    return pool_.ask([](PgConnection& c) { return pg_check(c); });
  }

 protected:
  std::string channel_;
  PgPool pool_;
};

/// Reads as above; writes through the committer, under the seat that membership holds.
class PgJournal final : public PgReader {
 public:
  PgJournal(const PgTarget& target, const PostgresConfig& config, const Clock& clock)
      : PgReader(target),
        payload_bytes_max_(config.payload_bytes_max),
        membership_(waiting(target), seat_, clock, {config.lease, config.renew_every}),
        committer_(target, seat_, clock,
                   {{config.batch_entries_max, config.batch_bytes_max},
                    config.queue_bytes_max,
                    config.outage_max,
                    config.power_safe}) {}

  void append(Batch batch, Committed committed) override {
    Job job;
    auto valid = validate(batch, payload_bytes_max_);
    if (valid) valid = validate_for_postgres(batch);
    if (!valid) job.refusal = std::move(valid.error());
    job.batch = std::move(batch);
    job.committed = std::move(committed);
    committer_.push(std::move(job));
  }

  Result<RunRow> claim(RunRow row) override {
    auto done = validate(row, payload_bytes_max_);
    if (done) done = validate_for_postgres(row);
    Job job;
    job.claim = &row;
    if (done) done = committer_.push_and_wait(std::move(job));
    if (!done) return std::unexpected(std::move(done.error()));
    return row;
  }

  void claim_then(RunRow row, std::function<void(Result<RunRow>)> claimed) override {
    auto valid = validate(row, payload_bytes_max_);
    if (valid) valid = validate_for_postgres(row);
    if (!valid) return claimed(std::unexpected(std::move(valid.error())));
    auto kept = std::make_shared<RunRow>(std::move(row));
    Job job;
    job.claim = kept.get();
    job.committed = [kept, claimed = std::move(claimed)](Result<void> done) {
      if (!done) return claimed(std::unexpected(std::move(done.error())));
      claimed(std::move(*kept));
    };
    committer_.push(std::move(job));
  }

  void begin_then(RunRow row, std::function<void(Result<RunRow>)> begun) override {
    auto valid = validate(row, payload_bytes_max_);
    if (valid) valid = validate_for_postgres(row);
    if (!valid) return begun(std::unexpected(std::move(valid.error())));
    committer_.push(job_of_new(std::move(row), std::move(begun)));
  }

  Result<std::uint64_t> forget(WallTime finished_before, const std::string& workflow,
                               std::uint64_t enough) override {
    std::uint64_t removed = 0;
    while (removed < enough) {
      auto slice = pool_.ask([&](PgConnection& c) { return forget_slice(c, finished_before, workflow); });
      if (!slice) return slice;
      if (*slice == 0) break;
      removed += *slice;
    }
    return removed;
  }

  Result<std::uint64_t> compact(const std::string& run_id, std::uint64_t seq) override {
    if (!is_storable_text(run_id)) return fail(Errc::not_found, "a run's id is UTF-8");
    Compaction compaction{.run_id = run_id, .seq = seq};
    auto found = pool_.ask([&](PgConnection& c) { return pg_find_snapshot(c, compaction); });
    if (!found) return std::unexpected(std::move(found.error()));
    while (compaction.run != 0) {
      auto slice = pool_.ask([&](PgConnection& c) { return pg_remove_slice(c, compaction); });
      if (!slice) return slice;
      if (*slice == 0) break;
      compaction.removed += *slice;
    }
    return compaction.removed;
  }

  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    auto mine = seat_.incarnation();
    return pool_.ask([&](PgConnection& c) { return pg_inbox(c, mine, after, limit); });
  }

  /// Those of other nodes are theirs to wake, and those of dead ones ours as soon as we take them over.
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    auto mine = seat_.incarnation();
    if (mine == 0) return PgReader::due(until, limit);
    return pool_.ask([&](PgConnection& c) { return pg_due_of(c, mine, until, limit); });
  }

  Membership* membership() override { return &membership_; }

 private:
  static Result<std::uint64_t> forget_slice(PgConnection& connection, WallTime before,
                                            const std::string& workflow) {
    auto rows = connection.query("SELECT forget_runs($1::int8, $2::text, $3::int8, $4::int8)",
                                 PgParams::of(before.ms, workflow, kForgetRunsMax, kForgetEntriesMax));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return static_cast<std::uint64_t>(rows->integer(0, 0));
  }

  std::size_t payload_bytes_max_;
  PgSeat seat_;
  PgMembership membership_;
  PgCommitter committer_;
};

constexpr Duration kIdleInTransaction = std::chrono::seconds(5);  ///< at least: a machine may be busy

Result<PgTarget> target_of(const PostgresConfig& config) {
  if (!is_schema_name(config.schema))
    return fail(Errc::bad_config,
                fmt::format("journal: '{}' cannot name a schema: lower-case letters, digits "
                            "and underscores can",
                            config.schema));
  if (config.lease < std::chrono::milliseconds(30) || config.renew_every * 2 > config.lease)
    return fail(Errc::bad_config, "journal: a lease is renewed at least twice in its length");
  return PgTarget{.conninfo = config.conninfo,
                  .schema = config.schema,
                  .application = "troupe",
                  .power_safe = config.power_safe,
                  .answer_max = config.answer_max,
                  .lock_max = config.answer_max,
                  .idle_in_transaction_max = std::max<Duration>(config.lease, kIdleInTransaction)};
}

void warn_of_unsafe_server(PgConnection& connection) {
  auto fsync = connection.query("SELECT current_setting('fsync')");
  if (fsync && fsync->bytes(0, 0) != "on")
    log::warn("journal", "this PostgreSQL runs with fsync off: a power failure may lose everything");
}

}  // namespace

Result<std::unique_ptr<Journal>> open_postgres(PostgresConfig config) {
  auto target = target_of(config);
  if (!target) return std::unexpected(std::move(target.error()));
  auto connection = PgConnection::open(*target);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto ready = prepare_schema(*connection, config.schema); !ready)
    return std::unexpected(std::move(ready.error()));
  if (config.power_safe) warn_of_unsafe_server(*connection);
  auto journal = std::make_unique<PgJournal>(*target, config, config.clock ? *config.clock : system_clock());
  if (!config.node.empty())
    if (auto joined = journal->membership()->join(config.node, config.address, config.region); !joined)
      return std::unexpected(std::move(joined.error()));
  return journal;
}

Result<std::unique_ptr<Journal>> open_postgres_readonly(PostgresConfig config) {
  auto target = target_of(config);
  if (!target) return std::unexpected(std::move(target.error()));
  auto connection = PgConnection::open(*target);
  if (!connection) return std::unexpected(std::move(connection.error()));
  auto known = recognise_schema(*connection, config.schema);
  if (!known) return std::unexpected(std::move(known.error()));
  return std::make_unique<PgReader>(*target);
}

}  // namespace troupe::journal
