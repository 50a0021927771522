// What may be asked of the tables. Each is one statement, so it sees one moment of the journal.
#pragma once

#include "runtime/journal/database.hpp"
#include "runtime/journal/journal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::journal {

/// All fail with `storage` when the file cannot be read. On the connection's thread.
Result<std::optional<RunRow>> read_run(Connection& connection, const std::string& run_id);
Result<std::vector<RunRow>> read_runs(Connection& connection, std::size_t limit, const RunFilter& filter);
Result<std::vector<RunRow>> read_children(Connection& connection, const std::string& run_id);
Result<std::vector<RunRow>> read_unfinished(Connection& connection, const std::string& node,
                                            std::size_t limit);
Result<std::vector<std::string>> read_due(Connection& connection, WallTime until, std::size_t limit);
Result<std::vector<Entry>> read_history(Connection& connection, const std::string& run_id);
/// From its end back to the latest snapshot, and no further.
Result<std::vector<Entry>> read_since_snapshot(Connection& connection, const std::string& run_id);
/// In the order they were written.
Result<std::vector<UsageRow>> read_usage(Connection& connection, const UsageFilter& filter);
Result<std::vector<CostRow>> read_cost(Connection& connection, const std::string& by,
                                       const UsageFilter& filter);
Result<std::vector<BreakerRow>> read_breakers(Connection& connection, WallTime since);
Result<std::vector<BreakerMemoryRow>> read_breaker_memories(Connection& connection);
Result<std::vector<ControlRow>> read_controls(Connection& connection, WallTime since);
Result<std::vector<ExposureCount>> read_exposures(Connection& connection);
Result<std::optional<DecisionRow>> read_decision(Connection& connection, const std::string& id);
/// In the order they were written.
Result<std::vector<FeedbackRow>> read_feedback(Connection& connection, const FeedbackFilter& filter);

}  // namespace troupe::journal
