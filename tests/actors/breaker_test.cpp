// What a breaker tells whom, and what it remembers over a restart.
#include "actors/breaker.hpp"

#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

using policy::BreakerState;

class BreakerActorTest : public ActorTest {
 protected:
  /// `cell` null: nothing is known from before.
  /// One that has learned that a rating in twenty is bad.
  BreakerActor open_rated() {
    policy::BreakerMemory learned;
    learned.healthy_feedback = 0.05;
    auto cell = std::make_shared<BreakerCell>();
    cell->store(std::make_shared<const BreakerKnown>(learned, clock_.wall()));
    return open(cell);
  }
  BreakerActor open(std::shared_ptr<BreakerCell> cell = nullptr, policy::BreakerPolicy policy = {}) {
    BreakerConfig config{"a", std::move(policy), std::move(cell)};
    auto breaker = keep(spawn_breaker(system_, nullptr, config, clock_, ledger_probe(books_)));
    tell(breaker, SubscribeHealth{probe(heard_)});
    return breaker;
  }
  static OutcomeObserved failure(Instant at) {
    OutcomeObserved fact;
    fact.outcome.at = at;
    fact.outcome.error = Errc::transient_server;
    fact.outcome.counts = true;
    fact.load.in_flight = 7;
    return fact;
  }
  void trip(const BreakerActor& breaker) {
    for (int i = 0; i < 5; ++i) tell(breaker, failure(clock_.now()));
  }
  const policy::HealthView& last() const { return *heard_.back().view; }

  LedgerBooks books_;
  std::vector<HealthChanged> heard_;
};

TEST_F(BreakerActorTest, TellsEachSubscriberThePresentAtOnce) {
  open();
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(last().endpoint, "a");
  EXPECT_EQ(last().state, BreakerState::closed);
}

TEST_F(BreakerActorTest, PublishesAChangeAtOnceAndFactsWithTheNextTick) {
  auto breaker = open();
  tell(breaker, failure(clock_.now()));
  EXPECT_EQ(heard_.size(), 1u);
  tell(breaker, Tick{});
  ASSERT_EQ(heard_.size(), 2u);
  EXPECT_EQ(last().in_flight, 7u);
  tell(breaker, Tick{});
  EXPECT_EQ(heard_.size(), 2u);  // nothing new
  trip(breaker);
  EXPECT_EQ(last().state, BreakerState::open);  // F6: no tick in between
  ASSERT_EQ(books_.moves.size(), 1u);
  EXPECT_EQ(books_.moves[0].event.to, BreakerState::open);
  EXPECT_EQ(books_.moves[0].cool_until, last().cool_until);
}

TEST_F(BreakerActorTest, TellsASubscriberOnceHoweverOftenItAsks) {
  auto breaker = open();
  std::vector<HealthChanged> heard;
  auto subscriber = probe(heard);
  for (int i = 0; i < 3; ++i) tell(breaker, SubscribeHealth{subscriber});
  auto before = heard.size();
  trip(breaker);
  EXPECT_EQ(heard.size(), before + 1);
}

TEST_F(BreakerActorTest, LetsGoOfSubscribersThatAreGone) {
  auto breaker = open();
  std::vector<HealthChanged> unheard;
  caf::actor_addr address;
  {
    using Listener = caf::typed_actor<caf::reacts_to<HealthChanged>>;
    Listener queue = system_.spawn([&](Listener::pointer) -> Listener::behavior_type {
      return {[&](const HealthChanged& fact) { unheard.push_back(fact); }};
    });
    address = queue.address();
    tell(breaker, SubscribeHealth{queue});
    ASSERT_EQ(unheard.size(), 1u);
    kill(queue);
  }
  // Whoever is held by nobody is freed.
  EXPECT_FALSE(caf::actor_cast<caf::strong_actor_ptr>(address));
  trip(breaker);
  EXPECT_EQ(unheard.size(), 1u);
  EXPECT_EQ(last().state, BreakerState::open) << "the others go on hearing";
}

TEST_F(BreakerActorTest, ResumesACoolDownAfterARestart) {
  auto cell = std::make_shared<BreakerCell>();
  auto breaker = open(cell);
  trip(breaker);
  auto cool_until = last().cool_until;
  ASSERT_GT(cool_until, clock_.wall());
  kill(breaker);
  clock_.pass(1s);
  auto again = open(cell);
  EXPECT_EQ(last().state, BreakerState::open);  // GATEWAYS, pain 5
  EXPECT_EQ(last().cool_until, cool_until);
  EXPECT_EQ(books_.moves.back().event.to, BreakerState::open) << "and the figures say so";
  pass(5s, again);
  EXPECT_EQ(last().state, BreakerState::partial);
}

