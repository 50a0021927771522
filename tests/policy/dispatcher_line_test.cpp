// Calls beyond capacity: few plans, the queue's order, and room kept for better classes (A10, C1, C3, C6).
#include "tests/policy/dispatcher_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing_dispatch::endpoint_at;
using testing_dispatch::usual_policy;
using testing_dispatch::World;

struct PlanCounter final : DecisionSink {
  std::size_t plans = 0;
  void on_decision(const Decision&) override { ++plans; }
};

/// Refuses all that was ordered, until nothing more is.
std::size_t refuse_all(World& world) {
  std::size_t refused = 0;
  while (!world.actions.send.empty()) {
    auto orders = std::exchange(world.actions.send, {});
    refused += orders.size();
    for (const auto& order : orders) world.refused(order.id);
  }
  return refused;
}

DispatchPolicy roomy() {
  auto policy = usual_policy();
  policy.admission.running_max = 0;
  return policy;
}

TEST(DispatcherLine, ThousandsThatWaitForRoomCostAFewPlansASecond) {  // C3
  World world({endpoint_at("a")}, roomy());
  PlanCounter counter;
  world.dispatcher.set_decision_sink(&counter);
  for (int i = 0; i < 5000; ++i) {
    world.call();
    refuse_all(world);
  }
  for (int tick = 0; tick < 200; ++tick) {
    world.pass(50ms);
    refuse_all(world);
  }
  // Planned anew every 100 ms each, it would be half a million.
  EXPECT_LT(counter.plans, 1000u);
  EXPECT_GT(counter.plans, 200u) << "somebody keeps looking";
  EXPECT_EQ(world.dispatcher.waiting() + world.dispatcher.running(), 5000u);
}

// Calls that timed out at a, where they may not go again, wait for b, which is full.
TEST(DispatcherLine, WhoMayNotGoSomewhereAgainKeepsNobodyElseWaiting) {  // C3
  World world({endpoint_at("a"), endpoint_at("b")}, roomy());
  std::size_t at_a = 0;
  auto answer = [&] {
    while (!world.actions.send.empty())
      for (const auto& order : std::exchange(world.actions.send, {})) {
        at_a += order.endpoint == 0;
        if (order.endpoint == 1)
          world.refused(order.id);
        else
          world.ended(order.id, make_error(Errc::timeout, "late"));
      }
  };
  for (int i = 0; i < 8; ++i) {
    world.call();
    answer();
  }
  for (int tick = 0; tick < 60; ++tick) {
    world.pass(50ms);
    answer();
  }
  ASSERT_GE(world.dispatcher.running(), 4u) << "they wait for b";
  auto before = at_a;
  world.call();
  answer();
  EXPECT_EQ(at_a, before + 1) << "a has room";
}

TEST(DispatcherLine, RoomThatComesIsTakenInTheQueuesOrder) {  // C6
  World world({endpoint_at("a")}, roomy());
  std::vector<std::uint64_t> served;
  int room = 0;
  auto answer = [&] {
    while (!world.actions.send.empty()) {
      auto orders = std::exchange(world.actions.send, {});
      for (const auto& order : orders) {
        if (room == 0) {
          world.refused(order.id);
          continue;
        }
        --room;
        served.push_back(order.call);
        world.ended(order.id);
      }
    }
  };
  for (int i = 0; i < 100; ++i) {
    world.call();
    answer();
  }
  for (int tick = 0; tick < 400 && served.size() < 100; ++tick) {
    room = 1;
    world.pass(50ms);
    answer();
  }
  ASSERT_EQ(served.size(), 100u);
  for (std::size_t i = 0; i < served.size(); ++i)
    EXPECT_NEAR(static_cast<double>(served[i]), static_cast<double>(i + 1), Dispatcher::stalled_max);
}

