// What tests of PostgreSQL alone share: a schema of their own and several nodes in it.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/membership.hpp"
#include "runtime/journal/postgres_connection.hpp"
#include "tests/journal/journal_support.hpp"

#include <atomic>
#include <memory>
#include <string>

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
