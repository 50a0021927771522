#include "runtime/journal/sandbox.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

namespace troupe::journal {

struct SandboxState {
  SandboxState(Connection opened, const SandboxLimits& given, Clock& its_clock)
      : connection(std::move(opened)), limits(given), clock(its_clock) {}
  sqlite3* db() { return connection.handle().db; }

  Connection connection;
  const SandboxLimits limits;
  Clock& clock;
  std::set<std::string, std::less<>> tables, modules;
  Instant until{};
  std::string refusal;  // why the authorizer said no, for the caller
  bool late = false;
};

namespace {

// Functions of values alone: nothing that reads files, loads code or names memory; random() and the time of
// day are harmless. `like` and `glob` are also what the operators call.
constexpr std::string_view kSafeFunctions =
    " abs acos asin atan atan2 avg ceil ceiling char coalesce cos count cume_dist date datetime degrees "
    "dense_rank exp "
    "first_value floor format glob group_concat hex ifnull iif instr json json_array json_array_length "
    "json_each "
    "json_extract json_group_array json_group_object json_object json_quote json_type json_valid julianday "
    "lag "
    "last_value lead length like ln log log10 log2 lower ltrim max min mod nth_value ntile nullif "
    "percent_rank pi pow "
    "power printf quote radians random rank replace round row_number rtrim sign sin sqrt strftime substr "
    "substring "
    "sum tan time total trim typeof upper ";

bool safe_function(const std::string& name) {
  return name.find(' ') == std::string::npos &&
         kSafeFunctions.find(" " + name + " ") != std::string_view::npos;
}

/// Also what SQLite itself always has.
bool schema_table(std::string_view name) {
  return name == "sqlite_master" || name == "sqlite_schema" || name == "json_each" || name == "json_tree";
}

std::string folded(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

bool refuse(std::string& refusal, std::string why) {
  if (refusal.empty()) refusal = std::move(why);
  return false;
}

// A table of which no column is used is told to the authorizer by its name alone, be it real, a module's or
// one that WITH has made.
bool names_no_column(const char* column) { return !column || *column == '\0'; }
bool no_real_table(const SandboxState& its, const std::string& name) {
  return !its.modules.contains(name) && !name.starts_with("sqlite_") && !name.starts_with("pragma_");
}

bool allowed(SandboxState& its, int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE: return true;
    case SQLITE_READ: {
      auto table = folded(first ? first : "");
      if (schema_table(table) || its.tables.contains(table)) return true;
      if (names_no_column(second) && no_real_table(its, table)) return true;
      return refuse(its.refusal, fmt::format("the table {} may not be read", table));
    }
    case SQLITE_FUNCTION: {
      auto function = folded(second ? second : "");
      if (safe_function(function)) return true;
      return refuse(its.refusal, fmt::format("the function {} may not be used", function));
    }
    default: return refuse(its.refusal, "only SELECT may be used");
  }
}

/// Compiled, or null for a text without a statement.
struct FinalizeAsked {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Asked = std::unique_ptr<sqlite3_stmt, FinalizeAsked>;

SandboxValue value_of(sqlite3_stmt* statement, int column) {
  auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, column)); };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text ? text : "", text ? size() : 0);
    }
    case SQLITE_BLOB: return BlobSize{size()};
    default: return std::monostate();
  }
}

std::size_t bytes_of(const SandboxValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return 8 + (text ? text->size() : 0);
}

