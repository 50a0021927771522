// The journal's tables in PostgreSQL, and the functions that hold its fence.
#pragma once

#include "runtime/journal/postgres_connection.hpp"

namespace troupe::journal {

/// Raised when tables are added or functions change. A schema of a newer version is refused.
inline constexpr int kPgSchemaVersion = 5;

/// SQLSTATEs that the functions raise.
inline constexpr const char* kPgSeatLost = "TRP01";

/// Creates the schema's tables where they are missing; one node at a time, however many open at once. The
/// connection's search_path names the schema. `storage` when it is of another version, or the database is not
/// UTF-8.
Result<void> prepare_schema(PgConnection& connection, const std::string& schema);
/// For looking only: `input_missing` when there is no journal in the schema.
Result<void> recognise_schema(PgConnection& connection, const std::string& schema);
/// Letters, digits and underscores, not beginning with a digit, 63 at most: it is put into SQL as it is.
bool is_schema_name(std::string_view name);

}  // namespace troupe::journal
