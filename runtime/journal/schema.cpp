// The table definitions, and the questions a file must answer before it is opened.
#include "runtime/journal/schema.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace troupe::journal {
namespace {

/// "Trpe": tells a journal from any other SQLite file.
constexpr std::int64_t kApplicationId = 0x54727065;

// Entries lie in lsn order, so commits append; runs are integers inside, so that the two indexes stay small
// and the runs of now lie side by side in them. Clustering entries by run cost 3 to 10 times the throughput
// (RUNTIME 5.2).
constexpr const char* kTables = R"sql(
CREATE TABLE run(
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, state INTEGER NOT NULL,
  input BLOB, input_blob INTEGER, output BLOB, output_blob INTEGER, tenant TEXT NOT NULL, node TEXT NOT NULL,
  epoch INTEGER NOT NULL, created INTEGER NOT NULL, finished INTEGER NOT NULL, usd REAL NOT NULL,
  tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL);
CREATE TABLE entry(
  lsn INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
  step_key TEXT NOT NULL, input_hash INTEGER NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL,
  at INTEGER NOT NULL, payload BLOB, payload_blob INTEGER);
CREATE UNIQUE INDEX entry_by_run ON entry(run, seq);
CREATE UNIQUE INDEX result_by_step ON entry(run, step_key) WHERE kind = 3;
CREATE TABLE blob(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX blob_by_hash ON blob(hash);
CREATE TABLE usage(
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, step_key TEXT NOT NULL, attempt INTEGER NOT NULL,
  endpoint TEXT NOT NULL, started INTEGER NOT NULL, feature TEXT NOT NULL, tenant TEXT NOT NULL,
  model TEXT NOT NULL, cause TEXT NOT NULL, error TEXT NOT NULL, node TEXT NOT NULL, input INTEGER NOT NULL,
  output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  estimated INTEGER NOT NULL, usd REAL NOT NULL, ttft_ns INTEGER NOT NULL, total_ns INTEGER NOT NULL);
CREATE UNIQUE INDEX usage_once ON usage(run_id, step_key, attempt, endpoint, started);
CREATE TABLE breaker(
  id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, node TEXT NOT NULL, before TEXT NOT NULL,
  after TEXT NOT NULL,
  reason TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, cool_until INTEGER NOT NULL,
  share REAL NOT NULL);
)sql";

// What version 2 added. Written so that a file of version 1 can be given it, and a crash in between does no
// harm.
constexpr const char* kTablesOfVersion2 = R"sql(
CREATE TABLE IF NOT EXISTS control(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, epoch INTEGER NOT NULL,
  node TEXT NOT NULL, body TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS exposure(
  id INTEGER PRIMARY KEY, experiment TEXT NOT NULL, version INTEGER NOT NULL, arm TEXT NOT NULL,
  unit INTEGER NOT NULL, decision TEXT NOT NULL, node TEXT NOT NULL, at INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS exposure_once ON exposure(experiment, version, unit);
)sql";

// What version 3 added, likewise.
constexpr const char* kTablesOfVersion3 = R"sql(
CREATE TABLE IF NOT EXISTS breaker_memory(
  endpoint TEXT PRIMARY KEY, node TEXT NOT NULL, memory TEXT NOT NULL, at INTEGER NOT NULL);
)sql";

// What version 4 added: which price an attempt was booked at, and the reserved capacity it took.
constexpr const char* kColumnsOfVersion4 = R"sql(
ALTER TABLE usage ADD COLUMN price TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN unit_hours REAL NOT NULL DEFAULT 0;
)sql";

// What version 5 added: routing decisions, oldest first.
constexpr const char* kTablesOfVersion5 = R"sql(
CREATE TABLE IF NOT EXISTS decision(
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, at INTEGER NOT NULL);
)sql";

// What version 6 added: trees of runs, parking, seats of nodes (a run's holder is an incarnation), and what
// retention needs to find. Indexes that hold few rows
// each: what is parked, what is a child, what is large.
constexpr const char* kColumnsOfVersion6 = R"sql(
ALTER TABLE run ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN budget TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN wake INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN holder INTEGER NOT NULL DEFAULT 0;
)sql";
constexpr const char* kTablesOfVersion6 = R"sql(
CREATE TABLE IF NOT EXISTS node(
  id TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, address TEXT NOT NULL, region TEXT NOT NULL,
  joined INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS run_due ON run(wake) WHERE state = 1 AND wake > 0;
CREATE INDEX IF NOT EXISTS run_unfinished ON run(node) WHERE state = 1 AND wake = 0;
CREATE INDEX IF NOT EXISTS run_by_parent ON run(parent) WHERE parent <> '';
CREATE INDEX IF NOT EXISTS run_finished ON run(finished) WHERE state IN (2, 4);
CREATE INDEX IF NOT EXISTS run_input_blob ON run(input_blob) WHERE input_blob IS NOT NULL;
CREATE INDEX IF NOT EXISTS run_output_blob ON run(output_blob) WHERE output_blob IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_blob ON entry(payload_blob) WHERE payload_blob IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS child_end_by_key ON entry(run, step_key) WHERE kind = 11;
)sql";

