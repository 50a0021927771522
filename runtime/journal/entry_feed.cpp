// The virtual table that lists what is to be inserted (sqlite.org/vtab.html), and the statement that reads
// it.
#include "runtime/journal/entry_feed.hpp"

#include <sqlite3.h>

#include <utility>
#include <vector>

namespace troupe::journal {

struct EntryFeed::Rows {
  struct Row {
    std::int64_t run;
    const Entry* entry;
    Stored payload;
  };
  std::vector<Row> list;
};

namespace {

constexpr const char* kFeedColumns =
    "CREATE TABLE feed(run, seq, kind, step_key, input_hash, epoch, attempt, at, payload, payload_blob)";
// FAIL: whoever meets a conflict rolls everything back, so SQLite need not keep what the statement changed.
constexpr std::string_view kInsertFeed =
    "INSERT OR FAIL INTO entry(run, seq, kind, step_key, input_hash, epoch, attempt, at, payload,"
    " payload_blob) SELECT run, seq, kind, step_key, input_hash, epoch, attempt, at, payload, payload_blob"
    " FROM feed";

struct FeedTable : sqlite3_vtab {
  void* rows = nullptr;
};
struct FeedCursor : sqlite3_vtab_cursor {
  std::size_t at = 0;
};

int connect_feed(sqlite3* db, void* rows, int, const char* const*, sqlite3_vtab** out, char**) {
  if (int code = sqlite3_declare_vtab(db, kFeedColumns); code != SQLITE_OK) return code;
  auto table = std::make_unique<FeedTable>();
  table->rows = rows;
  *out = table.release();
  return SQLITE_OK;
}

int leave_feed(sqlite3_vtab* table) {
  delete static_cast<FeedTable*>(table);
  return SQLITE_OK;
}

int plan_feed(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }

int open_feed(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = std::make_unique<FeedCursor>().release();
  return SQLITE_OK;
}

int close_feed(sqlite3_vtab_cursor* cursor) {
  delete static_cast<FeedCursor*>(cursor);
  return SQLITE_OK;
}

int rewind_feed(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  static_cast<FeedCursor*>(cursor)->at = 0;
  return SQLITE_OK;
}

int step_feed(sqlite3_vtab_cursor* cursor) {
  ++static_cast<FeedCursor*>(cursor)->at;
  return SQLITE_OK;
}

int feed_rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(static_cast<FeedCursor*>(cursor)->at);
  return SQLITE_OK;
}

void give_bytes(sqlite3_context* context, std::string_view bytes, bool text) {
  // A null pointer would be NULL, which an empty text is not.
  const char* data = bytes.data() ? bytes.data() : "";
  if (text) return sqlite3_result_text64(context, data, bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_result_blob64(context, data, bytes.size(), SQLITE_STATIC);
}

void give_integer(sqlite3_context* context, std::uint64_t value) {
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(value));
}

void give_column(sqlite3_context* context, int column, std::int64_t run, const Entry& entry,
                 const Stored& payload) {
  switch (column) {
    case 0: return sqlite3_result_int64(context, run);
    case 1: return give_integer(context, entry.seq);
    case 2: return sqlite3_result_int(context, static_cast<int>(entry.kind));
    case 3: return give_bytes(context, entry.step_key, true);
    case 4: return give_integer(context, entry.input_hash);
    case 5: return give_integer(context, entry.epoch);
    case 6: return give_integer(context, entry.attempt);
    case 7: return sqlite3_result_int64(context, entry.at.ms);
    case 8: return give_bytes(context, payload.here, false);
    default:
      if (!payload.blob) return sqlite3_result_null(context);
      return sqlite3_result_int64(context, *payload.blob);
  }
}

template <class Rows>
struct FeedModule {
  static Rows& rows_of(sqlite3_vtab_cursor* cursor) {
    return *static_cast<Rows*>(static_cast<FeedTable*>(cursor->pVtab)->rows);
  }
  static int at_end(sqlite3_vtab_cursor* cursor) {
    return static_cast<FeedCursor*>(cursor)->at >= rows_of(cursor).list.size() ? 1 : 0;
  }
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int number) {
    const auto& row = rows_of(cursor).list[static_cast<FeedCursor*>(cursor)->at];
    give_column(context, number, row.run, *row.entry, row.payload);
    return SQLITE_OK;
  }
  // Without xCreate the table is there under the module's name, and in no schema.
  static sqlite3_module make() {
    sqlite3_module module{};
    module.xConnect = connect_feed;
    module.xBestIndex = plan_feed;
    module.xDisconnect = leave_feed;
    module.xOpen = open_feed;
    module.xClose = close_feed;
    module.xFilter = rewind_feed;
    module.xNext = step_feed;
    module.xEof = at_end;
    module.xColumn = column;
    module.xRowid = feed_rowid;
    return module;
  }
};

}  // namespace

EntryFeed::EntryFeed(std::unique_ptr<Rows> rows, Statement insert)
    : rows_(std::move(rows)), insert_(std::move(insert)) {}
EntryFeed::EntryFeed(EntryFeed&&) noexcept = default;
EntryFeed::~EntryFeed() = default;

Result<EntryFeed> EntryFeed::open(Connection& connection) {
  static const sqlite3_module module = FeedModule<Rows>::make();
  auto rows = std::make_unique<Rows>();
  int code = sqlite3_create_module(connection.handle().db, "feed", &module, rows.get());
  if (code != SQLITE_OK) return fail(Errc::storage, "journal: the table of new entries cannot be made");
  auto insert = connection.prepare(kInsertFeed);
  if (!insert) return std::unexpected(std::move(insert.error()));
  return EntryFeed(std::move(rows), std::move(*insert));
}

void EntryFeed::add(std::int64_t run, const Entry& entry, Stored payload) {
  rows_->list.push_back({run, &entry, payload});
}

bool EntryFeed::empty() const { return rows_->list.empty(); }
void EntryFeed::clear() { rows_->list.clear(); }

Result<void> EntryFeed::insert() {
  if (empty()) return {};
  auto put = insert_.run();
  clear();
  return put;
}

}  // namespace troupe::journal
