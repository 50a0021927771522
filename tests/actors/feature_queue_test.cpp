// A call's way through its feature's queue: fallback, spillover, waiting, budgets, and that it is answered
// once.
#include "tests/actors/queue_world.hpp"

#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

namespace troupe::actors::testing {
namespace {

using policy::BreakerState;

TEST_F(QueueTest, AsksTheBestEndpointAndHandsOnItsAnswer) {
  add("a"), add("b"), open();
  behave("a", std::nullopt);
  auto asked = ask();
  EXPECT_EQ(asked->text(), "from a");
  EXPECT_EQ(books_.by_cause(), (std::map<std::string, int>{{"primary", 1}}));
  EXPECT_EQ(books_.attempts[0].row.run_id, "run-1");
  EXPECT_EQ(books_.attempts[0].row.feature, "recap");
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(QueueTest, FallsBackToAnotherCloudBeforeTheFirstToken) {
  add("a"), add("b"), open();
  behave("a", Errc::timeout), behave("b", std::nullopt);
  auto asked = ask();
  EXPECT_EQ(asked->text(), "from b");  // C12, D2
  ASSERT_EQ(asked->answers[0].attempts.size(), 2u);
  EXPECT_EQ(books_.by_cause(), (std::map<std::string, int>{{"primary", 1}, {"fallback", 1}}));  // I3
}

// A node that was stopped past its lease must not try again what another node drives by now.
TEST_F(QueueTest, SendsNoFurtherAttemptForWhoMayNotAskAnyMore) {
  for (bool holds : {true, false}) {
    bool may_go = true;
    may_go_ = [&may_go] { return may_go; };
    add("a"), add("b"), open();
    auto before = orders("a").size() + orders("b").size();
    auto asked = ask();
    may_go = holds;
    end_newest("a", failed("a", orders("a").back(), Errc::timeout));
    EXPECT_EQ(orders("a").size() + orders("b").size() - before, holds ? 2u : 1u);
    EXPECT_EQ(asked->done(), !holds);
    if (!holds) {
      EXPECT_EQ(asked->error(), Errc::cancelled);
    }
  }
}

TEST_F(QueueTest, FailsWhereFallbackIsOff) {
  config_.dispatch.route.fallback = false;
  add("a"), add("b"), open();
  behave("a", Errc::timeout), behave("b", std::nullopt);
  auto asked = ask();
  EXPECT_EQ(asked->error(), Errc::timeout);
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(QueueTest, StartsAnewAfterTheFirstTokenWhenNobodyWatches) {
  add("a"), add("b"), open();
  behave("b", std::nullopt);
  auto asked = ask();
  auto broken = failed("a", orders("a").back(), Errc::stream_broken);
  broken->content_seen = true;
  end_newest("a", broken);
  EXPECT_EQ(asked->text(), "from b");  // C12, restart hidden
}

TEST_F(QueueTest, SpillsOverAtOnceWhenThereIsNoRoomAndBooksNothingForIt) {
  config_.dispatch.retry.budget_floor = 1, config_.dispatch.retry.budget_share = 0;
  add("a").facts->kind = policy::CapacityKind::reserved;
  add("b"), open();
  places_.at("a").script->reply = [](const RunAttempt& order) { return no_room("a", order, 5s); };
  behave("b", std::nullopt);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask()->text(), "from b");  // C2: no wait, and no budget spent
  EXPECT_EQ(books_.by_cause(), (std::map<std::string, int>{{"spillover", 5}}));
}

TEST_F(QueueTest, GoesPastEndpointsWithoutACredentialAtNoCost) {  // D9
  config_.dispatch.retry.budget_floor = 0, config_.dispatch.retry.budget_share = 0,
  config_.dispatch.retry.budget_per_second = 0;
  auto without = [](const char* id) {
    return [id](const RunAttempt& order) {
      auto result = failed(id, order, Errc::auth);
      result->not_sent = true;
      return result;
    };
  };
  // More of them than a plan holds: the rest is planned at the next look.
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) add(id).script->reply = without(id);
  add("g"), open();
  behave("g", std::nullopt);
  auto asked = ask();
  tick(200ms);
  EXPECT_EQ(asked->text(), "from g");
  for (const char* id : {"c", "d"}) behave(id, std::nullopt);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask()->text(), "from c");
  EXPECT_EQ(books_.attempts.size(), 5u);
  for (const char* id : {"c", "d"}) places_.at(id).script->reply = without(id);
  places_.at("g").script->reply = without("g");
  asked = ask();
  tick(200ms);
  EXPECT_EQ(asked->error(), Errc::auth);
  EXPECT_EQ(books_.attempts.size(), 5u);
}

TEST_F(QueueTest, WaitsForRoomHoweverLongItIsSaidToTake) {
  add("a"), open();
  // What an endpoint says when only the end of a call can help.
  places_.at("a").script->reply = [](const RunAttempt& order) { return no_room("a", order, 1h); };
  auto asked = ask();
  EXPECT_FALSE(asked->done());
  behave("a", std::nullopt);
  tick(200ms);
  EXPECT_EQ(asked->text(), "from a");  // C3
}

TEST_F(QueueTest, WaitsWhileNobodyCanBeHeardAndIsServedWhenHealthReturns) {
  add("a"), open();
  behave("a", std::nullopt);
  set_reachable("a", false);
  auto asked = ask();
  tick(3s);
  EXPECT_FALSE(asked->done());
  EXPECT_TRUE(orders("a").empty());
  set_reachable("a", true);
  tick(200ms);
  EXPECT_EQ(asked->text(), "from a");  // C3
}

TEST_F(QueueTest, ExpiresAtItsDeadlineWhenHealthDoesNotReturn) {
  add("a"), open();
  set_reachable("a", false);
  auto asked = ask();
  tick(9900ms);
  EXPECT_FALSE(asked->done());
  tick(200ms);
  EXPECT_EQ(asked->error(), Errc::deadline_exceeded);
  EXPECT_FALSE(asked->answers[0].completion.error().maybe_billed);
}

TEST_F(QueueTest, RefusesAtOnceWhatNobodyCouldEverServe) {
  add("a", "small"), open();
  EXPECT_EQ(ask()->error(), Errc::no_endpoint);
}

TEST_F(QueueTest, RefusesAtOnceWhenTheCoolDownOutlastsTheDeadline) {
  add("a"), open();
  set_state("a", BreakerState::open, 60s);
  auto asked = ask();
  EXPECT_EQ(asked->error(), Errc::no_endpoint);
  EXPECT_NE(asked->answers[0].completion.error().what.find("breaker open"), std::string::npos);
}

TEST_F(QueueTest, DivertsQueuedCallsFromAnOpenBreaker) {
  config_.dispatch.admission.running_max = 1;
  add("a"), add("b"), open();
  behave("b", std::nullopt);
  auto first = ask(), second = ask(), third = ask();
  ASSERT_EQ(orders("a").size(), 1u);
  set_state("a", BreakerState::open, 5s);
  end_newest("a", failed("a", orders("a").back(), Errc::transient_server));
  for (const auto& each : {first, second, third}) EXPECT_EQ(each->text(), "from b");  // F6
  EXPECT_EQ(orders("a").size(), 1u);
}

TEST_F(QueueTest, PassesOverAPlannedEndpointThatFellIllMeanwhile) {
  add("a"), add("b"), add("c"), open();
  behave("c", std::nullopt);
  auto asked = ask();
  set_state("b", BreakerState::open, 5s);
  end_newest("a", failed("a", orders("a").back(), Errc::timeout));
  EXPECT_EQ(asked->text(), "from c");  // F6: the plan named b next
  EXPECT_TRUE(orders("b").empty());
}

TEST_F(QueueTest, KeepsToItsPlanWhenTheRosterIsRenumbered) {
  add("b"), add("d"), open();
  behave("d", std::nullopt);
  auto asked = ask();
  ASSERT_EQ(orders("b").size(), 1u);
  add("a", "other"), add("c", "other");
  publish_roster(), publish("a"), publish("c");
  end_newest("b", failed("b", orders("b").back(), Errc::timeout));
  EXPECT_EQ(asked->text(), "from d");
  EXPECT_TRUE(orders("a").empty() && orders("c").empty());
}

class RetryBudgetTest : public QueueTest {
 protected:
  std::size_t attempts_of_300_calls(bool budget) {
    config_.dispatch.retry.enabled = budget;
    config_.dispatch.retry.budget_floor = 10, config_.dispatch.retry.budget_share = 0.1,
    config_.dispatch.retry.budget_per_second = 0;
    config_.dispatch.route.attempts_max = 4;
    add("a"), add("b"), open();
    behave("a", Errc::transient_server), behave("b", Errc::transient_server);
    std::vector<std::shared_ptr<Asked>> calls;
    for (int i = 0; i < 300; ++i) calls.push_back(ask());
    tick(12s);
    for (const auto& call : calls) EXPECT_TRUE(call->done() && !call->well());
    return books_.attempts.size();
  }
};

TEST_F(RetryBudgetTest, BoundsAttemptsUnderTotalFailure) {
  EXPECT_LE(attempts_of_300_calls(true), 300u + 10 + 30);  // E11
}
TEST_F(RetryBudgetTest, WithoutItEveryCallIsTriedToTheLimit) {
  EXPECT_EQ(attempts_of_300_calls(false), 1200u);  // E11, the mechanism off
}

TEST_F(QueueTest, TriesNoCallMoreOftenThanAllowed) {
  config_.dispatch.route.attempts_max = 3;
  config_.dispatch.retry.enabled = false;
  add("a"), add("b"), add("c"), add("d"), open();
  for (auto id : {"a", "b", "c", "d"}) behave(id, Errc::overloaded);
  auto asked = ask();
  tick(9s);
  EXPECT_EQ(asked->error(), Errc::overloaded);
  EXPECT_EQ(asked->answers[0].attempts.size(), 3u);  // E11
}

TEST_F(QueueTest, DoesNotAskAgainWhereAskingAgainIsNoUse) {
  add("a"), open();
  behave("a", Errc::auth);
  auto asked = ask();
  tick(5s);
  EXPECT_EQ(asked->error(), Errc::auth);
  EXPECT_EQ(orders("a").size(), 1u);  // E11: no retry on 4xx semantics
}

TEST_F(QueueTest, NeverRetriesTheCallersOwnMistake) {
  add("a"), add("b"), open();
  behave("a", Errc::bad_request), behave("b", std::nullopt);
  EXPECT_EQ(ask()->error(), Errc::bad_request);
  EXPECT_TRUE(orders("b").empty());  // E11
}

TEST_F(QueueTest, HandsDownADeadlineThatDoesNotGrow) {
  add("a"), add("b"), open();
  auto accepted = clock_.now();
  auto asked = ask();
  clock_.pass(4s);
  end_newest("a", failed("a", orders("a").back(), Errc::transient_server));
  ASSERT_EQ(orders("b").size(), 1u);
  EXPECT_EQ(orders("a")[0].deadline, accepted + 10s);
  EXPECT_EQ(orders("b")[0].deadline, accepted + 10s);  // E10: 6 s are left of it
  clock_.pass(7s);
  end_newest("b", failed("b", orders("b").back(), Errc::transient_server));
  EXPECT_EQ(asked->error(), Errc::deadline_exceeded);
  EXPECT_TRUE(asked->answers[0].completion.error().maybe_billed);
}

TEST(Call, AnswersInternalExactlyOnceWhenItIsDropped) {
  std::vector<CallResult> answers;
  {
    auto call = std::make_shared<Call>();
    call->done = [&](CallResult result) { answers.push_back(std::move(result)); };
  }
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].completion.error().code, Errc::internal);
}