// What version 7 added: signals that wait for their runs. Numbers are never given twice, since a signal
// without an id of its own has its number for one.
constexpr const char* kTablesOfVersion7 = R"sql(
CREATE TABLE IF NOT EXISTS inbox(
  n INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, signal INTEGER, name TEXT NOT NULL,
  json BLOB NOT NULL, at INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS inbox_once ON inbox(run, signal);
)sql";

// What version 8 added: whose answer a decision led to, and what people said of answers.
constexpr const char* kColumnsOfVersion8 = R"sql(
ALTER TABLE decision ADD COLUMN run_id TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN step_key TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN arm TEXT NOT NULL DEFAULT '';
)sql";
constexpr const char* kTablesOfVersion8 = R"sql(
CREATE TABLE IF NOT EXISTS feedback(
  n INTEGER PRIMARY KEY, run_id TEXT NOT NULL, step_key TEXT NOT NULL, rater TEXT NOT NULL,
  decision TEXT NOT NULL, feature TEXT NOT NULL, tenant TEXT NOT NULL, arm TEXT NOT NULL,
  model TEXT NOT NULL, endpoint TEXT NOT NULL, surface TEXT NOT NULL, note TEXT NOT NULL,
  node TEXT NOT NULL, score REAL NOT NULL, asked_share REAL NOT NULL, at INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS feedback_once ON feedback(run_id, step_key, rater);
)sql";

// What version 9 added: what a run's record survives.
constexpr const char* kColumnsOfVersion9 =
    "ALTER TABLE run ADD COLUMN durability INTEGER NOT NULL DEFAULT 0;";

/// New files are for their owner alone: they hold what users wrote. SQLite gives the log the file's
/// permissions. Only a file that was not there is opened here: closing another would drop the locks that
/// SQLite holds on it for this process (sqlite.org/howtocorrupt.html, 2.2).
Result<void> create_private(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno != EEXIST)
    return fail(Errc::storage, fmt::format("journal {}: cannot be created: {}", path, std::strerror(errno)));
  if (descriptor >= 0) ::close(descriptor);
  return {};
}

/// SQLite sees when whole pages are missing, but not when the last one is cut.
Result<void> check_length(Connection& connection, const std::string& path) {
  auto page = connection.integer("PRAGMA page_size");
  if (!page) return std::unexpected(std::move(page.error()));
  std::error_code ignored;
  auto log_size = std::filesystem::file_size(path + "-wal", ignored);
  // After a crash in the middle of a checkpoint the log beside the file holds the rest.
  if (!ignored && log_size > 0) return {};
  auto size = std::filesystem::file_size(path, ignored);
  if (ignored || size % static_cast<std::uintmax_t>(*page) == 0) return {};
  return fail(Errc::storage, fmt::format("journal {}: the file is damaged: its last page is cut", path));
}

struct Marks {
  std::int64_t application = 0, version = 0, objects = 0;
};

Result<Marks> read_marks(Connection& connection) {
  Marks marks;
  struct Question {
    const char* sql;
    std::int64_t Marks::*answer;
  };
  for (auto [sql, answer] : {Question{"PRAGMA application_id", &Marks::application},
                             Question{"PRAGMA user_version", &Marks::version},
                             Question{"SELECT count(*) FROM sqlite_schema", &Marks::objects}}) {
    auto value = connection.integer(sql);
    if (!value) return std::unexpected(std::move(value.error()));
    marks.*answer = *value;
  }
  return marks;
}

/// True when the tables are there, false when the file is new and empty.
Result<bool> recognise(Connection& connection, const std::string& path) {
  if (auto whole = check_length(connection, path); !whole) return std::unexpected(std::move(whole.error()));
  auto marks = read_marks(connection);
  if (!marks) return std::unexpected(std::move(marks.error()));
  if (marks->objects == 0 && marks->application == 0 && marks->version == 0) return false;
  if (marks->application != kApplicationId)
    return fail(Errc::storage, fmt::format("journal {}: the file is a database, but no journal", path));
  if (marks->version > kSchemaVersion)
    return fail(Errc::storage,
                fmt::format("journal {}: the file is of version {}, this program knows {} at most", path,
                            marks->version, kSchemaVersion));
  return true;
}