TEST_F(BreakerActorTest, GoesOnFromWhatTheBooksKept) {  // F13: another process, nothing shared
  auto breaker = open();
  trip(breaker);
  kill(breaker);
  ASSERT_FALSE(books_.saves.empty());
  auto text = policy::to_text(books_.saves.back().memory);
  auto cell = std::make_shared<BreakerCell>();
  cell->store(std::make_shared<const BreakerKnown>(*policy::breaker_memory(text), books_.saves.back().at));
  clock_.pass(1h);
  auto again = open(cell);
  pass(1s, again);
  EXPECT_EQ(last().state, BreakerState::partial) << "cooled down long ago, but not proven";
  EXPECT_EQ(last().share, 0.01);
}

TEST_F(BreakerActorTest, BeginsAnewWhenSomethingElseStandsBehindTheEndpoint) {  // F13
  auto cell = std::make_shared<BreakerCell>();
  auto of = [&](std::uint64_t target) {
    BreakerConfig config{"a", {}, cell};
    config.target = target;
    auto breaker = keep(spawn_breaker(system_, nullptr, config, clock_, ledger_probe(books_)));
    tell(breaker, SubscribeHealth{probe(heard_)});
    return breaker;
  };
  auto breaker = of(1);
  trip(breaker);
  kill(breaker);
  kill(of(1));
  EXPECT_EQ(last().state, BreakerState::open) << "the same: no free pass";
  kill(of(0));
  EXPECT_EQ(last().state, BreakerState::open) << "one that does not say";
  kill(of(2));
  EXPECT_EQ(last().state, BreakerState::open) << "its memory did not say either";
  kill(of(3));
  EXPECT_EQ(last().state, BreakerState::closed) << "another model is not sick for it";
  EXPECT_EQ(books_.moves.back().event.from, BreakerState::open) << "and the figures say so";
  EXPECT_EQ(books_.moves.back().event.to, BreakerState::closed);
}

TEST_F(BreakerActorTest, AnOrderIsForTheEndpointWhateverStandsBehindIt) {  // F13
  auto cell = std::make_shared<BreakerCell>();
  BreakerConfig config{"a", {}, cell};
  for (std::uint64_t target : {1, 2}) {
    config.target = target;
    auto breaker = keep(spawn_breaker(system_, nullptr, config, clock_, ledger_probe(books_)));
    tell(breaker, SubscribeHealth{probe(heard_)});
    if (target == 1) tell(breaker, ForceBreaker{BreakerState::open, 1h, "ana", "not this week"});
    kill(breaker);
  }
  EXPECT_EQ(last().state, BreakerState::open);
  EXPECT_EQ(last().reason, policy::TripReason::forced);
}

TEST_F(BreakerActorTest, ForgetsTheCoolDownWhenNothingIsHandedOn) {
  auto breaker = open();
  trip(breaker);
  kill(breaker);
  open();
  EXPECT_EQ(last().state, BreakerState::closed);  // the mechanism off: traffic at once
}

TEST_F(BreakerActorTest, SavesNowAndThenWhatItLearns) {
  auto breaker = open();
  pass(11min, breaker);
  EXPECT_EQ(books_.saves.size(), 1u);
  EXPECT_TRUE(books_.moves.empty());
}

TEST_F(BreakerActorTest, NeverLooksOlderThanInItsLastLife) {
  auto breaker = open();
  pass(2s, breaker);
  trip(breaker);
  auto version = last().version;
  kill(breaker);
  clock_.pass(1s);
  open();
  EXPECT_GT(last().version, version);
}

TEST_F(BreakerActorTest, ObeysAnOperatorUntilTheOrderRunsOut) {
  auto breaker = open();
  tell(breaker, ForceBreaker{BreakerState::open, 10s, "ana", "incident 17"});
  EXPECT_EQ(last().state, BreakerState::open);  // F13
  EXPECT_EQ(last().reason, policy::TripReason::forced);
  ASSERT_EQ(books_.moves.size(), 1u);
  EXPECT_EQ(books_.moves[0].event.detail, "held open for 10.0s by ana: incident 17");
  pass(9s, breaker);
  EXPECT_EQ(last().state, BreakerState::open);
  pass(2s, breaker);
  EXPECT_NE(last().state, BreakerState::open);
}

