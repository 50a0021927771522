// What the ledger keeps, sums and shows.
#include "actors/ledger.hpp"

#include "actors/desk.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/memory_journal.hpp"

#include <gmock/gmock.h>

namespace troupe::actors::testing {
namespace {

using ::testing::HasSubstr;

class LedgerTest : public ActorTest {
 protected:
  LedgerTest() {
    std::map<std::string, EndpointPlace> places{{"a", {"bedrock", "us-east-1"}},
                                                {"b", {"vertex", "us-east-1"}}};
    LedgerMetrics measured{
        metrics_,
        std::make_shared<PlaceCell>(std::make_shared<const std::map<std::string, EndpointPlace>>(places))};
    ledger_ = keep(spawn_ledger(system_, nullptr, &journal_, "n1", std::move(measured)));
  }
  void book(const std::string& endpoint, const std::string& error, double usd) {
    AttemptBooked fact;
    fact.row.endpoint = endpoint;
    fact.row.model = "large";
    fact.row.cause = "primary";
    fact.row.error = error;
    fact.row.usage = {10, 5, 3};
    fact.row.usd = usd;
    fact.row.total = 2s;
    tell(ledger_, fact);
  }
  void move_breaker() {
    BreakerMoved fact;
    fact.event.endpoint = "a";
    fact.event.to = policy::BreakerState::open;
    fact.event.share = 0;
    tell(ledger_, fact);
  }
  void commit_all() {
    while (journal_.pending() > 0) journal_.commit_next();
  }

  journal::testing::MemoryJournal journal_;
  std::shared_ptr<telemetry::Metrics> metrics_ = std::make_shared<telemetry::Metrics>();
  LedgerActor ledger_;
};

TEST_F(LedgerTest, KeepsEveryAttemptAndEveryMoveWithItsNode) {
  book("a", "", 0.5);
  move_breaker();
  commit_all();
  auto rows = *journal_.usage({});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].node, "n1");  // I1
  auto moves = *journal_.breakers({});
  ASSERT_EQ(moves.size(), 1u);
  EXPECT_EQ(moves[0].to, "open");
  EXPECT_EQ(moves[0].node, "n1");
}

TEST_F(LedgerTest, ShowsHowMuchHangsOnOneProvider) {  // C9
  for (int i = 0; i < 4; ++i) {
    AttemptBooked fact;
    fact.row.endpoint = i == 0 ? "b" : "a";
    fact.row.usage.input = 100;
    fact.row.started = {1'800'000'000'000 + 20'000 * i};
    tell(ledger_, fact);
  }
  auto text = metrics_->exposition();
  EXPECT_THAT(text, HasSubstr("troupe_concentration{by=\"provider\"} 0.625"));  // 0.75^2 + 0.25^2
  EXPECT_THAT(text, HasSubstr("troupe_concentration{by=\"region\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_concentration_share{by=\"provider\",place=\"bedrock\"} 0.75"));
}

TEST_F(LedgerTest, ShowsNoShareOfAPlaceThatHasHadNothingForAnHour) {  // C9
  for (auto [endpoint, minute] : {std::pair("b", 0), std::pair("a", 1), std::pair("a", 90)}) {
    AttemptBooked fact;
    fact.row.endpoint = endpoint;
    fact.row.usage.input = 100;
    fact.row.started = {1'800'000'000'000 + 60'000 * minute};
    tell(ledger_, fact);
  }
  auto text = metrics_->exposition();
  EXPECT_THAT(text, HasSubstr("troupe_concentration_share{by=\"provider\",place=\"bedrock\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_concentration_share{by=\"provider\",place=\"vertex\"} 0"));
}

TEST_F(LedgerTest, SumsFailuresToo) {
  book("a", "", 0.5), book("a", "timeout", 0.25);
  LedgerTotals totals;
  tell(ledger_, GetTotals{[&](LedgerTotals sum) { totals = sum; }});
  EXPECT_EQ(totals.attempts, 2u);
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_DOUBLE_EQ(totals.usd, 0.75);  // I3: what failed was paid for
  EXPECT_EQ(totals.tokens_in, 26);
}

TEST_F(LedgerTest, CountsWhatHasNoPrice) {  // I5
  AttemptBooked fact;
  fact.row.price = "unpriced";
  tell(ledger_, fact);
  fact.row.price = "2026-06-30";
  tell(ledger_, fact);
  LedgerTotals totals;
  tell(ledger_, GetTotals{[&](LedgerTotals sum) { totals = sum; }});
  EXPECT_EQ(totals.unpriced, 1u);
}

TEST_F(LedgerTest, GoesOnWhenARowIsNotKept) {
  book("a", "", 0.5);
  journal_.fail_next();
  book("a", "", 0.5);
  commit_all();
  EXPECT_EQ(journal_.usage({})->size(), 1u);
}

TEST_F(LedgerTest, ShowsTheSameFiguresToTheDeskByProvider) {
  book("a", "", 0.5), book("elsewhere", "timeout", 0);
  move_breaker();
  DeskServices desk;
  desk.metrics = metrics_;
  std::string text;
  answer_question(desk, "metrics", Json::object(), [&](Result<std::string> answer) {
    if (answer) text = get_string(*parse_json(*answer), "text");
  });
  EXPECT_THAT(
      text,
      HasSubstr("troupe_usd_total{cause=\"primary\",endpoint=\"a\",model=\"large\",provider=\"bedrock\"}"));
  EXPECT_THAT(text, HasSubstr("error=\"timeout\",model=\"large\",provider=\"unknown\""));
  EXPECT_THAT(text, HasSubstr("troupe_breaker_state{endpoint=\"a\",state=\"open\"} 1"));  // H1
}

TEST(Desk, SaysWhenItKeepsNoMetrics) {
  Result<std::string> answer;
  answer_question({}, "metrics", Json::object(), [&](Result<std::string> told) { answer = std::move(told); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace troupe::actors::testing