Result<void> create_tables(Connection& connection) {
  auto sql = fmt::format(
      "BEGIN IMMEDIATE; {} {} {} {} {} {} {} {} {} {} {}"
      " PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;",
      kTables, kTablesOfVersion2, kTablesOfVersion3, kColumnsOfVersion4, kTablesOfVersion5,
      kColumnsOfVersion6, kTablesOfVersion6, kTablesOfVersion7, kColumnsOfVersion8, kTablesOfVersion8,
      kColumnsOfVersion9, kApplicationId, kSchemaVersion);
  return connection.execute(sql.c_str());
}

Result<void> bring_up_to_date(Connection& connection) {
  auto version = connection.integer("PRAGMA user_version");
  if (!version) return std::unexpected(std::move(version.error()));
  if (*version >= kSchemaVersion) return {};
  auto priced = connection.integer(kHasPrices);
  if (!priced) return std::unexpected(std::move(priced.error()));
  auto parents = connection.integer(kHasParents);
  if (!parents) return std::unexpected(std::move(parents.error()));
  auto feedback = connection.integer(kHasFeedback);
  if (!feedback) return std::unexpected(std::move(feedback.error()));
  auto durability = connection.integer(kHasDurability);
  if (!durability) return std::unexpected(std::move(durability.error()));
  auto sql = fmt::format("BEGIN IMMEDIATE; {} {} {} {} {} {} {} {} {} {} PRAGMA user_version={}; COMMIT;",
                         kTablesOfVersion2, kTablesOfVersion3, *priced == 0 ? kColumnsOfVersion4 : "",
                         kTablesOfVersion5, *parents == 0 ? kColumnsOfVersion6 : "", kTablesOfVersion6,
                         kTablesOfVersion7, *feedback == 0 ? kColumnsOfVersion8 : "", kTablesOfVersion8,
                         *durability == 0 ? kColumnsOfVersion9 : "", kSchemaVersion);
  return connection.execute(sql.c_str());
}

Result<void> switch_wal_on(Connection& connection, const SqliteConfig& config) {
  auto mode = connection.text("PRAGMA journal_mode=WAL");
  if (!mode) return std::unexpected(std::move(mode.error()));
  if (*mode != "wal")
    return fail(Errc::storage,
                fmt::format("journal {}: this file system allows no write-ahead log", config.path));
  return connection.execute(config.power_safe ? "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                                              : "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;");
}

Result<void> limit_size(Connection& connection, std::uint64_t bytes_max) {
  if (bytes_max == 0) return {};
  auto page = connection.integer("PRAGMA page_size");
  if (!page) return std::unexpected(std::move(page.error()));
  auto pages = bytes_max / static_cast<std::uint64_t>(*page);
  return connection.execute(fmt::format("PRAGMA max_page_count={}", pages).c_str());
}

}  // namespace

Result<Connection> open_for_writing(const SqliteConfig& config) {
  if (auto made = create_private(config.path); !made) return std::unexpected(std::move(made.error()));
  auto connection = Connection::open(config.path, Connection::Mode::create);
  if (!connection) return connection;
  // The page size takes effect only while the file is empty.
  auto ready = connection->execute(
      "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32000;"
      "PRAGMA trusted_schema=OFF;");
  if (!ready) return std::unexpected(std::move(ready.error()));
  auto known = recognise(*connection, config.path);
  if (!known) return std::unexpected(std::move(known.error()));
  ready = *known ? bring_up_to_date(*connection) : create_tables(*connection);
  if (ready) ready = switch_wal_on(*connection, config);
  if (ready) ready = limit_size(*connection, config.file_bytes_max);
  if (!ready) return std::unexpected(std::move(ready.error()));
  connection->watch_wal();
  return connection;
}

Result<Connection> open_for_reading(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(Errc::input_missing, fmt::format("journal {}: there is no such file", path));
  auto connection = Connection::open(path, Connection::Mode::read);
  if (!connection) return connection;
  auto ready = connection->execute("PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;");
  if (!ready) return std::unexpected(std::move(ready.error()));
  auto known = recognise(*connection, path);
  if (!known) return std::unexpected(std::move(known.error()));
  if (!*known) return fail(Errc::storage, fmt::format("journal {}: the file is empty", path));
  return connection;
}

}  // namespace troupe::journal
