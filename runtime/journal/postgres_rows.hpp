// How rows of PostgreSQL become values of the journal.
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/journal/postgres_connection.hpp"

namespace troupe::journal {

/// Each reads the columns in the order in which the statements of postgres_queries.cpp name them.
RunRow run_from(const PgRows& rows, std::size_t row);
Entry pg_entry_of(const PgRows& rows, std::size_t row);
UsageRow pg_usage_of(const PgRows& rows, std::size_t row);
/// The sums behind `keys` columns.
CostRow pg_cost_of(const PgRows& rows, std::size_t row, int keys);
BreakerRow pg_breaker_of(const PgRows& rows, std::size_t row);
BreakerMemoryRow pg_memory_of(const PgRows& rows, std::size_t row);
ControlRow pg_control_of(const PgRows& rows, std::size_t row);
ExposureCount pg_exposure_of(const PgRows& rows, std::size_t row);
FeedbackRow pg_feedback_of(const PgRows& rows, std::size_t row);

}  // namespace troupe::journal
