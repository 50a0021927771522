#include "runtime/journal/postgres_compaction.hpp"

#include <utility>

namespace troupe::journal {
namespace {

constexpr std::string_view kPgSnapshotOf =
    "SELECT r.id, coalesce((SELECT seq FROM entry WHERE run = r.id AND kind = 14"
    " AND ($2::int8 = 0 OR seq = $2::int8) ORDER BY seq DESC LIMIT 1), 0) FROM run r WHERE run_id = $1::text";
// The hashes of the content that went, each once, beside the number of entries.
constexpr std::string_view kPgRemoveSlice =
    "WITH gone AS (DELETE FROM entry WHERE run = $1::int8 AND seq IN (SELECT seq FROM entry"
    " WHERE run = $1::int8 AND seq < $2::int8 ORDER BY seq LIMIT $3::int8) RETURNING payload_sha)"
    " SELECT count(*), coalesce(array_agg(DISTINCT payload_sha) FILTER (WHERE payload_sha IS NOT NULL),"
    " '{}')::text FROM gone";
constexpr std::string_view kPgDropContent =
    "DELETE FROM blob b WHERE b.sha = ANY($1::text::bytea[])"
    " AND NOT EXISTS (SELECT 1 FROM entry WHERE payload_sha = b.sha)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE input_sha = b.sha)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE output_sha = b.sha)";

Result<std::uint64_t> remove_in_transaction(PgConnection& connection, const Compaction& compaction) {
  // Content is not removed while somebody is about to refer to it (blob_lock).
  if (auto alone = connection.query("SELECT pg_advisory_xact_lock(blob_lock())"); !alone)
    return std::unexpected(std::move(alone.error()));
  auto gone =
      connection.query(kPgRemoveSlice, PgParams::of(compaction.run, compaction.seq, kCompactEntriesMax));
  if (!gone) return std::unexpected(std::move(gone.error()));
  auto count = static_cast<std::uint64_t>(gone->integer(0, 0));
  auto dropped = connection.query(kPgDropContent, PgParams::of(gone->text(0, 1)));
  if (!dropped) return std::unexpected(std::move(dropped.error()));
  return count;
}

}  // namespace

Result<void> pg_find_snapshot(PgConnection& connection, Compaction& compaction) {
  auto rows = connection.query(kPgSnapshotOf, PgParams::of(compaction.run_id, compaction.seq));
  if (!rows) return std::unexpected(std::move(rows.error()));
  if (rows->size() == 0) return std::unexpected(no_run(compaction));
  auto seq = static_cast<std::uint64_t>(rows->integer(0, 1));
  compaction.run = seq == 0 ? 0 : rows->integer(0, 0);
  if (seq == 0 && compaction.seq != 0) return std::unexpected(no_snapshot(compaction));
  compaction.seq = seq;
  return {};
}

Result<std::uint64_t> pg_remove_slice(PgConnection& connection, const Compaction& compaction) {
  if (auto begun = connection.execute("BEGIN"); !begun) return std::unexpected(std::move(begun.error()));
  auto removed = remove_in_transaction(connection, compaction);
  auto ended = connection.execute(removed ? "COMMIT" : "ROLLBACK");
  if (!removed) return removed;
  if (!ended) return std::unexpected(std::move(ended.error()));
  return removed;
}

}  // namespace troupe::journal
