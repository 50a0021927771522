// What may be asked of the tables in PostgreSQL; each is one statement, so it sees one moment of the journal.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/journal/postgres_connection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::journal {

/// The statement that reads the runs named by its one parameter, an array; its rows are for run_from()
/// (postgres_rows.hpp).
const std::string& run_rows_by_id();

/// All fail with `storage` when the server cannot be asked. On the connection's thread.
Result<std::vector<RunRow>> pg_runs_named(PgConnection& connection, const std::vector<std::string>& run_ids);
Result<std::optional<RunRow>> pg_run(PgConnection& connection, const std::string& run_id);
Result<std::vector<RunRow>> pg_runs(PgConnection& connection, std::size_t limit, const RunFilter& filter);
Result<std::vector<RunRow>> pg_children(PgConnection& connection, const std::string& run_id);
Result<std::vector<RunRow>> pg_unfinished(PgConnection& connection, const std::string& node,
                                          std::size_t limit);
Result<std::vector<std::string>> pg_due(PgConnection& connection, WallTime until, std::size_t limit);
/// Of the runs that this incarnation holds.
Result<std::vector<std::string>> pg_due_of(PgConnection& connection, std::uint64_t holder, WallTime until,
                                           std::size_t limit);
Result<std::vector<Entry>> pg_since_snapshot(PgConnection& connection, const std::string& run_id);
Result<std::vector<Entry>> pg_history(PgConnection& connection, const std::string& run_id);
Result<std::vector<UsageRow>> pg_usage(PgConnection& connection, const UsageFilter& filter);
Result<std::vector<CostRow>> pg_cost(PgConnection& connection, const std::string& by,
                                     const UsageFilter& filter);
Result<std::vector<BreakerRow>> pg_breakers(PgConnection& connection, WallTime since);
Result<std::vector<BreakerMemoryRow>> pg_breaker_memories(PgConnection& connection);
Result<std::vector<ControlRow>> pg_controls(PgConnection& connection, WallTime since);
Result<std::vector<ExposureCount>> pg_exposures(PgConnection& connection);
Result<std::vector<FeedbackRow>> pg_feedback(PgConnection& connection, const FeedbackFilter& filter);
Result<std::optional<DecisionRow>> pg_decision(PgConnection& connection, const std::string& id);

/// check_everything() for this store (check.hpp).
Result<std::vector<std::string>> pg_check(PgConnection& connection);

}  // namespace troupe::journal
