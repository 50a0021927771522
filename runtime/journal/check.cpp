// Reads the whole file and puts every history to the rules.
#include "runtime/journal/check.hpp"

#include "runtime/journal/blob_store.hpp"
#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::journal {
namespace {

constexpr std::size_t kFindingsMax = 100;

/// Queries that find nothing in a sound journal; each row is a finding.
constexpr std::string_view kFaults[] = {
    "SELECT 'entry at lsn ' || lsn || ' belongs to no run' FROM entry WHERE run NOT IN (SELECT id FROM run)",
    "SELECT 'entry at lsn ' || lsn || ' has lost its payload' FROM entry"
    " WHERE payload_blob IS NOT NULL AND payload_blob NOT IN (SELECT id FROM blob)",
    "SELECT 'run ' || run_id || ' has lost its input or output' FROM run"
    " WHERE (input_blob IS NOT NULL AND input_blob NOT IN (SELECT id FROM blob))"
    " OR (output_blob IS NOT NULL AND output_blob NOT IN (SELECT id FROM blob))",
    "SELECT 'ledger: ' || run_id || ' ' || step_key || ' at ' || endpoint || ' has a negative figure' FROM "
    "usage"
    " WHERE min(usd, input, output, cache_read, cache_write, reasoning, ttft_ns, total_ns) < 0",
    "SELECT 'the file: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

/// In files that know parents.
constexpr std::string_view kOrphans =
    "SELECT 'run ' || p.run_id || ' has ended, but its child ' || c.run_id || ' is running' FROM run c"
    " JOIN run p ON p.run_id = c.parent WHERE c.parent <> '' AND c.state = 1 AND p.state <> 1";

Result<void> find_faults(Connection& connection, std::string_view sql, std::vector<std::string>& found) {
  auto statement = connection.prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  for (; row && *row && found.size() < kFindingsMax; row = statement->step())
    found.push_back(statement->text(0));
  if (!row) return std::unexpected(std::move(row.error()));
  return {};
}

Result<void> check_blobs(Connection& connection, std::vector<std::string>& found) {
  auto statement = connection.prepare("SELECT id, hash, bytes FROM blob");
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  for (; row && *row && found.size() < kFindingsMax; row = statement->step())
    if (content_hash(statement->bytes(2)) != static_cast<std::uint64_t>(statement->integer(1)))
      found.push_back(fmt::format("blob {} is not what its hash says", statement->integer(0)));
  if (!row) return std::unexpected(std::move(row.error()));
  return {};
}

/// Everything the rules of a history look at: no payloads.
Result<std::vector<Entry>> read_outline(Statement& entries, std::int64_t run) {
  std::vector<Entry> outline;
  auto row = entries.with(run).step();
  for (; row && *row; row = entries.step()) {
    Entry entry;
    entry.seq = static_cast<std::uint64_t>(entries.integer(0));
    entry.lsn = static_cast<std::uint64_t>(entries.integer(1));
    entry.kind = static_cast<Kind>(entries.integer(2));
    entry.step_key = entries.text(3);
    entry.epoch = static_cast<std::uint64_t>(entries.integer(4));
    entry.attempt = static_cast<std::uint32_t>(entries.integer(5));
    outline.push_back(std::move(entry));
  }
  if (!row) return std::unexpected(std::move(row.error()));
  return outline;
}

Result<void> check_histories(Connection& connection, std::vector<std::string>& found) {
  auto parents = connection.integer(kHasParents);
  if (!parents) return std::unexpected(std::move(parents.error()));
  auto runs = connection.prepare(*parents != 0 ? "SELECT id, run_id, state, epoch, wake FROM run ORDER BY id"
                                               : "SELECT id, run_id, state, epoch, 0 FROM run ORDER BY id");
  if (!runs) return std::unexpected(std::move(runs.error()));
  auto entries = connection.prepare(
      "SELECT seq, lsn, kind, step_key, epoch, attempt FROM entry WHERE run = ? ORDER BY seq");
  if (!entries) return std::unexpected(std::move(entries.error()));
  auto row = runs->step();
  for (; row && *row && found.size() < kFindingsMax; row = runs->step()) {
    RunRow run;
    run.run_id = runs->text(1);
    run.state = static_cast<RunState>(runs->integer(2));
    run.epoch = static_cast<std::uint64_t>(runs->integer(3));
    run.wake.ms = runs->integer(4);
    auto outline = read_outline(*entries, runs->integer(0));
    if (!outline) return std::unexpected(std::move(outline.error()));
    for (auto& fault : check_history(run, *outline)) found.push_back(std::move(fault));
  }
  if (!row) return std::unexpected(std::move(row.error()));
  return {};
}

Result<void> find_all(Connection& connection, std::vector<std::string>& found) {
  Result<void> ok;
  for (auto sql : kFaults)
    if (ok) ok = find_faults(connection, sql, found);
  auto parents = connection.integer(kHasParents);
  if (!parents) return std::unexpected(std::move(parents.error()));
  if (ok && *parents != 0) ok = find_faults(connection, kOrphans, found);
  if (ok) ok = check_blobs(connection, found);
  if (ok) ok = check_histories(connection, found);
  return ok;
}

}  // namespace

Result<std::vector<std::string>> check_everything(Connection& connection) {
  std::vector<std::string> found;
  // One moment for all: a run and its entries must be seen at the same time.
  if (auto begun = connection.execute("BEGIN"); !begun) return std::unexpected(std::move(begun.error()));
  auto checked = find_all(connection, found);
  auto ended = connection.execute("COMMIT");
  if (!checked) return std::unexpected(std::move(checked.error()));
  if (!ended) return std::unexpected(std::move(ended.error()));
  if (found.size() > kFindingsMax) found.resize(kFindingsMax);
  return found;
}

}  // namespace troupe::journal
