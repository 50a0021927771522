// The same in PostgreSQL: what came before a snapshot of a run is taken out.
#pragma once

#include "runtime/journal/compaction.hpp"
#include "runtime/journal/postgres_connection.hpp"

namespace troupe::journal {

Result<void> pg_find_snapshot(PgConnection& connection, Compaction& compaction);
/// At most kCompactEntriesMax entries, the oldest, in a transaction of its own; how many. Done twice it does
/// no harm.
Result<std::uint64_t> pg_remove_slice(PgConnection& connection, const Compaction& compaction);

}  // namespace troupe::journal
