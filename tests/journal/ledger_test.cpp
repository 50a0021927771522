// The ledger: each attempt counts once, and sums add up.
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

class LedgerTest : public JournalTest {
 protected:
  LedgerTest() : journal_(open()) {
    Batch batch;
    batch.usage = {usage_row("r1", "east", 1, 0.10), usage_row("r1", "west", 2, 0.30),
                   usage_row("r2", "east", 1, 0.05), usage_row("r2", "east", 2, 0)};
    EXPECT_TRUE(append_now(*journal_, batch));
  }
  std::unique_ptr<Journal> journal_;
};

TEST_F(LedgerTest, WritingAnAttemptTwiceCountsOnce) {  // O3
  Batch again;
  again.usage = {usage_row("r1", "east", 1, 0.10), usage_row("r1", "east", 1, 0.10)};
  EXPECT_TRUE(append_now(*journal_, again));
  EXPECT_EQ(journal_->usage({})->size(), 4u);
  // Another attempt of the same step is another row.
  again.usage = {usage_row("r1", "east", 7, 0.10)};
  EXPECT_TRUE(append_now(*journal_, again));
  EXPECT_EQ(journal_->usage({})->size(), 5u);
}

TEST_F(LedgerTest, EverySumHasTheSameTotal) {
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

TEST_F(LedgerTest, FiltersByRunAndTime) {
  EXPECT_EQ(journal_->usage({.run_id = "r1"})->size(), 2u);
  EXPECT_EQ(journal_->usage({.since = {150}})->size(), 2u);
  EXPECT_EQ(journal_->usage({.run_id = "r1", .since = {150}})->size(), 1u);
  EXPECT_NEAR(journal_->cost("run", {.run_id = "r2"})->front().usd, 0.05, 1e-12);
}

TEST_F(LedgerTest, KeepsEveryFieldOfARow) {
  auto row = journal_->usage({.run_id = "r1"})->front();
  EXPECT_EQ(row.step_key, "ask");
  EXPECT_EQ(row.endpoint, "east");
  EXPECT_EQ(row.cause, "primary");
  EXPECT_EQ(row.usage, (Usage{.input = 10, .output = 5, .cache_read = 3, .cache_write = 2, .reasoning = 1}));
  EXPECT_EQ(row.ttft, std::chrono::milliseconds(20));
  EXPECT_EQ(row.total, std::chrono::seconds(2));
}

TEST_F(LedgerTest, RefusesAnUnknownKey) {
  auto rows = journal_->cost("usd; DROP TABLE usage", {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace troupe::journal
