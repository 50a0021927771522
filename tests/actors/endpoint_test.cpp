// An endpoint's limits, its books, and the facts it tells its breaker.
#include "actors/endpoint.hpp"

#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

class ScriptedAttempt final : public HttpAttempt {
 public:
  void cancel() override { ++cancels; }
  bool answering() const override { return begun; }
  int cancels = 0;
  bool begun = false;
};

class EndpointTest : public ActorTest {
 protected:
  struct Started {
    RunAttempt order;
    HttpAttempt::Ended ended;
    std::shared_ptr<ScriptedAttempt> attempt;
  };

  EndpointTest() {
    config_.facts.id = "a";
    config_.facts.model = "large";
    config_.facts.price = {3, 15, 0, 0};
  }
  void open() {
    auto breaker =
        keep(BreakerActor(system_.spawn([this](BreakerActor::pointer) -> BreakerActor::behavior_type {
          return {[this](const OutcomeObserved& fact) { outcomes_.push_back(fact); },
                  [this](const SilenceObserved& fact) { silences_.push_back(fact); },
                  [this](const LoadObserved& fact) { loads_.push_back(fact); },
                  [](const FeedbackObserved&) {},
                  [](const ForceBreaker&) {},
                  [](const SubscribeHealth&) {},
                  [](const AcceptProbes&) {},
                  [](Tick) {}};
        })));
    AttemptStarter starter = [this](const RunAttempt& order, HttpAttempt::Ended ended) {
      started_.push_back({order, std::move(ended), std::make_shared<ScriptedAttempt>()});
      return started_.back().attempt;
    };
    endpoint_ = keep(spawn_endpoint(system_, nullptr, config_, std::move(starter), clock_, breaker));
    client_ = keep(probe(ends_));
    run();
  }
  void order(std::uint64_t id) {
    RunAttempt order;
    order.id = id;
    order.request = std::make_shared<const CompletionRequest>(question(std::string(400, 'x')));
    order.deadline = clock_.now() + 10s;
    order.reply_to = client_;
    tell(endpoint_, std::move(order));
  }
  void finish(std::size_t index, std::optional<Errc> error = {}, Usage usage = {100, 20}) {
    auto result = error ? failed("a", started_[index].order, *error) : answered("a", started_[index].order);
    result->record.usage = usage;
    result->record.ttft = 200ms;
    result->record.total = 2s;
    started_[index].ended(std::move(result));
    run();
  }

  EndpointConfig config_;
  EndpointActor endpoint_;
  AttemptClient client_;
  std::vector<Started> started_;
  std::vector<AttemptEnded> ends_;
  std::vector<OutcomeObserved> outcomes_;
  std::vector<LoadObserved> loads_;
  std::vector<SilenceObserved> silences_;
};

TEST_F(EndpointTest, SaysThatACallHangsWhileItHangs) {  // the grey failure
  auto patience = std::make_shared<PatienceCell>(5s);
  config_.patience = patience;
  open();
  order(1), order(2), order(3);
  started_[1].attempt->begun = true;
  auto began = clock_.now();
  clock_.pass(4s);
  tell(endpoint_, Tick{});
  EXPECT_TRUE(silences_.empty());
  finish(2);
  clock_.pass(1s);
  tell(endpoint_, Tick{});
  tell(endpoint_, Tick{});
  ASSERT_EQ(silences_.size(), 1u) << "of one that answers, one that has ended and one that hangs: once";
  EXPECT_EQ(silences_[0].silence.began, began);
  EXPECT_EQ(silences_[0].silence.at, clock_.now());
  EXPECT_FALSE(silences_[0].silence.trickle);
  finish(0, Errc::timeout);
  finish(1);
  ASSERT_EQ(outcomes_.size(), 3u);
  EXPECT_FALSE(outcomes_[0].outcome.silent);
  EXPECT_TRUE(outcomes_[1].outcome.silent) << "so that it counts once";
  EXPECT_FALSE(outcomes_[2].outcome.silent);
}

TEST_F(EndpointTest, HasPatienceWithoutEndWhileItsBreakerKnowsOfNone) {
  config_.patience = std::make_shared<PatienceCell>(0s);
  open();
  order(1);
  clock_.pass(1h);
  tell(endpoint_, Tick{});
  EXPECT_TRUE(silences_.empty());
}

TEST_F(EndpointTest, BooksPriceAndModelAndTellsTheBreaker) {
  open();
  order(7);
  finish(0, {}, {1'000'000, 100'000});
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].id, 7u);
  EXPECT_EQ(ends_[0].result->record.model, "large");
  EXPECT_EQ(ends_[0].result->completion.model, "large") << "the provider did not say";
  EXPECT_DOUBLE_EQ(ends_[0].result->record.usd, 4.5);  // I1: 3 + 1.5
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_FALSE(outcomes_[0].outcome.error);
  EXPECT_EQ(outcomes_[0].outcome.ttft, Duration(200ms));
  EXPECT_EQ(outcomes_[0].load.in_flight, 0u);
}

TEST_F(EndpointTest, BooksAtThePriceOfTheAttemptsOwnDay) {  // I5
  policy::Tariff tariff;
  tariff.rows.resize(2);
  tariff.rows[0].from = "1970-01-01";
  tariff.rows[0].input = 2;
  tariff.rows[1].from = "2999-01-01";
  tariff.rows[1].input = 7;
  config_.tariff = tariff;
  open();
  order(1);
  finish(0, {}, {1'000'000});
  EXPECT_DOUBLE_EQ(ends_[0].result->record.usd, 2);
  EXPECT_EQ(ends_[0].result->record.price, "1970-01-01");
}

