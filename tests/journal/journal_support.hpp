// What the journal tests share: a folder or schema that goes away, short ways to write, a child to crash.
#pragma once

#include "runtime/journal/journal.hpp"
#include "tests/support/postgres_server.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace troupe::journal {

/// A folder of its own for each test, removed after it.
class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe_journal_XXXXXX").string();
    folder_ = mkdtemp(name.data()) ? name : "";
  }
  ~JournalTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name = "runs.db") const { return (folder_ / name).string(); }
  SqliteConfig config() const { return {.path = path()}; }
  std::unique_ptr<Journal> open(SqliteConfig config) {
    auto opened = open_sqlite(std::move(config));
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Journal> open() { return open(config()); }

  std::filesystem::path folder_;
};

enum class StoreKind { sqlite, postgres };
inline void PrintTo(StoreKind kind, std::ostream* out) {
  *out << (kind == StoreKind::sqlite ? "sqlite" : "postgres");
}

/// What both stores understand of their configs.
struct StoreOptions {
  std::size_t payload_bytes_max = 16u << 20, queue_bytes_max = 256u << 20;
  std::size_t batch_entries_max = 1024, batch_bytes_max = 4u << 20;
};

/// Tests that hold of every store; the parameter says of which. Opening again is a new process of node n1.
class StoreTest : public JournalTest, public ::testing::WithParamInterface<StoreKind> {
 protected:
  void SetUp() override {
    if (GetParam() == StoreKind::sqlite) return;
    if (!server().available()) GTEST_SKIP() << troupe::testing::PostgresServer::why_not();
    schema_ = server().emptied_schema();
  }
  static troupe::testing::PostgresServer& server() { return troupe::testing::PostgresServer::shared(); }
  PostgresConfig postgres() const {
    return {.conninfo = server().conninfo(), .schema = schema_, .node = "n1"};
  }
  std::unique_ptr<Journal> open(const StoreOptions& options = {}) {
    if (GetParam() == StoreKind::sqlite)
      return JournalTest::open({.path = path(),
                                .batch_entries_max = options.batch_entries_max,
                                .batch_bytes_max = options.batch_bytes_max,
                                .payload_bytes_max = options.payload_bytes_max,
                                .queue_bytes_max = options.queue_bytes_max});
    auto config = postgres();
    config.batch_entries_max = options.batch_entries_max;
    config.batch_bytes_max = options.batch_bytes_max;
    config.payload_bytes_max = options.payload_bytes_max;
    config.queue_bytes_max = options.queue_bytes_max;
    auto opened = open_postgres(config);
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Journal> open_readonly() {
    auto opened =
        GetParam() == StoreKind::sqlite ? open_sqlite_readonly(path()) : open_postgres_readonly(postgres());
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? std::move(*opened) : nullptr;
  }

  std::string schema_;
};

inline RunRow run_row(const std::string& id) {
  RunRow row;
  row.run_id = id;
  row.workflow = "recap";
  row.input = "{}";
  row.node = "n1";
  row.created = {1000};
  return row;
}

inline Entry entry(const std::string& run, std::uint64_t seq, Kind kind = Kind::signal_in,
                   const std::string& key = "k", std::uint64_t epoch = 1) {
  Entry e;
  e.run_id = run;
  e.seq = seq;
  e.kind = kind;
  e.step_key = key;
  e.epoch = epoch;
  e.at = {2000};
  e.payload = "p" + std::to_string(seq);
  return e;
}

inline Batch batch_of(Entry e) {
  Batch batch;
  batch.entries.push_back(std::move(e));
  return batch;
}

/// Appends and waits for the answer.
inline Result<void> append_now(Journal& journal, Batch batch) {
  std::promise<Result<void>> answered;
  journal.append(std::move(batch), [&](Result<void> answer) { answered.set_value(std::move(answer)); });
  return answered.get_future().get();
}
inline Result<void> append_now(Journal& journal, Entry e) {
  return append_now(journal, batch_of(std::move(e)));
}

inline std::vector<std::string> faults(Journal& journal) {
  auto found = journal.check();
  return found ? *found : std::vector<std::string>{found.error().what};
}

inline std::vector<std::string> ids(const Result<std::vector<RunRow>>& rows) {
  std::vector<std::string> out;
  if (rows)
    for (const auto& row : *rows) out.push_back(row.run_id);
  return out;
}

/// Runs `body` in a child process and answers its exit status; no journal may be open here meanwhile.
template <class Body>
int in_child(Body body) {
  auto child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace troupe::journal
