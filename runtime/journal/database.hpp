// SQLite as values: connections and statements that clean up after themselves and answer with Result.
#pragma once

#include <troupe/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace troupe::journal {

/// What a connection and its statements share.
struct DatabaseHandle {
  sqlite3* db = nullptr;
  /// A failure that is not a constraint: the file or the disk is at fault, not the row.
  bool broken = false;
  /// Size of the write-ahead log after the last commit, in pages.
  int wal_pages = 0;
};

/// Bytes to bind. Not copied: they must live until the statement has run.
struct BlobView {
  std::string_view bytes;
};

/// The same for text; a plain string is copied when it is bound.
struct TextView {
  std::string_view text;
};

/// A prepared statement. Used by one thread at a time, with its connection, which must outlive it.
class Statement {
 public:
  Statement(DatabaseHandle& handle, sqlite3_stmt* statement) : handle_(&handle), statement_(statement) {}

  /// Resets the statement and binds its parameters in order.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int at = 0;
    (set(++at, values), ...);
    return *this;
  }
  /// True when a row is there to be read. `invalid_input` when a constraint refuses the row, else `storage`.
  Result<bool> step();
  /// Steps once and resets: for statements that answer no rows.
  Result<void> run();
  void reset();

  /// Columns count from 0 and are valid until the next step.
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view bytes(int column) const;
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void set(int at, std::integral auto value) { set_integer(at, static_cast<std::int64_t>(value)); }
  void set(int at, double value);
  void set(int at, std::string_view text);
  void set(int at, BlobView blob);
  void set(int at, TextView text);
  void set(int at, const std::optional<std::int64_t>& value);
  void set_integer(int at, std::int64_t value);

  DatabaseHandle* handle_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection. Used by one thread at a time; closing the last one of a file folds the write-ahead log
/// into it.
class Connection {
 public:
  enum class Mode { create, write, read };
  static Result<Connection> open(const std::string& path, Mode mode);

  Result<void> execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  /// The first column of the first row.
  Result<std::int64_t> integer(std::string_view sql);
  Result<std::string> text(std::string_view sql);
  /// Folds what it can of the write-ahead log into the file without making anyone wait.
  Result<void> checkpoint();
  /// From here on the size of the write-ahead log is known after each commit.
  void watch_wal();

  bool broken() const { return handle_->broken; }
  int wal_pages() const { return handle_->wal_pages; }
  bool in_transaction() const;
  std::int64_t last_rowid() const;
  /// For the files of this folder that need more of SQLite than is said here.
  DatabaseHandle& handle() { return *handle_; }

 private:
  struct Close {
    void operator()(DatabaseHandle* handle) const;
  };
  explicit Connection(sqlite3* db) : handle_(new DatabaseHandle{db}) {}

  std::unique_ptr<DatabaseHandle, Close> handle_;
};

}  // namespace troupe::journal
