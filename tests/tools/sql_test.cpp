// A model asks a database: what it may know, and the many things it may not do.
#include "runtime/tools/sql.hpp"

#include "runtime/journal/database.hpp"

#include "tests/support/temp_folder.hpp"
#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHostile[] = {"INSERT INTO ships VALUES('x',1,1,NULL)",
                                    "UPDATE ships SET crew = 0",
                                    "DELETE FROM ships",
                                    "REPLACE INTO ships(name) VALUES('x')",
                                    "WITH x AS (SELECT 1) DELETE FROM ships",
                                    "INSERT INTO ships DEFAULT VALUES RETURNING name",
                                    "DROP TABLE ships",
                                    "DROP VIEW crews",
                                    "CREATE TABLE t(a)",
                                    "CREATE TEMP TABLE t(a)",
                                    "CREATE TABLE t AS SELECT * FROM ships",
                                    "CREATE TRIGGER t AFTER INSERT ON ships BEGIN SELECT 1; END",
                                    "CREATE TEMP VIEW v AS SELECT 1",
                                    "CREATE INDEX i ON ships(name)",
                                    "CREATE VIRTUAL TABLE v USING fts5(a)",
                                    "CREATE VIRTUAL TABLE temp.v USING dbstat",
                                    "ALTER TABLE ships ADD COLUMN x",
                                    "ALTER TABLE ships RENAME TO boats",
                                    "ATTACH ':memory:' AS a",
                                    "DETACH main",
                                    "VACUUM",
                                    "REINDEX",
                                    "ANALYZE",
                                    "BEGIN",
                                    "BEGIN IMMEDIATE",
                                    "COMMIT",
                                    "ROLLBACK",
                                    "SAVEPOINT s",
                                    "RELEASE s",
                                    "PRAGMA user_version",
                                    "PRAGMA user_version = 5",
                                    "PRAGMA journal_mode = WAL",
                                    "PRAGMA writable_schema = 1",
                                    "PRAGMA temp_store_directory = '/'",
                                    "SELECT * FROM pragma_table_info('ships')",
                                    "SELECT * FROM pragma_database_list",
                                    "SELECT * FROM pragma_function_list",
                                    "SELECT load_extension('libc.so.6')",
                                    "SELECT readfile('/etc/passwd')",
                                    "SELECT edit('x')",
                                    "SELECT fts3_tokenizer('simple')",
                                    "SELECT sqlite_compileoption_get(1)",
                                    "SELECT randomblob(1000000000)",
                                    "SELECT zeroblob(1000000000)",
                                    "SELECT last_insert_rowid(), changes()",
                                    "SELECT * FROM dbstat",
                                    "SELECT * FROM sqlite_dbpage",
                                    "SELECT * FROM sqlite_temp_master",
                                    "SELECT * FROM fsdir('/')",
                                    "SELECT 1; DROP TABLE ships",
                                    "SELECT 1; SELECT 2",
                                    "SELECT 1;; /* x */ PRAGMA user_version",
                                    "EXPLAIN SELECT * FROM ships",
                                    "EXPLAIN QUERY PLAN DELETE FROM ships",
                                    "SELECT * FROM nothing",
                                    "SELECT name FROM ships WHERE name MATCH 'x'",
                                    "SELECT name FROM ships WHERE name REGEXP 'x'",
                                    "SELECT count(*) FROM pragma_table_info('ships')",
                                    "SELECT count(*) FROM sqlite_temp_schema",
                                    "SELECT replace(hex(printf('%900000s', 'x')), '2', 'xxxx')",
                                    "SELECT ?1 FROM",
                                    ".shell ls",
                                    "",
                                    "-- nothing"};

class SqlTool : public ::testing::Test {
 protected:
  SqlTool() {
    auto db = journal::Connection::open(path_.string(), journal::Connection::Mode::create);
    EXPECT_TRUE(
        db->execute("CREATE TABLE ships(name TEXT, tons REAL, crew INTEGER, log BLOB);"
                    "INSERT INTO ships VALUES('Ada', 12.5, 3, x'0102'), ('Bee', NULL, 4, NULL);"
                    "CREATE VIEW crews AS SELECT sum(crew) AS hands FROM ships;"));
  }

