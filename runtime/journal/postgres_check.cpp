// Reads the whole schema and puts every history to the rules.
#include "runtime/journal/check.hpp"
#include "runtime/journal/postgres_queries.hpp"

#include <utility>

namespace troupe::journal {
namespace {

constexpr std::size_t kPgFindingsMax = 100;

constexpr std::string_view kPgFaults[] = {
    "SELECT 'entry at lsn ' || lsn || ' belongs to no run' FROM entry e"
    " WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = e.run) LIMIT 100",
    "SELECT 'entry at lsn ' || lsn || ' has lost its payload' FROM entry"
    " WHERE payload_sha IS NOT NULL AND payload_sha NOT IN (SELECT sha FROM blob) LIMIT 100",
    "SELECT 'run ' || run_id || ' has lost its input or output' FROM run"
    " WHERE (input_sha IS NOT NULL AND input_sha NOT IN (SELECT sha FROM blob))"
    " OR (output_sha IS NOT NULL AND output_sha NOT IN (SELECT sha FROM blob)) LIMIT 100",
    "SELECT 'run ' || p.run_id || ' has ended, but its child ' || c.run_id || ' is running' FROM run c"
    " JOIN run p ON p.run_id = c.parent WHERE c.parent <> '' AND c.state = 1 AND p.state <> 1 LIMIT 100",
    "SELECT 'ledger: ' || run_id || ' ' || step_key || ' at ' || endpoint || ' has a negative figure' FROM "
    "usage"
    " WHERE least(usd, input, output, cache_read, cache_write, reasoning, ttft_ns, total_ns) < 0 LIMIT 100",
    "SELECT 'blob ' || encode(sha, 'hex') || ' is not what its hash says' FROM blob WHERE sha256(bytes) <> "
    "sha"
    " LIMIT 100",
};
// A portion at a time, in the order of runs; no payloads.
constexpr const char* kPgOutline =
    "DECLARE outline NO SCROLL CURSOR FOR SELECT r.run_id, r.state, r.epoch, r.wake, e.seq, e.lsn, e.kind,"
    " e.step_key, e.epoch, e.attempt FROM run r LEFT JOIN entry e ON e.run = r.id ORDER BY r.id, e.seq";

/// Gathers the rows of one run after another and checks each when the next begins.
class OutlineWalk {
 public:
  explicit OutlineWalk(std::vector<std::string>& found) : found_(found) {}

  void see(const PgRows& rows, std::size_t row) {
    if (rows.bytes(row, 0) != run_.run_id) {
      finish();
      run_.run_id = rows.text(row, 0);
      run_.state = static_cast<RunState>(rows.integer(row, 1));
      run_.epoch = static_cast<std::uint64_t>(rows.integer(row, 2));
      run_.wake.ms = rows.integer(row, 3);
    }
    // A run without entries has one row without an entry.
    if (rows.integer(row, 4) == 0) return;
    Entry entry;
    entry.seq = static_cast<std::uint64_t>(rows.integer(row, 4));
    entry.lsn = static_cast<std::uint64_t>(rows.integer(row, 5));
    entry.kind = static_cast<Kind>(rows.integer(row, 6));
    entry.step_key = rows.text(row, 7);
    entry.epoch = static_cast<std::uint64_t>(rows.integer(row, 8));
    entry.attempt = static_cast<std::uint32_t>(rows.integer(row, 9));
    history_.push_back(std::move(entry));
  }
  void finish() {
    if (!run_.run_id.empty())
      for (auto& fault : check_history(run_, history_)) found_.push_back(std::move(fault));
    history_.clear();
    run_ = {};
  }

 private:
  std::vector<std::string>& found_;
  RunRow run_;
  std::vector<Entry> history_;
};

Result<void> pg_check_histories(PgConnection& connection, std::vector<std::string>& found) {
  if (auto declared = connection.execute(kPgOutline); !declared) return declared;
  OutlineWalk walk(found);
  while (found.size() < kPgFindingsMax) {
    auto rows = connection.query("FETCH 10000 FROM outline");
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (std::size_t row = 0; row < rows->size(); ++row) walk.see(*rows, row);
    if (rows->size() == 0) break;
  }
  walk.finish();
  return {};
}

Result<void> pg_find_all(PgConnection& connection, std::vector<std::string>& found) {
  for (auto sql : kPgFaults) {
    auto rows = connection.query(sql);
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (std::size_t row = 0; row < rows->size(); ++row) found.push_back(rows->text(row, 0));
  }
  return pg_check_histories(connection, found);
}

}  // namespace

Result<std::vector<std::string>> pg_check(PgConnection& connection) {
  std::vector<std::string> found;
  // One moment for all: a run and its entries must be seen at the same time.
  auto checked = connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (checked) checked = pg_find_all(connection, found);
  auto ended = connection.execute("ROLLBACK");
  if (!checked) return std::unexpected(std::move(checked.error()));
  if (!ended) return std::unexpected(std::move(ended.error()));
  if (found.size() > kPgFindingsMax) found.resize(kPgFindingsMax);
  return found;
}

}  // namespace troupe::journal
