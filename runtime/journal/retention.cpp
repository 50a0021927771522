#include "runtime/journal/retention.hpp"

#include <utility>

namespace troupe::journal {
namespace {

// A child stays while its parent may still be resumed and look for it. So does the run of the newest slot of
// a schedule and tenant ("SCHEDULE/TENANT@2026-11-23T04:00Z"): without it that slot would count as missed.
constexpr std::string_view kFindOld =
    "SELECT id, input_blob, output_blob, (SELECT count(*) FROM entry WHERE entry.run = r.id) FROM run r"
    " WHERE state IN (2, 4) AND finished < ?1 AND (?2 = '' OR workflow = ?2) AND (parent = '' OR NOT EXISTS"
    " (SELECT 1 FROM run p WHERE p.run_id = r.parent AND p.state IN (1, 3)))"
    " AND NOT (run_id GLOB '?*/?*@[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]Z'"
    " AND NOT EXISTS (SELECT 1 FROM run n WHERE n.run_id > r.run_id"
    " AND n.run_id < substr(r.run_id, 1, length(r.run_id) - 17) || ':'"
    " AND length(n.run_id) = length(r.run_id)"
    " AND substr(n.run_id, -17) GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]Z'))"
    " ORDER BY finished LIMIT ?3";
constexpr std::string_view kForgetBlob =
    "DELETE FROM blob WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE payload_blob = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE input_blob = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE output_blob = ?1)";

}  // namespace

Result<Retention> Retention::open(Connection& connection) {
  std::vector<Statement> all;
  for (auto sql :
       {kFindOld, std::string_view("SELECT payload_blob FROM entry WHERE run = ? AND payload_blob NOT NULL"),
        std::string_view("DELETE FROM entry WHERE run = ?"), std::string_view("DELETE FROM run WHERE id = ?"),
        kForgetBlob, std::string_view("DELETE FROM inbox WHERE run = ?")}) {
    auto statement = connection.prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    all.push_back(std::move(*statement));
  }
  return Retention(std::move(all));
}

Retention::Retention(std::vector<Statement> all)
    : find_(std::move(all[0])),
      blobs_(std::move(all[1])),
      entries_(std::move(all[2])),
      run_(std::move(all[3])),
      blob_(std::move(all[4])),
      signals_(std::move(all[5])) {}

Result<void> Retention::forget(Forgetting& slice) {
  auto old = find(slice);
  if (!old) return std::unexpected(std::move(old.error()));
  slice.removed = 0;
  std::int64_t entries = 0;
  for (auto& run : *old) {
    entries += run.entries;
    if (slice.removed > 0 && entries > kForgetEntriesMax) break;
    auto gone = add_blobs(run);
    if (gone) gone = remove(run);
    if (!gone) return gone;
    ++slice.removed;
  }
  slice.more = slice.removed > 0;
  return {};
}

Result<std::vector<Retention::OldRun>> Retention::find(const Forgetting& slice) {
  std::vector<OldRun> old;
  auto row = find_.with(slice.finished_before.ms, slice.workflow, kForgetRunsMax).step();
  for (; row && *row; row = find_.step()) {
    OldRun run{find_.integer(0), find_.integer(3), {}};
    for (int column : {1, 2})
      if (!find_.is_null(column)) run.blobs.push_back(find_.integer(column));
    old.push_back(std::move(run));
  }
  find_.reset();
  if (!row) return std::unexpected(std::move(row.error()));
  return old;
}

Result<void> Retention::add_blobs(OldRun& run) {
  auto row = blobs_.with(run.id).step();
  for (; row && *row; row = blobs_.step()) run.blobs.push_back(blobs_.integer(0));
  blobs_.reset();
  if (!row) return std::unexpected(std::move(row.error()));
  return {};
}

Result<void> Retention::remove(const OldRun& run) {
  auto gone = entries_.with(run.id).run();
  if (gone) gone = signals_.with(run.id).run();
  if (gone) gone = run_.with(run.id).run();
  for (auto blob : run.blobs)
    if (gone) gone = blob_.with(blob).run();
  return gone;
}

}  // namespace troupe::journal
