// The ledger: each attempt counts once, and sums add up.
#include "runtime/journal/database.hpp"
#include "tests/journal/journal_support.hpp"

namespace troupe::journal {
namespace {

UsageRow usage_row(const std::string& run, const std::string& endpoint, std::uint32_t attempt, double usd) {
  UsageRow row;
  row.run_id = run;
  row.step_key = "ask";
  row.attempt = attempt;
  row.feature = "recap";
  row.tenant = "t1";
  row.model = "m";
  row.endpoint = endpoint;
  row.cause = attempt == 1 ? "primary" : "retry";
  row.error = usd > 0 ? "" : "timeout";
  row.usage = {.input = 10, .output = 5, .cache_read = 3, .cache_write = 2, .reasoning = 1};
  row.usd = usd;
  row.started = {attempt * 100};
  row.ttft = std::chrono::milliseconds(20);
  row.total = std::chrono::seconds(2);
  return row;
}

Batch four_attempts() {
  Batch batch;
  batch.usage = {usage_row("r1", "east", 1, 0.10), usage_row("r1", "west", 2, 0.30),
                 usage_row("r2", "east", 1, 0.05), usage_row("r2", "east", 2, 0)};
  return batch;
}

class LedgerTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    journal_ = open();
    EXPECT_TRUE(append_now(*journal_, four_attempts()));
  }
  std::unique_ptr<Journal> journal_;
};

TEST_P(LedgerTest, WritingAnAttemptTwiceCountsOnce) {  // O3
  Batch again;
  again.usage = {usage_row("r1", "east", 1, 0.10), usage_row("r1", "east", 1, 0.10)};
  EXPECT_TRUE(append_now(*journal_, again));
  EXPECT_EQ(journal_->usage({})->size(), 4u);
  // Another attempt of the same step is another row.
  again.usage = {usage_row("r1", "east", 7, 0.10)};
  EXPECT_TRUE(append_now(*journal_, again));
  EXPECT_EQ(journal_->usage({})->size(), 5u);
}

TEST_P(LedgerTest, EverySumHasTheSameTotal) {
  for (auto by : {"feature", "tenant", "model", "endpoint", "cause", "run"}) {
    auto rows = journal_->cost(by, {});
    ASSERT_TRUE(rows) << by;
    double usd = 0, before = 1e9;
    std::uint64_t attempts = 0, failed = 0;
    std::int64_t input = 0;
    for (const auto& row : *rows) {
      EXPECT_LE(row.usd, before) << "most expensive first";
      before = row.usd;
      usd += row.usd;
      attempts += row.attempts;
      failed += row.failed;
      input += row.usage.input;
    }
    EXPECT_NEAR(usd, 0.45, 1e-12) << by;
    EXPECT_EQ(attempts, 4u);
    EXPECT_EQ(failed, 1u);
    EXPECT_EQ(input, 40);
  }
  auto by_endpoint = journal_->cost("endpoint", {}).value();
  ASSERT_EQ(by_endpoint.size(), 2u);
  EXPECT_EQ(by_endpoint[0].key, "west");
  EXPECT_EQ(by_endpoint[1].attempts, 3u);
}

TEST_P(LedgerTest, FiltersByRunAndTime) {
  EXPECT_EQ(journal_->usage({.run_id = "r1"})->size(), 2u);
  EXPECT_EQ(journal_->usage({.since = {150}})->size(), 2u);
  EXPECT_EQ(journal_->usage({.run_id = "r1", .since = {150}})->size(), 1u);
  EXPECT_NEAR(journal_->cost("run", {.run_id = "r2"})->front().usd, 0.05, 1e-12);
}

TEST_P(LedgerTest, KeepsEveryFieldOfARow) {
  auto row = journal_->usage({.run_id = "r1"})->front();
  EXPECT_EQ(row.step_key, "ask");
  EXPECT_EQ(row.endpoint, "east");
  EXPECT_EQ(row.cause, "primary");
  EXPECT_EQ(row.usage, (Usage{.input = 10, .output = 5, .cache_read = 3, .cache_write = 2, .reasoning = 1}));
  EXPECT_EQ(row.ttft, std::chrono::milliseconds(20));
  EXPECT_EQ(row.total, std::chrono::seconds(2));
}