TEST_F(QueueTest, AnswersWhatItFollowsWhenItDies) {
  add("a"), open();
  auto asked = ask();
  kill(queue_);
  EXPECT_EQ(asked->error(), Errc::internal);
}

TEST_F(QueueTest, AnswersForAnEndpointThatDiedWithItsAttempts) {
  add("a"), open();
  auto asked = ask();
  kill(places_.at("a").actor);
  tick(11s);
  EXPECT_FALSE(asked->done());
  tick(1200ms);
  EXPECT_EQ(asked->error(), Errc::deadline_exceeded);
}

TEST_F(QueueTest, MovesOnAsSoonAsALostEndpointHasBeenReplaced) {
  add("a"), add("b"), open();
  behave("b", std::nullopt);
  auto asked = ask();
  auto old = orders("a").back();
  places_.at("a").actor = scripted_endpoint(places_.at("a").script);
  publish_roster();
  EXPECT_EQ(asked->text(), "from b");
  EXPECT_EQ(asked->answers[0].attempts[0].error, "unreachable");
  tell(queue_, AttemptEnded{old.id, answered("a", old)});  // late: must not count twice
  EXPECT_EQ(asked->answers.size(), 1u);
}

TEST_F(QueueTest, IgnoresAnAnswerToAnEarlierAttempt) {
  add("a"), add("b"), open();
  auto asked = ask();
  auto old = orders("a").back();
  end_newest("a", failed("a", old, Errc::transient_server));
  tell(queue_, AttemptEnded{old.id, answered("a", old)});
  EXPECT_FALSE(asked->done());
  end_newest("b", answered("b", orders("b").back()));
  EXPECT_EQ(asked->text(), "from b");
}

