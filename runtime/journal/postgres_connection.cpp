// The only calls into libpq, and what its answers mean.
#include "runtime/journal/postgres_connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace troupe::journal {
namespace {

/// Statements kept prepared in a session; all are forgotten beyond it.
constexpr std::size_t kPreparedMax = 256;
/// Where a column's length stands: behind dimensions, null flag and type.
constexpr std::size_t kArrayLengthAt = 12, kArrayHeaderBytes = 20;

template <class T>
void put_big_endian(std::string& out, T value) {
  for (int shift = (sizeof(T) - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::int64_t big_endian(std::string_view bytes) {
  if (bytes.empty()) return 0;
  // The first byte carries the sign, whatever the width.
  auto value = static_cast<std::int64_t>(static_cast<signed char>(bytes.front()));
  for (char byte : bytes.substr(1))
    value =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8 | static_cast<unsigned char>(byte));
  return value;
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

int milliseconds(Duration d) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, INT32_MAX));
}

std::string session_settings(const PgTarget& target) {
  return fmt::format(
      "SET search_path TO \"{}\"; SET synchronous_commit TO {}; SET idle_in_transaction_session_timeout TO "
      "{};"
      "SET standard_conforming_strings TO on; SET lock_timeout TO {}{}",
      target.schema, target.power_safe ? "on" : "off", milliseconds(target.idle_in_transaction_max),
      milliseconds(target.lock_max),
      target.by_key ? "; SET enable_seqscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off;"
                      " SET jit TO off; SET plan_cache_mode TO force_generic_plan"
                    : "");
}

struct ParamArrays {
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
};

ParamArrays arrays_of(const PgParams& params) {
  ParamArrays out;
  for (auto view : params.views()) {
    // A null pointer would be NULL, which an empty text is not.
    out.values.push_back(view.data() ? view.data() : "");
    out.lengths.push_back(static_cast<int>(view.size()));
    out.formats.push_back(1);
  }
  return out;
}

}  // namespace

PgColumn::PgColumn(Type type) {
  put_big_endian<std::uint32_t>(buffer_, 1);
  put_big_endian<std::uint32_t>(buffer_, 0);
  put_big_endian(buffer_, static_cast<std::uint32_t>(type));
  put_big_endian<std::uint32_t>(buffer_, 0);
  put_big_endian<std::uint32_t>(buffer_, 1);
}

void PgColumn::add_integer(std::int64_t value) {
  put_big_endian<std::uint32_t>(buffer_, 8);
  put_big_endian(buffer_, static_cast<std::uint64_t>(value));
  ++rows_;
}

void PgColumn::add(double value) { add_integer(std::bit_cast<std::int64_t>(value)); }

void PgColumn::add(std::string_view value) {
  put_big_endian(buffer_, static_cast<std::uint32_t>(value.size()));
  buffer_.append(value);
  ++rows_;
}

std::string_view PgColumn::encoded() {
  std::string length;
  put_big_endian(length, rows_);
  buffer_.replace(kArrayLengthAt, length.size(), length);
  return buffer_;
}

void PgColumn::clear() {
  buffer_.resize(kArrayHeaderBytes);
  rows_ = 0;
}

void PgParams::add_integer(std::int64_t value) {
  put_big_endian(numbers_.emplace_back(), static_cast<std::uint64_t>(value));
  views_.push_back(numbers_.back());
}

void PgParams::add(double value) { add_integer(std::bit_cast<std::int64_t>(value)); }

std::size_t PgRows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::string_view PgRows::bytes(std::size_t row, int column) const {
  int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::int64_t PgRows::integer(std::size_t row, int column) const { return big_endian(bytes(row, column)); }

double PgRows::real(std::size_t row, int column) const {
  return std::bit_cast<double>(big_endian(bytes(row, column)));
}

void PgRows::Clear::operator()(pg_result* result) const { PQclear(result); }

void PgConnection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<PgConnection> PgConnection::open(const PgTarget& target) {
  // What stands before the caller's own words can be overruled by them, what stands after cannot.
  const char* keywords[] = {"connect_timeout",
                            "tcp_user_timeout",
                            "keepalives_idle",
                            "dbname",
                            "application_name",
                            "client_encoding",
                            nullptr};
  const char* values[] = {"5",    "10000", "5", target.conninfo.c_str(), target.application.c_str(),
                          "UTF8", nullptr};
  auto* raw = PQconnectdbParams(keywords, values, 1);
  if (!raw) return fail(Errc::storage, "journal: no memory for a connection");
  PgConnection connection(raw, target.answer_max);
  if (PQstatus(raw) != CONNECTION_OK) return connection.lose(first_line(PQerrorMessage(raw)));
  // Notices would go to stderr, which is not ours.
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  if (auto ready = connection.execute(session_settings(target)); !ready)
    return std::unexpected(std::move(ready.error()));
  return connection;
}

std::unexpected<Error> PgConnection::lose(const std::string& why) {
  fault_ = {.lost = true};
  return fail(Errc::storage, fmt::format("journal: the connection to PostgreSQL is lost: {}", why));
}

std::unexpected<Error> PgConnection::note_failure(pg_result* result) {
  auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text ? text : "");
  };
  fault_ = {field(PG_DIAG_SQLSTATE), field(PG_DIAG_CONSTRAINT_NAME), false};
  // 57P01 to 57P03: the server is stopping or starting, and this session with it.
  bool going = fault_.is_class("57P0") || fault_.is_class("08") || fault_.state == "25P03";
  if (fault_.state.empty() || going || PQstatus(connection_.get()) == CONNECTION_BAD) fault_.lost = true;
  return fail(Errc::storage,
              fmt::format("journal: PostgreSQL: {}", field(PG_DIAG_MESSAGE_PRIMARY).empty()
                                                         ? first_line(PQresultErrorMessage(result))
                                                         : field(PG_DIAG_MESSAGE_PRIMARY)));
}

