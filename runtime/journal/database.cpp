// The only calls into sqlite3.h, and what its error codes mean in plain words.
#include "runtime/journal/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace troupe::journal {
namespace {

/// How long to wait for another process that recovers or checkpoints the same file.
constexpr int kBusyMillisecondsMax = 10'000;

// `system`: what the system said, as far as SQLite knows. It reports a disk that is full while it makes its
// index of the log as any other failure.
const char* plain_words(int code, int system) {
  if ((code & 0xff) == SQLITE_IOERR && system == ENOSPC) return "the disk is full";
  switch (code & 0xff) {
    case SQLITE_FULL: return "the disk is full";
    case SQLITE_NOTADB: return "the file is no journal";
    case SQLITE_CORRUPT: return "the file is damaged";
    case SQLITE_READONLY: return "the file may not be written";
    case SQLITE_CANTOPEN: return "the file cannot be opened";
    case SQLITE_BUSY: return "another process holds it locked";
    case SQLITE_IOERR: return "the disk could not be read or written";
    default: return nullptr;
  }
}

Error database_error(DatabaseHandle& handle, int code) {
  const char* file = sqlite3_db_filename(handle.db, "main");
  const char* words = plain_words(code, sqlite3_system_errno(handle.db));
  const char* detail = sqlite3_errmsg(handle.db);
  auto what = fmt::format("journal {}: {}{}{}{}", file ? file : "?", words ? words : "", words ? " (" : "",
                          detail, words ? ")" : "");
  int primary = code & 0xff;
  bool row_at_fault = primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
  if (!row_at_fault) handle.broken = true;
  return make_error(row_at_fault ? Errc::invalid_input : Errc::storage, std::move(what));
}

}  // namespace

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto error = database_error(*handle_, sqlite3_extended_errcode(handle_->db));
  reset();
  return std::unexpected(std::move(error));
}

Result<void> Statement::run() {
  auto stepped = step();
  if (!stepped) return std::unexpected(std::move(stepped.error()));
  reset();
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const { return std::string(bytes(column)); }

std::string_view Statement::bytes(int column) const {
  auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data ? std::string_view(data, size) : std::string_view();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::set(int at, double value) { sqlite3_bind_double(statement_.get(), at, value); }

void Statement::set(int at, std::string_view text) {
  // A null pointer would bind NULL, which an empty text is not.
  const char* data = text.data() ? text.data() : "";
  sqlite3_bind_text64(statement_.get(), at, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::set(int at, TextView text) {
  const char* data = text.text.data() ? text.text.data() : "";
  sqlite3_bind_text64(statement_.get(), at, data, text.text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::set(int at, BlobView blob) {
  const char* data = blob.bytes.data() ? blob.bytes.data() : "";
  sqlite3_bind_blob64(statement_.get(), at, data, blob.bytes.size(), SQLITE_STATIC);
}

void Statement::set(int at, const std::optional<std::int64_t>& value) {
  if (value) return set_integer(at, *value);
  sqlite3_bind_null(statement_.get(), at);
}

void Statement::set_integer(int at, std::int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Connection> Connection::open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  if (!db) return fail(Errc::storage, fmt::format("journal {}: no memory to open it", path));
  Connection connection(db);
  if (code != SQLITE_OK) return std::unexpected(database_error(*connection.handle_, code));
  sqlite3_busy_timeout(db, kBusyMillisecondsMax);
  return connection;
}

Result<void> Connection::execute(const char* sql) {
  int code = sqlite3_exec(handle_->db, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(database_error(*handle_, code));
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v3(handle_->db, sql.data(), static_cast<int>(sql.size()),
                                SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(database_error(*handle_, code));
  return Statement(*handle_, statement);
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? statement->integer(0) : 0;
}

Result<std::string> Connection::text(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? statement->text(0) : std::string();
}

Result<void> Connection::checkpoint() {
  int code = sqlite3_wal_checkpoint_v2(handle_->db, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Busy means that another connection is at it already.
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return {};
  return std::unexpected(database_error(*handle_, code));
}

void Connection::watch_wal() {
  auto note = [](void* handle, sqlite3*, const char*, int pages) {
    static_cast<DatabaseHandle*>(handle)->wal_pages = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_->db, note, handle_.get());
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_->db) == 0; }

std::int64_t Connection::last_rowid() const { return sqlite3_last_insert_rowid(handle_->db); }

void Connection::Close::operator()(DatabaseHandle* handle) const {
  sqlite3_close_v2(handle->db);
  delete handle;
}

}  // namespace troupe::journal