TEST_F(BreakerActorTest, FreezesWhatIs) {  // F13
  auto breaker = open();
  tell(breaker, ForceBreaker{std::nullopt, 10s, "ana", {}});
  trip(breaker);
  EXPECT_EQ(last().state, BreakerState::closed);
  pass(11s, breaker);
  trip(breaker);
  EXPECT_EQ(last().state, BreakerState::open);
}

TEST_F(BreakerActorTest, HearsWhatCustomersSay) {  // C11
  auto breaker = open_rated();
  for (int i = 0; i < 40; ++i) tell(breaker, FeedbackObserved{"a", false});
  EXPECT_EQ(last().state, BreakerState::open);
  ASSERT_FALSE(books_.moves.empty());
  EXPECT_EQ(books_.moves.front().event.reason, policy::TripReason::feedback);
}

TEST_F(BreakerActorTest, RatingsOfAnswersFromBeforeItsLastMoveSayNothing) {  // C11
  auto breaker = open_rated();
  clock_.pass(1s);
  tell(breaker, ForceBreaker{BreakerState::closed, 1ms, "ana", {}});
  WallTime before{clock_.wall().ms - 500};
  pass(1s, breaker);
  for (int i = 0; i < 40; ++i) tell(breaker, FeedbackObserved{"a", false, before});
  EXPECT_EQ(last().state, BreakerState::closed);
  for (int i = 0; i < 40; ++i) tell(breaker, FeedbackObserved{"a", false, clock_.wall()});
  EXPECT_EQ(last().state, BreakerState::open);
}

TEST_F(BreakerActorTest, WishesForAProbeWhenNobodyCalls) {  // F15
  auto breaker = open(nullptr, {.probe = {.idle_after = 1min}});
  std::vector<ProbeDue> wishes;
  tell(breaker, AcceptProbes{probe(wishes)});
  pass(50s, breaker);
  EXPECT_EQ(wishes.size(), 0u);
  pass(20s, breaker);
  ASSERT_EQ(wishes.size(), 1u) << "once";
  EXPECT_EQ(wishes[0].endpoint, "a");
  OutcomeObserved fact;
  fact.outcome.at = clock_.now();
  fact.outcome.ttft = fact.outcome.total = 100ms;
  fact.outcome.probe = true;
  tell(breaker, fact);
  pass(50s, breaker);
  EXPECT_EQ(wishes.size(), 1u);
  pass(20s, breaker);
  EXPECT_EQ(wishes.size(), 2u);
  EXPECT_EQ(last().samples, 0u) << "no customer called";
  EXPECT_EQ(last().probes, 1u);
}

TEST_F(BreakerActorTest, SaysHowLongAFirstTokenMayTakeAndHearsOfThoseThatTakeLonger) {  // the grey failure
  policy::BreakerMemory learned;
  learned.healthy.ttft_p90 = 0.5;
  auto cell = std::make_shared<BreakerCell>();
  cell->store(std::make_shared<const BreakerKnown>(learned, clock_.wall()));
  auto patience = std::make_shared<PatienceCell>();
  BreakerConfig config{"a", {}, cell, patience};
  auto breaker = keep(spawn_breaker(system_, nullptr, config, clock_, ledger_probe(books_)));
  tell(breaker, SubscribeHealth{probe(heard_)});
  tell(breaker, Tick{});
  EXPECT_EQ(patience->load(), Duration(5s));
  for (int i = 0; i < 8; ++i) tell(breaker, SilenceObserved{{clock_.now(), clock_.now() - 5s}});
  EXPECT_EQ(last().state, BreakerState::open) << "at once, no outcome and no tick in between";
  EXPECT_EQ(last().reason, policy::TripReason::stalls);
}

TEST_F(BreakerActorTest, SaysHowOldItsNewestFigureIs) {  // E8: the stale can be explored
  auto breaker = open();
  EXPECT_EQ(last().measured.ms, 0);
  auto then = clock_.wall();
  tell(breaker, failure(clock_.now()));
  pass(20s, breaker);
  tell(breaker, LoadObserved{});
  tell(breaker, Tick{});
  EXPECT_EQ(last().measured, then);
}

}  // namespace
}  // namespace troupe::actors::testing
