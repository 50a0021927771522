// Another configuration while calls go on: who is not named in it stays, who leaves sees through what it has
// (C1, C13).
#include "tests/actors/cast_world.hpp"

namespace troupe::actors::testing {
namespace {

using ChangeCastTest = SupervisorTest;

TEST_F(ChangeCastTest, NewRulesHoldForNewCallsAndThoseUnderWayAreSeenThrough) {  // C1
  open();
  auto old = queue();
  auto first = ask();
  ASSERT_EQ(sent(), 1u);
  FeatureConfig stricter;
  stricter.dispatch.rules = {.feature = "recap", .hierarchy = {"another"}};
  change({.features = {stricter}});
  EXPECT_NE(queue(), old);
  auto second = ask();
  EXPECT_EQ(sent(), 1u) << "nobody has the other model";
  pass(5s);
  auto& order = orders_["a"].empty() ? orders_["b"][0] : orders_["a"][0];
  order.ended(answered("x", order.order));
  run();
  ASSERT_EQ(first->size(), 1u);
  EXPECT_TRUE((*first)[0].completion);
  EXPECT_EQ(books_.by_cause().at("primary"), 1);
  pass(2s);
  EXPECT_TRUE(gone(old));
  EXPECT_FALSE(gone(queue()));
}

TEST_F(ChangeCastTest, AReloadDuringARestartsPauseLeavesOneQueue) {
  open();
  kill(queue());
  change({.features = {recap()}});
  auto fresh = queue();
  ASSERT_FALSE(gone(fresh)) << "it does not wait for the pause";
  pass(5s);
  EXPECT_EQ(queue(), fresh) << "what the restart would have spawned is there";
}

TEST_F(ChangeCastTest, AReplacedQueueGoesOnHearingOfEndpointsThatWereRestarted) {  // F6
  open();
  auto answers = ask();
  ASSERT_EQ(sent(), 1u);
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  change({.features = {recap()}});
  kill(endpoint(other));
  back_after(other);
  auto breaker = board_->breakers.load()->at(other);
  tell(breaker, ForceBreaker{policy::BreakerState::open, 1h, "ann", "drill"});
  pass(100ms);
  const auto& order = orders_[first][0];
  order.ended(failed(first, order.order, Errc::transient_server));
  run();
  EXPECT_TRUE(orders_[other].empty()) << "its breaker is open";
  tell(breaker, ForceBreaker{policy::BreakerState::closed, 1h, "ann", "over"});
  pass(1s);
  EXPECT_GE(sent(), 2u) << "it was tried again";
}

TEST_F(ChangeCastTest, AReloadLeavesQueuesAloneWhoseRulesAreAsTheyWere) {  // C1
  with_second_feature_ = true;
  open();
  auto recap_queue = queue(), chat_queue = queue("chat");
  change({.features = {recap()}});
  EXPECT_NE(queue(), recap_queue);
  EXPECT_EQ(queue("chat"), chat_queue);
}

TEST_F(ChangeCastTest, AChangeLeavesThoseAloneWhoAreNotInIt) {  // C13: nothing else is made anew
  open();
  auto a = endpoint("a"), b = endpoint("b");
  auto breakers = *board_->breakers.load();
  auto recap_queue = queue();
  change({.endpoints_gone = {"a"}, .endpoints = {local("a"), local("d")}});
  EXPECT_NE(endpoint("a"), a);
  EXPECT_TRUE(endpoint("d"));
  EXPECT_EQ(endpoint("b"), b);
  auto now = *board_->breakers.load();
  EXPECT_EQ(now.at("b"), breakers.at("b"));
  EXPECT_NE(now.at("a"), breakers.at("a"));
  EXPECT_EQ(queue(), recap_queue);
  pass(200ms);
  EXPECT_EQ(health().size(), 3u);
}

TEST_F(ChangeCastTest, AnEndpointMoreIsUsedAtOnce) {  // C13
  open();
  change({.endpoints_gone = {"a", "b"}, .endpoints = {local("d")}});
  pass(100ms);
  auto answers = ask();
  EXPECT_EQ(sent(), 0u);
  ASSERT_EQ(orders_["d"].size(), 1u);
  orders_["d"][0].ended(answered("d", orders_["d"][0].order));
  run();
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_TRUE((*answers)[0].completion);
  EXPECT_EQ(health().size(), 1u) << "of those that left nobody speaks any more";
}

TEST_F(ChangeCastTest, AnEndpointThatGoesSeesItsAttemptsThrough) {  // C13: nothing is lost
  open();
  auto answers = ask();
  ASSERT_EQ(sent(), 1u);
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  auto leaving = endpoint(first);
  change({.endpoints_gone = {first}});
  EXPECT_FALSE(endpoint(first));
  pass(5s);
  EXPECT_FALSE(gone(leaving)) << "somebody waits for its answer";
  EXPECT_EQ(orders_[other].size(), 0u) << "the call was not sent again";
  ask();
  EXPECT_EQ(orders_[first].size(), 1u) << "nothing new goes there";
  EXPECT_EQ(orders_[other].size(), 1u);
  const auto& order = orders_[first][0];
  order.ended(answered(first, order.order));
  run();
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_TRUE((*answers)[0].completion);
  EXPECT_EQ(books_.by_cause().at("primary"), 1);
  pass(2s);
  EXPECT_TRUE(gone(leaving));
}

TEST_F(ChangeCastTest, AnEndpointThatDiesWhileItLeavesIsNotWaitedFor) {
  open();
  ask();
  std::string first = orders_["a"].empty() ? "b" : "a", other = first == "a" ? "b" : "a";
  auto leaving = endpoint(first);
  change({.endpoints_gone = {first}});
  kill(leaving);
  EXPECT_EQ(orders_[other].size(), 1u) << "its call went on at once";
  pass(5s);
  EXPECT_FALSE(endpoint(first)) << "nobody brings it back";
}

TEST_F(ChangeCastTest, AChangedEndpointKeepsItsBreakersMemory) {  // F13
  open();
  tell(board_->breakers.load()->at("a"), ForceBreaker{policy::BreakerState::open, 1h, "ann", "drill"});
  pass(100ms);
  ASSERT_EQ(health().at("a")->state, policy::BreakerState::open);
  change({.endpoints_gone = {"a"}, .endpoints = {local("a")}});
  pass(100ms);
  EXPECT_EQ(health().at("a")->state, policy::BreakerState::open);
  ask();
  EXPECT_TRUE(orders_["a"].empty());
}

TEST_F(ChangeCastTest, AnEndpointThatWasGivenUpCanBeChanged) {
  open();
  for (int i = 0; i < 4; ++i) {
    kill(endpoint("a"));
    back_after("a", 3s);
  }
  ASSERT_FALSE(endpoint("a"));
  change({.endpoints_gone = {"a"}, .endpoints = {local("a")}});
  pass(100ms);
  EXPECT_TRUE(endpoint("a"));
  EXPECT_TRUE(health().at("a")->reachable);
}

TEST_F(ChangeCastTest, AShadowMayBeginAndEndWhileItsFeaturesQueueStays) {  // C13, B5
  shadow_model_ = "candidate";
  open();
  auto recap_queue = queue();
  ask();
  ASSERT_EQ(orders_["c"].size(), 1u);
  auto shadow = board_->shadows.load()->at("recap");
  change({.shadows_gone = {"recap"}});
  EXPECT_TRUE(board_->shadows.load()->empty());
  ask();
  EXPECT_EQ(orders_["c"].size(), 1u);
  pass(1s);
  EXPECT_FALSE(gone(shadow)) << "a copy is under way";
  orders_["c"][0].ended(answered("c", orders_["c"][0].order));
  run();
  EXPECT_EQ(books_.by_cause().at("shadow"), 1) << "what it cost is booked";
  pass(1s);
  EXPECT_TRUE(gone(shadow));
  SupervisorConfig again;
  add_shadow(again);
  change({.shadows = again.shadows});
  ask();
  EXPECT_EQ(orders_["c"].size(), 2u);
  EXPECT_EQ(queue(), recap_queue);
}

}  // namespace
}  // namespace troupe::actors::testing
