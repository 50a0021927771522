#include "runtime/journal/compaction.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace troupe::journal {
namespace {

// Along the index, from the end: it reads what came after the snapshot and no more.
constexpr std::string_view kSnapshotOf =
    "SELECT r.id, (SELECT seq FROM entry WHERE run = r.id AND kind = 14 AND (?2 = 0 OR seq = ?2)"
    " ORDER BY seq DESC LIMIT 1) FROM run r WHERE run_id = ?1";
constexpr std::string_view kSliceEnd =
    "SELECT max(seq), count(*) FROM (SELECT seq FROM entry WHERE run = ?1 AND seq < ?2 ORDER BY seq LIMIT "
    "?3)";
constexpr std::string_view kSliceContent =
    "SELECT DISTINCT payload_blob FROM entry WHERE run = ?1 AND seq <= ?2 AND payload_blob NOT NULL";
constexpr std::string_view kRemoveSlice = "DELETE FROM entry WHERE run = ?1 AND seq <= ?2";
constexpr std::string_view kDropContent =
    "DELETE FROM blob WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE payload_blob = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE input_blob = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE output_blob = ?1)";

Result<std::vector<std::int64_t>> content_of(Connection& connection, std::int64_t run, std::int64_t upto) {
  auto statement = connection.prepare(kSliceContent);
  if (!statement) return std::unexpected(std::move(statement.error()));
  std::vector<std::int64_t> blobs;
  auto row = statement->with(run, upto).step();
  for (; row && *row; row = statement->step()) blobs.push_back(statement->integer(0));
  if (!row) return std::unexpected(std::move(row.error()));
  return blobs;
}

Result<void> drop_content(Connection& connection, const std::vector<std::int64_t>& blobs) {
  auto drop = connection.prepare(kDropContent);
  if (!drop) return std::unexpected(std::move(drop.error()));
  for (auto blob : blobs)
    if (auto dropped = drop->with(blob).run(); !dropped) return dropped;
  return {};
}

}  // namespace

Error no_snapshot(const Compaction& compaction) {
  return make_error(Errc::invalid_input,
                    fmt::format("entry {} of run {} is no snapshot", compaction.seq, compaction.run_id));
}

Error no_run(const Compaction& compaction) {
  return make_error(Errc::not_found, fmt::format("there is no run {}", compaction.run_id));
}

Result<void> find_snapshot(Connection& connection, Compaction& compaction) {
  auto statement = connection.prepare(kSnapshotOf);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->with(compaction.run_id, compaction.seq).step();
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return std::unexpected(no_run(compaction));
  if (statement->is_null(1)) {
    compaction.run = 0;
    return compaction.seq == 0 ? Result<void>() : std::unexpected(no_snapshot(compaction));
  }
  compaction.run = statement->integer(0);
  compaction.seq = static_cast<std::uint64_t>(statement->integer(1));
  return {};
}

Result<std::uint64_t> remove_slice(Connection& connection, const Compaction& compaction) {
  auto end = connection.prepare(kSliceEnd);
  if (!end) return std::unexpected(std::move(end.error()));
  auto row = end->with(compaction.run, compaction.seq, kCompactEntriesMax).step();
  if (!row) return std::unexpected(std::move(row.error()));
  auto upto = end->integer(0);
  auto count = static_cast<std::uint64_t>(end->integer(1));
  end->reset();
  if (count == 0) return 0;
  auto blobs = content_of(connection, compaction.run, upto);
  if (!blobs) return std::unexpected(std::move(blobs.error()));
  auto remove = connection.prepare(kRemoveSlice);
  if (!remove) return std::unexpected(std::move(remove.error()));
  auto done = remove->with(compaction.run, upto).run();
  if (done) done = drop_content(connection, *blobs);
  if (!done) return std::unexpected(std::move(done.error()));
  return count;
}

}  // namespace troupe::journal
