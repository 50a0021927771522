// A cast that is spawned, restarted with growing pauses, given up, and taken along.
#include "tests/actors/cast_world.hpp"

namespace troupe::actors::testing {
namespace {

TEST_F(SupervisorTest, CallsThatHangOpenTheBreakerBeforeTheyEnd) {  // the grey failure
  healthy_.ttft_p90 = 0.5;
  open();
  for (int i = 0; i < 20; ++i) ask();
  pass(4s);
  for (const auto& [id, view] : health()) EXPECT_EQ(view->state, policy::BreakerState::closed) << id;
  pass(2s);
  EXPECT_EQ(sent(), 20u) << "none has ended, none was sent again";
  bool opened = false;
  for (const auto& [id, view] : health()) opened |= view->reason == policy::TripReason::stalls;
  EXPECT_TRUE(opened);
}

TEST_F(SupervisorTest, SpawnsACastThatServes) {
  open();
  auto answers = ask();
  ASSERT_EQ(sent(), 1u);
  auto& first = orders_["a"].empty() ? orders_["b"][0] : orders_["a"][0];
  first.ended(answered("x", first.order));
  run();
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_TRUE((*answers)[0].completion);
  EXPECT_EQ(health().size(), 2u);
}

TEST_F(SupervisorTest, RestartsAnEndpointAfterAPauseThatGrows) {
  open();
  std::vector<Duration> pauses;
  for (int i = 0; i < 3; ++i) {
    auto old = endpoint("a");
    kill(old);
    EXPECT_FALSE(endpoint("a"));
    pauses.push_back(back_after("a"));
    EXPECT_NE(endpoint("a"), old);
  }
  EXPECT_LT(pauses[0], pauses[1]);
  EXPECT_LT(pauses[1], pauses[2]);
}

TEST_F(SupervisorTest, GivesUpAChildThatKeepsFailing) {
  open();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(endpoint("a")) << i;
    kill(endpoint("a"));
    back_after("a", 3s);
  }
  EXPECT_FALSE(endpoint("a"));
  EXPECT_FALSE(health().at("a")->reachable);
  EXPECT_TRUE(endpoint("b"));  // A1: alone
  auto before = orders_["b"].size();
  for (int i = 0; i < 3; ++i) ask();
  EXPECT_EQ(orders_["b"].size(), before + 3);
}

TEST_F(SupervisorTest, ForgivesFailuresThatAreLongPast) {
  open();
  for (int i = 0; i < 8; ++i) {
    kill(endpoint("a"));
    back_after("a");
    ASSERT_TRUE(endpoint("a")) << i;
    pass(31s);
  }
}

TEST_F(SupervisorTest, HandsOnTheCallsOfAnEndpointThatDied) {
  open();
  ask();
  ASSERT_EQ(sent(), 1u);
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  kill(endpoint(first));
  run();
  EXPECT_EQ(orders_[other].size(), 1u);  // at once, not at the deadline
}

TEST_F(SupervisorTest, KeepsABreakerOpenOverItsRestart) {
  open();
  auto a = endpoint("a");
  std::vector<AttemptEnded> ends;
  auto client = probe(ends);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    RunAttempt order;
    order.id = id;
    order.request = std::make_shared<const CompletionRequest>(question("hello"));
    order.deadline = clock_.now() + 10s;
    order.reply_to = client;
    tell(a, order);
    orders_["a"].back().ended(failed("a", order, Errc::transient_server));
    run();
  }
  auto view = health().at("a");
  ASSERT_EQ(view->state, policy::BreakerState::open);
  kill(a);
  back_after("a");
  pass(100ms);
  EXPECT_EQ(health().at("a")->state, policy::BreakerState::open);  // GATEWAYS, pain 5
  EXPECT_EQ(health().at("a")->cool_until, view->cool_until);
  EXPECT_GT(health().at("a")->version, view->version);
}

TEST_F(SupervisorTest, GivesANewQueueTheRosterAndTheHealthOfAll) {
  open();
  kill(queue());
  pass(200ms);
  ask();
  EXPECT_EQ(sent(), 1u);
}

TEST_F(SupervisorTest, AFeaturesCallsAreShadowedAlsoAfterTheShadowDied) {  // B5
  shadow_model_ = "candidate";
  open();
  ask();
  ASSERT_EQ(sent(), 1u);
  ASSERT_EQ(orders_["c"].size(), 1u);
  EXPECT_EQ(orders_["c"][0].order.cause, Cause::shadow);
  kill(board_->shadows.load()->at("recap"));
  ask();
  EXPECT_EQ(sent(), 2u) << "the primary does not feel it";
  EXPECT_EQ(orders_["c"].size(), 1u);
  pass(1s);
  ask();
  EXPECT_EQ(orders_["c"].size(), 2u);
}

TEST_F(SupervisorTest, TakesTheCastAlong) {
  open();
  auto cast = queue();
  auto answers = ask();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  run();
  EXPECT_TRUE(board_->endpoints.load()->empty());
  EXPECT_TRUE(board_->queues.load()->empty());
  ASSERT_EQ(answers->size(), 1u);  // told, not forgotten
  EXPECT_EQ((*answers)[0].completion.error().code, Errc::internal);
}

}  // namespace
}  // namespace troupe::actors::testing