TEST_F(EndpointTest, SaysOnEachAttemptThatItsModelHasNoPrice) {
  config_.tariff = policy::Tariff{};
  open();
  order(1), order(2);
  finish(0), finish(1);
  for (const auto& end : ends_) EXPECT_EQ(end.result->record.price, "unpriced");
}

TEST_F(EndpointTest, ReservedTokensTakeUnitHoursInsteadOfMoney) {
  config_.tariff = policy::Tariff{policy::CapacityKind::reserved, {}, {}, {}, 2, {}};
  config_.tariff->limits.input_tokens_per_minute = 1'000'000;
  open();
  order(1);
  finish(0, {}, {30'000'000});
  EXPECT_EQ(ends_[0].result->record.usd, 0);
  EXPECT_NEAR(ends_[0].result->record.unit_hours, 1, 1e-12);
}

TEST_F(EndpointTest, RefusesAtOnceWhatItHasNoRoomFor) {
  config_.guard.quota.in_flight_max = 1;
  open();
  order(1), order(2);
  EXPECT_EQ(started_.size(), 1u);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].id, 2u);
  EXPECT_TRUE(ends_[0].result->not_sent);  // C2
  EXPECT_EQ(ends_[0].result->error->code, Errc::rate_limited);
  EXPECT_FALSE(ends_[0].result->error->retry_after);  // nobody knows when a call ends
  EXPECT_TRUE(outcomes_.empty());                     // F4: capacity, not sickness
  finish(0);
  order(3);
  EXPECT_EQ(started_.size(), 2u);
}

TEST_F(EndpointTest, SaysWhenItsTokensWillBeBack) {
  config_.guard.quota.input_tokens_per_minute = 120;  // two a second; a request needs some hundred
  open();
  order(1), order(2);
  ASSERT_EQ(ends_.size(), 1u);
  auto wait = ends_[0].result->error->retry_after;
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, Duration(30s));
  EXPECT_LE(*wait, Duration(60s));
  clock_.pass(*wait);
  order(3);
  EXPECT_EQ(started_.size(), 2u);
}

TEST_F(EndpointTest, GivesBackWhatTheEstimateTookTooMuch) {
  config_.guard.quota.output_tokens_per_minute = 150;  // a request reserves its maximum of 100
  open();
  order(1), order(2);
  EXPECT_EQ(ends_.size(), 1u);
  finish(0, {}, {100, 1});
  order(3);
  EXPECT_EQ(started_.size(), 2u);  // C5: settled with the truth
}

TEST_F(EndpointTest, ReservesWhatCallsOfItsFeatureUsuallyWrite) {  // C2
  config_.guard.quota.output_tokens_per_minute = 150;              // a request allows 100
  config_.guard.spill.hysteresis = false;
  open();
  for (std::uint64_t id = 1; id <= 20; ++id) {
    order(id);
    finish(started_.size() - 1, {}, {100, 10});
    clock_.pass(1min);
  }
  for (std::uint64_t id = 101; id <= 110; ++id) order(id);
  EXPECT_EQ(started_.size(), 30u);
}

TEST_F(EndpointTest, PacesItselfByWhatTheProviderSays) {  // C2
  open();
  order(1);
  policy::QuotaHints hints;
  hints.requests = {60.0, 0.0, 30s};
  ASSERT_TRUE(started_[0].order.on_hints);
  started_[0].order.on_hints(hints);
  run();
  order(2);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_TRUE(ends_[0].result->not_sent);
  EXPECT_EQ(ends_[0].result->error->retry_after, Duration(500ms));  // two a second
  clock_.pass(1s);
  order(3);
  EXPECT_EQ(started_.size(), 2u);
}

TEST_F(EndpointTest, CancelsTheAttemptItIsToldTo) {
  open();
  order(1), order(2);
  tell(endpoint_, CancelAttempt{2, client_});
  EXPECT_EQ(started_[0].attempt->cancels, 0);
  EXPECT_EQ(started_[1].attempt->cancels, 1);
  std::vector<AttemptEnded> others;
  tell(endpoint_, CancelAttempt{1, AttemptClient(probe(others))});
  EXPECT_EQ(started_[0].attempt->cancels, 0);  // not theirs to cancel
}

TEST_F(EndpointTest, KeepsAwayForAsLongAsTheProviderAsks) {
  open();
  order(1);
  auto result = failed("a", started_[0].order, Errc::rate_limited);
  result->error->retry_after = 30s;
  started_[0].ended(result);
  run();
  EXPECT_EQ(outcomes_[0].load.throttled_until.ms, clock_.wall().ms + 30'000);
  EXPECT_FALSE(outcomes_[0].outcome.counts);  // F4
  tell(endpoint_, Tick{});
  EXPECT_EQ(loads_.back().load.throttled_until.ms, clock_.wall().ms + 30'000);
}

TEST_F(EndpointTest, TellsTheBreakerWhatCountsAndWhatDoesNot) {
  open();
  order(1), order(2);
  finish(0, Errc::transient_server);
  finish(1, Errc::bad_request);
  EXPECT_TRUE(outcomes_[0].outcome.counts);
  EXPECT_FALSE(outcomes_[1].outcome.counts);  // F3
}

TEST_F(EndpointTest, AnswersAnAttemptOnce) {
  open();
  order(1);
  auto again = started_[0].ended;
  finish(0);
  again(answered("a", started_[0].order));
  run();
  EXPECT_EQ(ends_.size(), 1u);
  EXPECT_EQ(outcomes_.size(), 1u);
}

}  // namespace
}  // namespace troupe::actors::testing