TEST_F(QueueTest, RefusesTheCallBeyondItsQueue) {
  config_.dispatch.admission.queued_max = 2, config_.dispatch.admission.running_max = 1;
  add("a"), open();
  auto running = ask(), second = ask(), third = ask(), fourth = ask();
  EXPECT_EQ(fourth->error(), Errc::refused);
  EXPECT_FALSE(running->done() || second->done() || third->done());
}

TEST_F(QueueTest, EndsTenThousandWaitingCallsWithoutNesting) {
  config_.dispatch.admission.running_max = 1;
  add("a"), open();
  std::vector<std::shared_ptr<Asked>> calls;
  for (int i = 0; i < 10'000; ++i) calls.push_back(ask());
  set_state("a", BreakerState::open, 60s);
  end_newest("a", failed("a", orders("a").back(), Errc::bad_request));
  for (const auto& call : calls) ASSERT_TRUE(call->done());
}

TEST_F(QueueTest, ExplainsItsPlanWithoutSendingAnything) {
  add("a"), add("b"), open();
  set_state("b", BreakerState::open, 5s);
  std::string text;
  auto request = std::make_shared<const CompletionRequest>(question("hello"));
  tell(queue_, ExplainRoute{request, [&](std::string json) { text = std::move(json); }});
  auto json = parse_json(text);
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["feature"], "recap");
  EXPECT_EQ((*json)["plan"][0]["endpoint"], "a");
  EXPECT_EQ((*json)["passed_over"][0]["endpoint"], "b");  // E9
  EXPECT_TRUE(orders("a").empty());
}

