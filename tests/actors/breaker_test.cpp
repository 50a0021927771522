// What a breaker tells whom, and what it remembers over a restart.
#include "actors/breaker.hpp"

#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {
namespace {

using policy::BreakerState;

class BreakerActorTest : public ActorTest {
 protected:
  BreakerActor open(WallTime cool_until = {}) {
    BreakerConfig config{"a", {}, cool_until};
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

TEST_F(BreakerActorTest, ResumesACoolDownAfterARestart) {
  auto breaker = open();
  trip(breaker);
  auto cool_until = last().cool_until;
  ASSERT_GT(cool_until, clock_.wall());
  kill(breaker);
  clock_.pass(1s);
  auto again = open(cool_until);
  EXPECT_EQ(last().state, BreakerState::open);  // GATEWAYS, pain 5
  EXPECT_EQ(last().cool_until, cool_until);
  pass(5s, again);
  EXPECT_EQ(last().state, BreakerState::partial);
}

TEST_F(BreakerActorTest, ForgetsTheCoolDownWhenItsEndIsNotHandedOn) {
  auto breaker = open();
  trip(breaker);
  kill(breaker);
  open();
  EXPECT_EQ(last().state, BreakerState::closed);  // the mechanism off: traffic at once
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
  tell(breaker, ForceBreaker{BreakerState::open, 10s});
  EXPECT_EQ(last().state, BreakerState::open);  // F13
  EXPECT_EQ(last().reason, policy::TripReason::forced);
  EXPECT_EQ(books_.moves.size(), 1u);
  pass(9s, breaker);
  EXPECT_EQ(last().state, BreakerState::open);
  pass(2s, breaker);
  EXPECT_NE(last().state, BreakerState::open);
}

}  // namespace
}  // namespace troupe::actors::testing