TEST_P(LedgerTest, KeepsThePriceAnAttemptWasBookedAt) {  // I5
  auto row = usage_row("r3", "east", 1, 0.2);
  row.price = "2026-06-30";
  row.unit_hours = 0.125;
  Batch batch;
  batch.usage = {row};
  EXPECT_TRUE(append_now(*journal_, batch));
  auto kept = journal_->usage({.run_id = "r3"})->front();
  EXPECT_EQ(kept.price, "2026-06-30");
  EXPECT_EQ(kept.unit_hours, 0.125);
  auto by_price = journal_->cost("price", {.run_id = "r3"})->front();
  EXPECT_EQ(by_price.key, "2026-06-30");
  EXPECT_EQ(by_price.unit_hours, 0.125);
}

TEST_P(LedgerTest, CountsWhatHasNoPrice) {
  auto row = usage_row("r3", "east", 1, 0);
  row.price = "unpriced";
  Batch batch;
  batch.usage = {row};
  EXPECT_TRUE(append_now(*journal_, batch));
  EXPECT_EQ(journal_->cost("model", {})->front().unpriced, 1u);
}

TEST_P(LedgerTest, GroupsByManyKeysWithTheSameExactSum) {  // I3
  auto hour = usage_row("r4", "east", 1, 0.1);
  hour.started = {1'795'000'000'000};
  hour.usd = 0.123456789;
  Batch batch;
  batch.usage = {hour};
  EXPECT_TRUE(append_now(*journal_, batch));
  std::int64_t expected = 450'000'000 + 123'456'789;
  for (auto by : {"hour,feature,tenant,model,endpoint,cause,price", "day,node", "cause", "run,hour"}) {
    auto rows = journal_->cost(by, {});
    ASSERT_TRUE(rows) << rows.error().what;
    std::int64_t nano = 0;
    for (const auto& row : *rows) nano += row.nano_usd;
    EXPECT_EQ(nano, expected) << by;
  }
  auto row = journal_->cost("hour,day,cause", {.run_id = "r4"})->front();
  EXPECT_EQ(row.keys, (std::vector<std::string>{"2026-11-18T11:00:00Z", "2026-11-18", "primary"}));
  EXPECT_EQ(row.key, row.keys[0]);
  EXPECT_EQ(journal_->cost("cause", {.until = {150}})->size(), 1u);
  for (auto by : {"", ",", "hour,", "hour,weather", "hour,hour,hour,hour,hour,hour,hour,hour,hour,hour,hour"})
    EXPECT_FALSE(journal_->cost(by, {})) << by;
}

class LedgerFileTest : public JournalTest {};

TEST_F(LedgerFileTest, AFileFromBeforePricesIsReadAndGivenThemWhenWritten) {
  auto journal = open();
  ASSERT_TRUE(append_now(*journal, four_attempts()));
  journal.reset();
  {
    auto connection = Connection::open(path(), Connection::Mode::create);
    ASSERT_TRUE(connection && connection->execute("ALTER TABLE usage DROP COLUMN price;"
                                                  "ALTER TABLE usage DROP COLUMN unit_hours;"
                                                  "PRAGMA user_version=3"));
  }
  auto reading = open_sqlite_readonly(path());
  ASSERT_TRUE(reading);
  EXPECT_EQ((*reading)->usage({})->size(), 4u);
  EXPECT_NEAR((*reading)->cost("price", {})->front().usd, 0.45, 1e-12);
  reading->reset();
  journal = open();
  auto row = usage_row("r5", "east", 1, 0.1);
  row.price = "config";
  Batch batch;
  batch.usage = {row};
  EXPECT_TRUE(append_now(*journal, batch));
  EXPECT_EQ(journal->usage({.run_id = "r5"})->front().price, "config");
  EXPECT_EQ(journal->usage({.run_id = "r1"})->front().price, "");
}

TEST_P(LedgerTest, RefusesAnUnknownKey) {
  auto rows = journal_->cost("usd; DROP TABLE usage", {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Errc::invalid_input);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, LedgerTest, ::testing::Values(StoreKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, LedgerTest, ::testing::Values(StoreKind::postgres));

}  // namespace
}  // namespace troupe::journal