// Endpoints answer, fail, refuse, die and fall silent at random; health flaps; time passes.
class RandomQueue : public QueueTest {
 protected:
  std::shared_ptr<AttemptResult> random_end(const std::string& id, const RunAttempt& order) {
    constexpr std::array errors{Errc::timeout,       Errc::transient_server, Errc::rate_limited, Errc::auth,
                                Errc::stream_broken, Errc::bad_request,      Errc::unreachable};
    auto die = rng_.uniform();
    if (die < 0.5) return answered(id, order);
    if (die < 0.65) return no_room(id, order, from_seconds(rng_.uniform()));
    return failed(id, order, errors[static_cast<std::size_t>(rng_.uniform() * errors.size())]);
  }
  void open_random_world() {
    for (auto id : {"a", "b", "c"})
      add(id).script->reply = [this, id = std::string(id)](const RunAttempt& order) {
        bool lost = rng_.uniform() < 0.02;
        return lost ? nullptr : random_end(id, order);
      };
    config_.dispatch.admission.running_max = 20, config_.dispatch.admission.queued_max = 50;
    open();
  }
  void random_event() {
    constexpr std::array states{BreakerState::closed, BreakerState::closed, BreakerState::open,
                                BreakerState::partial};
    auto id = std::string(1, static_cast<char>('a' + rng_.below(3)));
    auto die = rng_.below(4);
    if (die == 0) set_state(id, states[rng_.below(states.size())], from_seconds(3 * rng_.uniform()));
    if (die == 1) set_reachable(id, rng_.uniform() < 0.7);
    if (die == 2) publish_roster();
    if (die == 3) tick(from_seconds(rng_.uniform()));
  }
  Rng rng_{1};
};

TEST_F(RandomQueue, AnswersEveryCallExactlyOnce) {
  open_random_world();
  std::vector<std::shared_ptr<Asked>> calls;
  for (int i = 0; i < 5000; ++i) {
    calls.push_back(ask());
    if (rng_.uniform() < 0.2) random_event();
  }
  tick(13s);
  std::map<std::string, int> ends;
  for (const auto& call : calls) {
    ASSERT_EQ(call->answers.size(), 1u);  // C3: in = answered
    ++ends[call->well() ? "served" : to_string(call->error())];
  }
  EXPECT_GT(ends["served"], 1000);
  EXPECT_GT(ends["deadline_exceeded"], 0);
}

}  // namespace
}  // namespace troupe::actors::testing
