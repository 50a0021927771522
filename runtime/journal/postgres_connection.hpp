// PostgreSQL as values: connections, parameters and rows that clean up after themselves and answer with
// Result.
#pragma once

#include <troupe/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace troupe::journal {

/// One column of a multi-row statement: an array in the server's binary form (its array_recv reads:
/// dimensions, whether there are nulls, element type, length, first index, then each element behind its size,
/// all in network order).
class PgColumn {
 public:
  /// The server's numbers of these types.
  enum class Type : std::uint32_t { integer = 20, real = 701, text = 25, bytes = 17 };
  explicit PgColumn(Type type);

  void add(std::integral auto value) { add_integer(static_cast<std::int64_t>(value)); }
  void add(double value);
  void add(std::string_view value);
  /// Valid until the next call.
  std::string_view encoded();
  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return buffer_.size(); }
  void clear();

 private:
  void add_integer(std::int64_t value);

  std::string buffer_;
  std::uint32_t rows_ = 0;
};

/// The values of one statement, in order. Texts and columns are not copied: they must live until it was sent.
class PgParams {
 public:
  template <class... Values>
  static PgParams of(Values&&... values) {
    PgParams params;
    (params.add(values), ...);
    return params;
  }
  void add(std::integral auto value) { add_integer(static_cast<std::int64_t>(value)); }
  void add(double value);
  void add(std::string_view value) { views_.push_back(value); }
  void add(const std::string& value) { views_.push_back(value); }
  void add(PgColumn& column) { views_.push_back(column.encoded()); }
  const std::vector<std::string_view>& views() const { return views_; }

 private:
  void add_integer(std::int64_t value);

  std::deque<std::string> numbers_;
  std::vector<std::string_view> views_;
};

/// What a statement answered. Columns count from 0.
class PgRows {
 public:
  explicit PgRows(pg_result* result) : result_(result) {}

  std::size_t size() const;
  /// Any of the server's integer types, or a boolean as 0 and 1.
  std::int64_t integer(std::size_t row, int column) const;
  double real(std::size_t row, int column) const;
  /// Valid as long as this is.
  std::string_view bytes(std::size_t row, int column) const;
  std::string text(std::size_t row, int column) const { return std::string(bytes(row, column)); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

struct PgTarget {
  std::string conninfo, schema, application;
  bool power_safe = true;
  /// A server that is silent for longer is given up, as if the connection had broken.
  Duration answer_max = std::chrono::seconds(30);
  /// A statement that waits longer for a lock fails with SQLSTATE 55P03.
  Duration lock_max = std::chrono::seconds(30);
  /// The server ends a transaction that waits for us longer: a stopped process must not keep its locks.
  Duration idle_in_transaction_max = std::chrono::seconds(10);
  /// Rows are found by their keys alone: of use to who asks for few rows of large tables, again and again. A
  /// statement's plan is kept, and one that was made while a table was empty reads all of it ever after.
  bool by_key = false;
};

/// Where the nodes of a schema hear of each other's hints.
inline std::string channel_of(const PgTarget& target) { return "troupe." + target.schema; }

/// How the last failure came about.
struct PgFault {
  /// Five characters (Appendix A of PostgreSQL's manual); empty when the connection was at fault.
  std::string state;
  std::string constraint;
  /// The connection is gone. What was under way has an unknown outcome.
  bool lost = false;

  bool is_class(std::string_view begin) const { return state.starts_with(begin); }
};

/// One session. Used by one thread at a time. All failures are `storage`; fault() tells them apart.
class PgConnection {
 public:
  static Result<PgConnection> open(const PgTarget& target);

  /// Several commands without parameters, as one transaction unless they say otherwise.
  Result<void> execute(const std::string& sql);
  /// One statement; prepared on its first use. Write `$1::int8` and the like: values travel in binary form.
  Result<PgRows> query(std::string_view sql, const PgParams& params = {});
  /// Statements sent without waiting in between. finish() answers one for each, or the first failure, after
  /// which the server has skipped the rest; an open transaction is then still to be rolled back.
  Result<void> send(std::string_view sql, const PgParams& params = {});
  Result<std::vector<PgRows>> finish();

  /// Waits until a notification came, `wake` (a descriptor) can be read, or the time is over; answers the
  /// payloads that came.
  Result<std::vector<std::string>> notifications(Duration wait_max, int wake);

  bool lost() const { return fault_.lost; }
  const PgFault& fault() const { return fault_; }

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  PgConnection(pg_conn* connection, Duration answer_max) : connection_(connection), answer_max_(answer_max) {}

  Result<void> wait_for_answer();
  Result<PgRows> last_of_query();
  /// The statement's name, and whether it is new to the server.
  std::pair<std::string, bool> name_of(std::string_view sql);
  Result<void> send_prepared(const std::string& name, const PgParams& params);
  std::unexpected<Error> lose(const std::string& why);
  std::unexpected<Error> note_failure(pg_result* result);

  std::unique_ptr<pg_conn, Close> connection_;
  Duration answer_max_;
  PgFault fault_;
  std::map<std::string, std::string, std::less<>> prepared_;
  std::uint64_t names_given_ = 0;
  /// What is in the pipeline: true for a statement's answer, false for that of its preparation.
  std::deque<bool> expected_;
  /// Statements whose preparation is under way; forgotten when it fails.
  std::vector<std::string> preparing_;
};

}  // namespace troupe::journal