void set_limits(sqlite3* db, const SandboxLimits& limits) {
  const std::array<std::pair<int, int>, 10> bounds = {
      {{SQLITE_LIMIT_LENGTH, static_cast<int>(limits.value_bytes_max)},
       {SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(limits.sql_bytes_max)},
       {SQLITE_LIMIT_COLUMN, static_cast<int>(limits.columns_max)},
       {SQLITE_LIMIT_EXPR_DEPTH, 100},
       {SQLITE_LIMIT_COMPOUND_SELECT, 20},
       {SQLITE_LIMIT_VDBE_OP, 100'000},
       {SQLITE_LIMIT_ATTACHED, 0},
       {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200},
       {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
       {SQLITE_LIMIT_WORKER_THREADS, 0}}};
  for (auto [what, most] : bounds) sqlite3_limit(db, what, most);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
}

std::unexpected<Error> why_not(SandboxState& its) {
  if (its.late) return fail(Errc::deadline_exceeded, "the query took too long");
  if (!its.refusal.empty()) return fail(Errc::permission, its.refusal);
  return fail(Errc::invalid_input, sqlite3_errmsg(its.db()));
}

Result<Asked> compiled(SandboxState& its, const std::string& sql) {
  sqlite3_stmt *first = nullptr, *more = nullptr;
  const char* tail = nullptr;
  int code = sqlite3_prepare_v2(its.db(), sql.c_str(), -1, &first, &tail);
  Asked statement(first);
  if (code != SQLITE_OK) return why_not(its);
  if (!statement) return fail(Errc::invalid_input, "there is no statement");
  code = sqlite3_prepare_v2(its.db(), tail, -1, &more, nullptr);
  Asked second(more);
  if (code != SQLITE_OK || second) return fail(Errc::permission, "only one statement may be given");
  // REINDEX of nothing would pass: what answers no columns is no question.
  bool asks = sqlite3_column_count(first) > 0 && sqlite3_stmt_isexplain(first) == 0;
  if (!sqlite3_stmt_readonly(first) || !asks) return fail(Errc::permission, "only SELECT may be used");
  return statement;
}

Result<SandboxRows> rows_of(SandboxState& its, sqlite3_stmt* statement) {
  SandboxRows out;
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    out.columns.emplace_back(name ? name : "");
  }
  std::size_t bytes = 0;
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    std::vector<SandboxValue> row;
    for (int i = 0; i < columns; ++i) {
      row.push_back(value_of(statement, i));
      bytes += bytes_of(row.back());
    }
    out.cut = out.rows.size() == its.limits.rows_max || bytes > its.limits.bytes_max;
    if (out.cut) return out;
    out.rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return why_not(its);
  return out;
}

}  // namespace

Sandbox::Sandbox(std::unique_ptr<SandboxState> state) : state_(std::move(state)) {}
Sandbox::~Sandbox() = default;
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;

Result<Sandbox> Sandbox::open(const std::string& path, const SandboxLimits& limits, Clock& clock) {
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec))
    return fail(Errc::input_missing, fmt::format("there is no file {}", path));
  auto connection = Connection::open(path, Connection::Mode::read);
  if (!connection) return fail(Errc::invalid_input, fmt::format("{} cannot be opened", path));
  auto state = std::make_unique<SandboxState>(std::move(*connection), limits, clock);
  auto names = state->connection.prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')");
  auto row = names ? names->step() : Result<bool>(std::unexpected(names.error()));
  for (; row && *row; row = names->step()) state->tables.insert(folded(names->text(0)));
  auto modules = state->connection.prepare("SELECT name FROM pragma_module_list");
  if (row) row = modules ? modules->step() : Result<bool>(std::unexpected(modules.error()));
  for (; row && *row; row = modules->step()) state->modules.insert(folded(modules->text(0)));
  if (!row) return fail(Errc::invalid_input, fmt::format("{} is no database that can be read", path));
  set_limits(state->db(), limits);
  sqlite3_set_authorizer(
      state->db(),
      [](void* it, int action, const char* first, const char* second, const char*, const char*) {
        auto& asked = *static_cast<SandboxState*>(it);
        return allowed(asked, action, first, second) ? SQLITE_OK : SQLITE_DENY;
      },
      state.get());
  // Every thousand steps of SQLite's machine, some tens of microseconds.
  sqlite3_progress_handler(
      state->db(), 1000,
      [](void* it) {
        auto& asked = *static_cast<SandboxState*>(it);
        asked.late = asked.clock.now() >= asked.until;
        return asked.late ? 1 : 0;
      },
      state.get());
  return Sandbox(std::move(state));
}

Result<SandboxRows> Sandbox::query(std::string_view sql) {
  auto& its = *state_;
  its.refusal.clear();
  its.late = false;
  its.until = its.clock.now() + its.limits.time_max;
  if (sql.size() >= its.limits.sql_bytes_max) return fail(Errc::invalid_input, "the statement is too long");
  if (sql.find('\0') != std::string_view::npos)
    return fail(Errc::invalid_input, "the statement holds a NUL byte");
  auto statement = compiled(its, std::string(sql));
  if (!statement) return std::unexpected(std::move(statement.error()));
  return rows_of(its, statement->get());
}

}  // namespace troupe::journal
