#include "runtime/journal/postgres_schema.hpp"

#include "runtime/journal/postgres_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace troupe::journal {
namespace {

Result<int> version_of(PgConnection& connection) {
  auto there = connection.query("SELECT (to_regclass('meta') IS NOT NULL)::int4");
  if (!there) return std::unexpected(std::move(there.error()));
  if (there->integer(0, 0) == 0) return 0;
  auto version = connection.query("SELECT coalesce(max(version), 0) FROM meta");
  if (!version) return std::unexpected(std::move(version.error()));
  return static_cast<int>(version->integer(0, 0));
}

Result<void> check_server(PgConnection& connection) {
  auto encoding = connection.query("SELECT current_setting('server_encoding')");
  if (!encoding) return std::unexpected(std::move(encoding.error()));
  if (encoding->bytes(0, 0) == "UTF8") return {};
  return fail(Errc::storage,
              fmt::format("journal: the database is {}, it must be UTF8", encoding->bytes(0, 0)));
}

Result<void> check_version(int version, const std::string& schema) {
  if (version <= kPgSchemaVersion) return {};
  return fail(Errc::storage, fmt::format("journal: schema {} is of version {}, this program knows {} at most",
                                         schema, version, kPgSchemaVersion));
}

}  // namespace

bool is_schema_name(std::string_view name) {
  auto allowed = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '_'; };
  return !name.empty() && name.size() <= 63 && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::ranges::all_of(name, allowed);
}

Result<void> prepare_schema(PgConnection& connection, const std::string& schema) {
  if (auto fit = check_server(connection); !fit) return fit;
  auto version = version_of(connection);
  if (!version) return std::unexpected(std::move(version.error()));
  if (auto known = check_version(*version, schema); !known || *version == kPgSchemaVersion) return known;
  // Another node may be at it: the lock lets one in, and who comes second finds the work done.
  auto made =
      connection.execute(fmt::format("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('troupe.{0}', 0));"
                                     "CREATE SCHEMA IF NOT EXISTS \"{0}\"",
                                     schema));
  auto found = made ? version_of(connection) : Result<int>(std::unexpected(std::move(made.error())));
  if (!found) return std::unexpected(std::move(found.error()));
  if (*found >= kPgSchemaVersion) return connection.execute("COMMIT");
  if (*found > 0)
    return connection.execute(fmt::format("{} {} {} {} {} UPDATE meta SET version = {}; COMMIT",
                                          *found < 2 ? kPgInbox : "", *found < 3 ? kPgFeedback : "",
                                          kPgForget, kPgDurability, kPgClaim, kPgSchemaVersion));
  return connection.execute(fmt::format("{} {} {} {} {} {} {} {} {} INSERT INTO meta VALUES ({}); COMMIT",
                                        kPgTables, kPgInbox, kPgFeedback, kPgSeats, kPgMembership,
                                        kPgBlobLock, kPgDurability, kPgClaim, kPgForget, kPgSchemaVersion));
}

Result<void> recognise_schema(PgConnection& connection, const std::string& schema) {
  auto version = version_of(connection);
  if (!version) return std::unexpected(std::move(version.error()));
  if (*version == 0)
    return fail(Errc::input_missing, fmt::format("journal: there is no journal in schema {}", schema));
  if (*version < kPgSchemaVersion)
    return fail(Errc::storage,
                fmt::format("journal: schema {} is of version {}; a node of this program brings "
                            "it up to date when it starts",
                            schema, *version));
  return check_version(*version, schema);
}

}  // namespace troupe::journal