  ToolPtr tool(const journal::SandboxLimits& limits = {}) {
    auto made = make_sql_tool({.path = path_.string(), .limits = limits}, system_clock());
    EXPECT_TRUE(made) << made.error().what;
    return *made;
  }
  static ToolOutput ask(Tool& tool, const std::string& query) {
    return *call(tool, dump_json(Json{{"query", query}}));
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  const troupe::testing::TempFolder folder_;
  const fs::path path_ = fs::path(folder_.path()) / "ships.db";
};

TEST_F(SqlTool, AnswersInCompactJson) {
  auto asked = tool();
  EXPECT_EQ(
      ask(*asked, "SELECT * FROM ships ORDER BY name;  -- all").text,
      R"({"columns":["name","tons","crew","log"],"rows":[["Ada",12.5,3,{"blob_bytes":2}],["Bee",null,4,null]]})");
  EXPECT_EQ(ask(*asked, "SELECT hands FROM crews").text, R"({"columns":["hands"],"rows":[[7]]})");
  EXPECT_NE(asked->spec().description.find("crews, ships"), std::string::npos);
}

TEST_F(SqlTool, AllowsWhatAnalystsUse) {
  auto asked = tool();
  for (std::string query :
       {"WITH big AS (SELECT * FROM ships WHERE crew > 3) SELECT count(*), upper(max(name)) FROM big",
        "SELECT name, rank() OVER (ORDER BY crew DESC) FROM ships", "VALUES (1), (2)",
        "SELECT name FROM ships WHERE name LIKE 'a%' OR name GLOB 'B*'",
        "SELECT date('now'), strftime('%Y', 'now')", "SELECT sql FROM sqlite_schema",
        "SELECT a.name FROM ships a JOIN ships b ON a.crew < b.crew",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i) FROM n",
        "SELECT json_extract('{\"a\":1}', '$.a'), round(2.55, 1), coalesce(NULL, 1), printf('%d', 3)",
        "SELECT group_concat(name, '; ') FROM ships GROUP BY crew HAVING count(*) > 0"})
    EXPECT_FALSE(ask(*asked, query).is_error) << query << ": " << ask(*asked, query).text;
}

TEST_F(SqlTool, RefusesEverythingElse) {
  auto asked = tool();
  const auto before = bytes();
  const auto aside = folder_.path() + "/aside";
  std::vector<std::string> hostile(std::begin(kHostile), std::end(kHostile));
  hostile.insert(hostile.end(),
                 {"ATTACH '" + aside + "' AS a", "VACUUM INTO '" + aside + "'",
                  "SELECT writefile('" + aside + "', 'x')", std::string("SELECT 1\0; DROP TABLE ships", 27),
                  "SELECT " + std::string(200, '(') + "1" + std::string(200, ')'),
                  std::string(20'000, ' ') + "SELECT 1"});
  for (const auto& query : hostile) {
    auto out = ask(*asked, query);
    EXPECT_TRUE(out.is_error) << query << " -> " << out.text;
  }
  EXPECT_GE(hostile.size(), 40u);
  EXPECT_EQ(bytes(), before);
  EXPECT_FALSE(fs::exists(aside));
  EXPECT_FALSE(ask(*asked, "SELECT count(*) FROM ships").is_error);
}

TEST_F(SqlTool, StopsWhatRunsTooLong) {
  auto asked = tool({.time_max = std::chrono::milliseconds(50)});
  for (std::string query :
       {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n ORDER BY "
        "random()"})
    EXPECT_EQ(ask(*asked, query).text, "the query took too long");
  EXPECT_FALSE(ask(*asked, "SELECT 1").is_error);
}

TEST_F(SqlTool, ShowsNoMoreThanItsLimits) {
  auto count = [](const ToolOutput& out) { return find(*parse_json(out.text), "rows")->size(); };
  const std::string many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT i FROM n";
  auto rows = tool({.rows_max = 3});
  EXPECT_EQ(count(ask(*rows, fmt::format(fmt::runtime(many), 3))), 3u);
  EXPECT_EQ(ask(*rows, fmt::format(fmt::runtime(many), 3)).text.find("cut"), std::string::npos);
  EXPECT_EQ(count(ask(*rows, fmt::format(fmt::runtime(many), 4))), 3u);
  EXPECT_NE(ask(*rows, fmt::format(fmt::runtime(many), 4)).text.find("\"cut\":true"), std::string::npos);
  auto bytes = tool({.bytes_max = 100});
  EXPECT_EQ(count(ask(*bytes, "SELECT printf('%40s', 'x') FROM ships a, ships b")), 2u);
}

TEST_F(SqlTool, NeedsADatabase) {
  EXPECT_EQ(make_sql_tool({.path = path_.string() + ".none"}, system_clock()).error().code,
            Errc::input_missing);
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_EQ(make_sql_tool({.path = path_.string()}, system_clock()).error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace troupe::tools