// Of each kin some look, each at its own time; who finds room then stands in line until somebody clears it
// away.
TEST(DispatcherLine, ThoseThatHaveFoundRoomHideNobodyWhoseTurnItIs) {  // C6
  World world({endpoint_at("a")}, roomy());
  auto say = [&](const char* tenant, std::uint64_t input, std::uint64_t kin = 0) {
    auto facts = world.facts(10min);
    facts.tenant = tenant;
    facts.input_tokens = input;
    facts.candidates = kin;
    world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
    return world.last_call;
  };
  say("much", 20'000);
  auto running = world.sent().id;
  for (std::uint64_t kin = 1; kin <= 100; ++kin) {
    say("many", 100, kin << 8);
    refuse_all(world);
  }
  world.pass(150ms);
  ASSERT_EQ(world.actions.send.size(), 100u) << "all of them look again, and have room";
  world.actions.clear();
  say("much", 20'000);
  refuse_all(world);
  auto little = say("little", 100);
  refuse_all(world);
  world.ended(running);
  ASSERT_FALSE(world.actions.send.empty());
  EXPECT_EQ(world.actions.send.front().call, little) << "not who has stood longest behind those";
}

TEST(DispatcherLine, AFloodThatIsRefusedLateWaitsAllTheSame) {
  World world({endpoint_at("a")}, roomy());
  PlanCounter counter;
  for (int i = 0; i < 1000; ++i) world.call();
  EXPECT_EQ(refuse_all(world), 1000u) << "nobody knew";
  world.dispatcher.set_decision_sink(&counter);
  for (int tick = 0; tick < 200; ++tick) {
    world.pass(50ms);
    refuse_all(world);
  }
  EXPECT_LT(counter.plans, 1000u);
}

TEST(DispatcherLine, AnExpiredCallCountsAsWaitingUntilItsEndIsTold) {  // C3
  World world({endpoint_at("a")}, roomy());
  auto in_is_out = [&] {
    const auto& c = world.dispatcher.counts();
    return c.in == c.served + c.refused + c.expired + c.failed + world.dispatcher.waiting() +
                       world.dispatcher.running();
  };
  for (int i = 0; i < 20; ++i) {
    world.call(1s);
    refuse_all(world);
  }
  world.clock.pass(2s);
  world.call(10s);
  EXPECT_TRUE(in_is_out());
  world.pass(50ms);
  EXPECT_TRUE(in_is_out());
  EXPECT_GE(world.dispatcher.counts().expired, 10u);
}

TEST(DispatcherLine, CallsThatWaitForTheRetryBudgetAreNotPlannedMeanwhile) {  // E11
  auto policy = roomy();
  policy.retry.budget_floor = 1;
  policy.retry.budget_share = 0;
  World world({endpoint_at("a"), endpoint_at("b")}, policy);
  PlanCounter counter;
  for (int i = 0; i < 1000; ++i) {
    world.call();
    world.ended(world.sent().id, make_error(Errc::rate_limited, "429"));
    world.actions.clear();
  }
  world.dispatcher.set_decision_sink(&counter);
  std::size_t sent = 0;
  for (int tick = 0; tick < 200; ++tick) {
    world.pass(50ms);
    sent += world.actions.send.size();
    world.actions.clear();
  }
  EXPECT_NEAR(static_cast<double>(sent), 10, 1) << "one a second is earned";
  EXPECT_LT(counter.plans, 50u);
}

TEST(DispatcherLine, WhoNeedsOtherRoomIsNotKeptWaiting) {
  auto bound = [](const char* name) {
    EndpointFacts facts{.id = name, .provider = name, .region = "r", .model = "sonnet"};
    facts.boundary = name;
    return std::make_shared<const EndpointFacts>(std::move(facts));
  };
  World world({bound("eu"), bound("us")}, roomy());
  auto call_in = [&](const char* boundary, const char* tenant) {
    auto facts = world.facts();
    facts.boundary = boundary;
    facts.tenant = tenant;
    world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
  };
  for (int i = 0; i < 500; ++i) {
    call_in("eu", "berlin");
    refuse_all(world);
  }
  call_in("us", "boston");
  EXPECT_EQ(world.sent().endpoint, 1u);
}

TEST(DispatcherLine, ACancelledOneOfThoseThatStallMakesWayForTheNext) {
  World world({endpoint_at("a")}, roomy());
  for (int i = 0; i < 20; ++i) {
    world.call();
    refuse_all(world);
  }
  for (std::uint64_t id = 1; id <= 19; ++id) {
    world.dispatcher.on_cancel(id, world.moment(), world.actions);
    refuse_all(world);
  }
  world.actions.clear();
  world.pass(2s);
  EXPECT_EQ(world.sent().call, 20u);
}

TEST(DispatcherLine, WithSpilloverOffReservedCapacityIsWaitedForAndNothingElseUsed) {  // C1
  auto policy = roomy();
  auto endpoints = [] { return std::vector{endpoint_at("a", CapacityKind::reserved), endpoint_at("b")}; };
  policy.route.spillover = false;
  World waits(endpoints(), policy), spills(endpoints(), roomy());
  std::set<std::uint32_t> used;
  waits.call();
  for (int tick = 0; tick < 40; ++tick) {
    for (const auto& order : waits.actions.send) used.insert(order.endpoint);
    refuse_all(waits);
    waits.pass(50ms);
  }
  EXPECT_EQ(used, std::set<std::uint32_t>{0});
  spills.call();
  spills.refused(spills.sent().id);
  EXPECT_EQ(spills.sent().endpoint, 1u);
}

/// A batch feature at an endpoint whose hundred places are taken by so many, beside one that interactive work
/// asks for.
struct Crowd {
  std::shared_ptr<QuotaTree> tree;
  World world;
  explicit Crowd(std::array<double, 3> room = QuotaTreePolicy{}.class_room,
                 WorkClass work_class = WorkClass::batch)
      : tree(std::make_shared<QuotaTree>(QuotaTreePolicy{.tokens_per_minute = 1e9, .class_room = room},
                                         Instant{})),
        world({endpoint_at("a")}, policy_of(work_class)) {
    world.dispatcher.set_quota_tree(tree);
  }
  static DispatchPolicy policy_of(WorkClass work_class) {
    auto policy = roomy();
    policy.rules.work_class = work_class;
    return policy;
  }
  /// What the feature sends is its own from now on.
  void guarantee(std::array<double, 3> room = QuotaTreePolicy{}.class_room) {
    QuotaTreePolicy policy{.tokens_per_minute = 1e9, .class_room = room};
    policy.features["summary"].guaranteed_tokens_per_minute = 1e8;
    tree = std::make_shared<QuotaTree>(policy, Instant{});
    world.dispatcher.set_quota_tree(tree);
  }
  bool goes(std::uint32_t in_flight, Duration waits = 0s, Duration deadline = 2h) {
    auto view = std::make_shared<HealthView>();
    view->in_flight = 100;
    view->in_flight_max = 100;
    world.dispatcher.set_health(0, view);
    auto id = world.call(deadline);
    refuse_all(world);
    world.clock.pass(waits);
    tree->take("chat", "t", 1, world.clock.now(), WorkClass::interactive);
    view = std::make_shared<HealthView>(*view);
    view->in_flight = in_flight;
    world.dispatcher.set_health(0, view);
    world.pass(100ms);
    bool sent = !world.actions.send.empty();
    world.actions.clear();
    world.dispatcher.on_cancel(id, world.moment(), world.actions);
    world.actions.clear();
    return sent;
  }
};

TEST(DispatcherLine, BatchWorkLeavesRoomWhileInteractiveWorkAsks) {  // A10
  EXPECT_TRUE(Crowd().goes(74));
  EXPECT_FALSE(Crowd().goes(75));
  EXPECT_TRUE(Crowd({1, 1, 1}).goes(75)) << "off";
}

TEST(DispatcherLine, WhoHasWaitedLongTakesEverMoreOfTheRoomThatIsKept) {  // A10
  EXPECT_FALSE(Crowd().goes(90, 60min, 2h));
  EXPECT_FALSE(Crowd().goes(90, 70min, 2h));
  EXPECT_TRUE(Crowd().goes(90, 115min, 2h));
}

TEST(DispatcherLine, WhatIsNotBorrowedIsHeldBackForNobodyUnlessItIsBatchWork) {  // C6
  for (auto work_class : {WorkClass::interactive, WorkClass::soon}) {
    Crowd crowd(QuotaTreePolicy{}.class_room, work_class);
    crowd.guarantee();
    EXPECT_TRUE(crowd.goes(99));
  }
}

TEST(DispatcherLine, BatchWorkLeavesATenthToTheUrgentAlsoWithItsOwnGuarantee) {  // A10
  Crowd crowd;
  crowd.guarantee();
  EXPECT_TRUE(crowd.goes(89));
  EXPECT_FALSE(crowd.goes(90));
  EXPECT_TRUE(crowd.goes(98, 115min, 2h)) << "not for ever";
  crowd.guarantee({1, 1, 1});
  EXPECT_TRUE(crowd.goes(99)) << "off";
}

TEST(QuotaTree, ABorrowerLeavesRoomToWhoeverUsesAGuarantee) {  // C6
  QuotaTreePolicy policy{.tokens_per_minute = 6000};
  policy.features["chat"].guaranteed_tokens_per_minute = 3000;
  QuotaTree tree(policy, Instant{});
  EXPECT_EQ(tree.room_share("search", WorkClass::interactive, Instant{}), 1);
  tree.take("chat", "t", 1, Instant{});
  EXPECT_EQ(tree.room_share("search", WorkClass::interactive, Instant{}), 0.95);
  EXPECT_EQ(tree.room_share("chat", WorkClass::interactive, Instant{}), 1) << "it keeps none for itself";
  EXPECT_EQ(tree.room_share("search", WorkClass::interactive, Instant{} + 2min), 1) << "nobody is left";
}

TEST(KeptRoom, CountsWhatItSentSinceTheView) {
  KeptRoom room;
  room.resize(1);
  HealthView view;
  view.in_flight_max = 10;
  view.in_flight = 6;
  room.on_view(0, &view);
  EXPECT_TRUE(room.free_for(0, view, {.share = 0.75}));
  room.on_sent(0, 100, 10);
  EXPECT_TRUE(room.free_for(0, view, {.share = 0.75}));
  room.on_sent(0, 100, 10);
  EXPECT_FALSE(room.free_for(0, view, {.share = 0.75}));
  room.on_view(0, &view);
  EXPECT_TRUE(room.free_for(0, view, {.share = 0.75}));
}

TEST(KeptRoom, KeepsAPartOfTheFullestBucketAndServesTheLargestWhenItIsFull) {
  KeptRoom room;
  room.resize(1);
  HealthView view;
  view.input_headroom = 1000;
  room.on_view(0, &view);
  EXPECT_TRUE(room.free_for(0, view, {.input_tokens = 2000, .share = 0.75})) << "full";
  view.input_headroom = 400;
  room.on_view(0, &view);
  EXPECT_TRUE(room.free_for(0, view, {.input_tokens = 100, .share = 0.75}));
  EXPECT_FALSE(room.free_for(0, view, {.input_tokens = 200, .share = 0.75}));
  EXPECT_TRUE(room.free_for(0, view, {.input_tokens = 200, .share = 1}));
}

TEST(KeptRoom, KnowsNoLimitWhereNoneIsTold) {
  KeptRoom room;
  room.resize(1);
  HealthView view;
  view.in_flight = 1000;
  room.on_view(0, &view);
  room.on_sent(0, 1e9, 1e9);
  EXPECT_TRUE(room.free_for(0, view, {.input_tokens = 1e9, .share = 0.1}));
}

TEST(QuotaTree, BatchWorkBorrowsTheWholeDownOnlyToWhatBetterClassesMayNeed) {  // C6
  auto borrowed = [](std::array<double, 3> room, bool chat_asks) {
    QuotaTree tree({.tokens_per_minute = 6000, .burst_minutes = 1, .class_room = room}, Instant{});
    if (chat_asks) tree.take("chat", "t", 1, Instant{}, WorkClass::interactive);
    int granted = 0;
    while (tree.take("recap", "t", 100, Instant{}, WorkClass::batch)) ++granted;
    return granted;
  };
  EXPECT_EQ(borrowed({0.95, 0.9, 0.75}, true), 44);
  EXPECT_EQ(borrowed({0.95, 0.9, 0.75}, false), 60) << "nobody else is there";
  EXPECT_EQ(borrowed({1, 1, 1}, true), 59) << "off";
}

}  // namespace
}  // namespace troupe::policy
