// What tests of PostgreSQL alone share: a schema of their own and several nodes in it.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/membership.hpp"
#include "runtime/journal/postgres_connection.hpp"
#include "tests/journal/journal_support.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe::journal {

/// Stands still until told; any thread may look.
class SteppedClock final : public Clock {
 public:
  Instant now() const override { return Instant(Duration(ticks_.load())); }
  WallTime wall() const override { return {1'700'000'000'000}; }
  void pass(Duration d) { ticks_ += d.count(); }

 private:
  std::atomic<Instant::rep> ticks_ = Duration(std::chrono::hours(1)).count();
};

/// Writes to runs r0, r1 and so on, a thread each with one entry in flight, until told to stop or refused.
class Load {
 public:
  Load(Journal& journal, std::size_t runs) : acknowledged_(runs) {
    for (std::size_t i = 0; i < runs; ++i) writers_.emplace_back([this, &journal, i] { write(journal, i); });
  }
  ~Load() { stop(); }

  /// Returns when the first run has that many acknowledged entries, or was refused one.
  void wait_for(std::uint64_t count) const {
    for (auto seen = events_.load(); acknowledged_[0] < count && refused_ == 0; seen = events_)
      events_.wait(seen);
  }
  void stop() {
    enough_ = true;
    join();
  }
  /// Waits until every writer was refused.
  void join() {
    for (auto& writer : writers_)
      if (writer.joinable()) writer.join();
  }
  static std::string run(std::size_t i) { return "r" + std::to_string(i); }
  std::uint64_t acknowledged(std::size_t i) const { return acknowledged_[i]; }
  /// Writers that an answer has ended.
  int refused() const { return refused_; }

 private:
  void write(Journal& journal, std::size_t i) {
    bool good = journal.claim(run_row(run(i))).has_value();
    for (std::uint64_t seq = 1; good && !enough_; ++seq) {
      good = append_now(journal, entry(run(i), seq, Kind::result, "step " + std::to_string(seq))).has_value();
      if (good) acknowledged_[i] = seq;
      tell();
    }
    refused_ += !good;
    tell();
  }

  void tell() {
    ++events_;
    events_.notify_all();
  }

  std::vector<std::atomic<std::uint64_t>> acknowledged_;
  std::atomic<std::uint64_t> events_ = 0;
  std::atomic<bool> enough_ = false;
  std::atomic<int> refused_ = 0;
  std::vector<std::thread> writers_;
};

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!server().available()) GTEST_SKIP() << troupe::testing::PostgresServer::why_not();
    schema_ = server().fresh_schema();
  }
  static troupe::testing::PostgresServer& server() { return troupe::testing::PostgresServer::shared(); }
  /// Nobody renews by itself here, and the lease is so short that the young server's grace is over: tests say
  /// who has died.
  PostgresConfig config(const std::string& node) const {
    return {.conninfo = server().conninfo(),
            .schema = schema_,
            .node = node,
            .lease = std::chrono::milliseconds(50),
            .renew_every = Duration::zero()};
  }
  std::unique_ptr<Journal> open(const PostgresConfig& config) {
    auto opened = open_postgres(config);
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Journal> open(const std::string& node) { return open(config(node)); }
  /// A session beside the journals, to look and to meddle.
  PgConnection session() {
    return PgConnection::open({.conninfo = server().conninfo(), .schema = schema_}).value();
  }
  void execute(const std::string& sql) {
    auto done = session().execute(sql);
    EXPECT_TRUE(done) << done.error().what;
  }
  /// From now on the node lives until it is told to die.
  void let_live(const std::string& node) {
    execute("UPDATE node SET lease_until = clock_timestamp() + interval '1 h' WHERE id = '" + node + "'");
  }
  /// The node's lease ran out a minute ago.
  void let_lapse(const std::string& node) {
    execute("UPDATE node SET lease_until = clock_timestamp() - interval '1 min' WHERE id = '" + node + "'");
  }
  std::string schema_;
};

}  // namespace troupe::journal