Result<void> PgConnection::wait_for_answer() {
  while (PQisBusy(connection_.get())) {
    pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
    int count = ::poll(&ready, 1, milliseconds(answer_max_));
    if (count == 0) return lose("it does not answer");
    if (count < 0 && errno != EINTR) return lose("its socket cannot be waited for");
    if (PQconsumeInput(connection_.get()) == 0) return lose(first_line(PQerrorMessage(connection_.get())));
  }
  return {};
}

Result<void> PgConnection::execute(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0)
    return lose(first_line(PQerrorMessage(connection_.get())));
  auto done = last_of_query();
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

/// Reads a statement's answers up to their end: the last, or the first failure.
Result<PgRows> PgConnection::last_of_query() {
  Result<PgRows> last = PgRows(nullptr);
  while (true) {
    if (auto come = wait_for_answer(); !come) return std::unexpected(std::move(come.error()));
    auto* result = PQgetResult(connection_.get());
    if (!result) return last;
    PgRows rows(result);
    auto status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!last) continue;
    if (good)
      last = std::move(rows);
    else if (status == PGRES_PIPELINE_ABORTED)
      last = fail(Errc::storage, "journal: skipped after an earlier failure");
    else
      last = note_failure(result);
  }
}

std::pair<std::string, bool> PgConnection::name_of(std::string_view sql) {
  if (auto known = prepared_.find(sql); known != prepared_.end()) return {known->second, false};
  if (prepared_.size() >= kPreparedMax) prepared_.clear();
  auto name = fmt::format("s{}", ++names_given_);
  prepared_.emplace(sql, name);
  return {name, true};
}

Result<void> PgConnection::send_prepared(const std::string& name, const PgParams& params) {
  auto arrays = arrays_of(params);
  int sent = PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(arrays.values.size()),
                                 arrays.values.data(), arrays.lengths.data(), arrays.formats.data(), 1);
  if (sent == 0) return lose(first_line(PQerrorMessage(connection_.get())));
  return {};
}

Result<PgRows> PgConnection::query(std::string_view sql, const PgParams& params) {
  auto [name, fresh] = name_of(sql);
  if (fresh) {
    if (PQsendPrepare(connection_.get(), name.c_str(), std::string(sql).c_str(), 0, nullptr) == 0)
      return lose(first_line(PQerrorMessage(connection_.get())));
    if (auto prepared = last_of_query(); !prepared) {
      prepared_.erase(std::string(sql));
      return prepared;
    }
  }
  if (auto sent = send_prepared(name, params); !sent) return std::unexpected(std::move(sent.error()));
  return last_of_query();
}

Result<void> PgConnection::send(std::string_view sql, const PgParams& params) {
  if (PQpipelineStatus(connection_.get()) == PQ_PIPELINE_OFF && PQenterPipelineMode(connection_.get()) == 0)
    return lose(first_line(PQerrorMessage(connection_.get())));
  auto [name, fresh] = name_of(sql);
  if (fresh) {
    if (PQsendPrepare(connection_.get(), name.c_str(), std::string(sql).c_str(), 0, nullptr) == 0)
      return lose(first_line(PQerrorMessage(connection_.get())));
    expected_.push_back(false);
    preparing_.emplace_back(sql);
  }
  expected_.push_back(true);
  return send_prepared(name, params);
}

Result<std::vector<PgRows>> PgConnection::finish() {
  auto expected = std::exchange(expected_, {});
  auto preparing = std::exchange(preparing_, {});
  if (PQpipelineSync(connection_.get()) == 0) return lose(first_line(PQerrorMessage(connection_.get())));
  Result<std::vector<PgRows>> all = std::vector<PgRows>();
  for (bool statement : expected) {
    auto answer = last_of_query();
    if (fault_.lost && !answer) return std::unexpected(std::move(answer.error()));
    if (!all) continue;
    if (!answer)
      all = std::unexpected(std::move(answer.error()));
    else if (statement)
      all->push_back(std::move(*answer));
  }
  for (bool synced = false; !synced;) {
    if (auto come = wait_for_answer(); !come) return std::unexpected(std::move(come.error()));
    auto* result = PQgetResult(connection_.get());
    if (!result && PQstatus(connection_.get()) == CONNECTION_BAD)
      return lose(first_line(PQerrorMessage(connection_.get())));
    if (!result) continue;
    PgRows keep(result);
    synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    if (!synced && all) all = note_failure(result);
    if (fault_.lost) return all;
  }
  PQexitPipelineMode(connection_.get());
  // Nobody can say which of them the server got to.
  if (!all)
    for (const auto& sql : preparing) prepared_.erase(sql);
  return all;
}

Result<std::vector<std::string>> PgConnection::notifications(Duration wait_max, int wake) {
  pollfd ready[] = {{PQsocket(connection_.get()), POLLIN, 0}, {wake, POLLIN, 0}};
  if (::poll(ready, 2, milliseconds(wait_max)) < 0 && errno != EINTR)
    return lose("its socket cannot be waited for");
  if (PQconsumeInput(connection_.get()) == 0) return lose(first_line(PQerrorMessage(connection_.get())));
  std::vector<std::string> payloads;
  while (auto* note = PQnotifies(connection_.get())) {
    payloads.emplace_back(note->extra ? note->extra : "");
    PQfreemem(note);
  }
  return payloads;
}

}  // namespace troupe::journal
