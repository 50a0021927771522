#include "runtime/journal/full_text.hpp"

#include <sqlite3.h>

#include <optional>
#include <utility>

namespace troupe::journal {

// What an auxiliary function of FTS5 hears during one query, and where it puts it. Such a function is the
// only door to the counts behind a match; SQL sees no more than that it ran.
struct FullText::State {
  explicit State(Connection opened) : connection(std::move(opened)) {}
  Connection connection;
  std::optional<Statement> insert, match;
  std::vector<WordCount> counts;
  std::int64_t rows = 0;
};

namespace {

constexpr const char* make_table =
    "CREATE VIRTUAL TABLE words USING fts5(title, body, content='', tokenize=\"porter unicode61\")";

void count_words(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* context, int,
                 sqlite3_value**) {
  auto& counts = *static_cast<std::vector<WordCount>*>(api->xUserData(fts));
  WordCount found{.row = api->xRowid(fts)};
  Fts5PhraseIter at{};
  int column = 0, offset = 0;
  int code = api->xPhraseFirst(fts, 0, &at, &column, &offset);
  if (code != SQLITE_OK) return sqlite3_result_error_code(context, code);
  for (; column >= 0; api->xPhraseNext(fts, &at, &column, &offset))
    ++(column == 0 ? found.in_title : found.in_body);
  counts.push_back(found);
  sqlite3_result_int(context, 1);
}

/// The next of SQLite's variable-length integers: seven bits a byte, the most significant first.
std::uint32_t take_varint(std::string_view& bytes) {
  std::uint32_t value = 0;
  while (!bytes.empty()) {
    auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value = value << 7 | (byte & 0x7fu);
    if (byte < 0x80) break;
  }
  return value;
}

/// FTS5's own functions; null when there is no FTS5.
fts5_api* fts5_of(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return api;
}

Result<void> drain(Statement& statement) {
  while (true) {
    auto row = statement.step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) break;
  }
  statement.reset();
  return {};
}

std::string quoted_word(std::string_view word) {
  std::string out = "\"";
  for (char c : word) {
    if (c == '"') out += '"';
    if (c != '\0') out += c;
  }
  return out + '"';
}

}  // namespace

FullText::FullText(std::unique_ptr<State> state) : state_(std::move(state)) {}
FullText::~FullText() = default;
FullText::FullText(FullText&&) noexcept = default;
FullText& FullText::operator=(FullText&&) noexcept = default;

Result<FullText> FullText::make() {
  auto connection = Connection::open(":memory:", Connection::Mode::create);
  if (!connection) return std::unexpected(std::move(connection.error()));
  auto state = std::make_unique<State>(std::move(*connection));
  auto* api = fts5_of(state->connection.handle().db);
  if (!api) return fail(Errc::unsupported, "this SQLite was built without FTS5");
  api->xCreateFunction(api, "count_words", &state->counts, count_words, nullptr);
  auto made = state->connection.execute(make_table);
  if (made) made = state->connection.execute("BEGIN");
  if (!made) return std::unexpected(std::move(made.error()));
  auto insert = state->connection.prepare("INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)");
  if (!insert) return std::unexpected(std::move(insert.error()));
  state->insert = std::move(*insert);
  return FullText(std::move(state));
}

Result<void> FullText::add(std::string_view title, std::string_view body) {
  return state_->insert->with(state_->rows++, title, body).run();
}

Result<std::vector<RowLength>> FullText::finish() {
  auto& connection = state_->connection;
  auto done = connection.execute("INSERT INTO words(words) VALUES ('optimize')");
  if (done) done = connection.execute("COMMIT");
  if (!done) return std::unexpected(std::move(done.error()));
  auto match = connection.prepare("SELECT count_words(words) FROM words WHERE words MATCH ? ORDER BY rowid");
  if (!match) return std::unexpected(std::move(match.error()));
  state_->match = std::move(*match);
  // Each row's words by column (fts5.html 9.4): asking xColumnSize for them would take a match of every row.
  auto sizes = connection.prepare("SELECT id, sz FROM words_docsize");
  if (!sizes) return std::unexpected(std::move(sizes.error()));
  std::vector<RowLength> out(static_cast<std::size_t>(state_->rows));
  while (true) {
    auto row = sizes->step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return out;
    auto bytes = sizes->bytes(1);
    auto title = take_varint(bytes);
    out.at(static_cast<std::size_t>(sizes->integer(0))) = {title, take_varint(bytes)};
  }
}

Result<std::vector<WordCount>> FullText::count(std::string_view word) {
  state_->counts.clear();
  auto quoted = quoted_word(word);
  auto drained = drain(state_->match->with(std::string_view(quoted)));
  if (!drained) return std::unexpected(std::move(drained.error()));
  return std::exchange(state_->counts, {});
}

}  // namespace troupe::journal
