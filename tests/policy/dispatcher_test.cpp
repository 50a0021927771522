// Calls from arrival to end, by example and under a hundred thousand random facts.
#include "tests/policy/dispatcher_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing_dispatch::endpoint_at;
using testing_dispatch::usual_policy;
using testing_dispatch::World;

TEST(Dispatcher, ServesAtTheFirstOfThePlan) {
  World world({endpoint_at("a"), endpoint_at("b")});
  auto call = world.call();
  auto order = world.sent();
  EXPECT_EQ(order.call, call);
  EXPECT_EQ(order.cause, Cause::primary);
  world.ended(order.id);
  ASSERT_EQ(world.actions.ended.size(), 1u);
  EXPECT_EQ(world.actions.ended[0].ending, Ending::served);
  EXPECT_EQ(world.actions.ended[0].attempt, order.id);
}

TEST(Dispatcher, FallsBackAcrossProvidersAndStopsAtTheMostAttempts) {  // E11
  World world({endpoint_at("a"), endpoint_at("b"), endpoint_at("c"), endpoint_at("d"), endpoint_at("e")});
  world.call();
  std::set<std::uint32_t> tried;
  for (int i = 0; i < 4; ++i) {
    auto order = world.sent();
    EXPECT_EQ(order.cause, i == 0 ? Cause::primary : Cause::fallback);
    EXPECT_TRUE(tried.insert(order.endpoint).second);
    world.ended(order.id, make_error(Errc::transient_server, "503"));
  }
  ASSERT_EQ(world.actions.ended.size(), 1u);
  EXPECT_EQ(world.actions.ended[0].error->code, Errc::transient_server);
  EXPECT_TRUE(world.actions.send.empty());
}

TEST(Dispatcher, ARefusedEndpointIsSpilledFromAtOnce) {  // C2
  World world({endpoint_at("a", CapacityKind::reserved), endpoint_at("a")});
  world.call();
  auto first = world.sent();
  EXPECT_EQ(first.endpoint, 0u);
  world.refused(first.id);
  auto second = world.sent();
  EXPECT_EQ(second.endpoint, 1u);
  EXPECT_EQ(second.cause, Cause::spillover);
}

TEST(Dispatcher, WhoFellIllSinceThePlanIsPassedOver) {  // F6
  World world({endpoint_at("a"), endpoint_at("b"), endpoint_at("c")});
  world.call();
  auto first = world.sent();
  const auto* plan = world.dispatcher.plan_of(first.call);
  auto ill = plan->order[1].endpoint, well = plan->order[2].endpoint;
  auto view = std::make_shared<HealthView>();
  view->state = BreakerState::open;
  world.dispatcher.set_health(ill, view);
  world.ended(first.id, make_error(Errc::transient_server, "503"));
  EXPECT_EQ(world.sent().endpoint, well);
}

TEST(Dispatcher, AShownAnswerIsNotRepeatedUnlessTheCallCanDoWithThat) {  // C12
  World world({endpoint_at("a"), endpoint_at("b")});
  world.call();
  world.ended(world.sent().id, make_error(Errc::stream_broken, "cut"), true);
  EXPECT_EQ(world.sent().cause, Cause::fallback) << "held back or continued";
  auto facts = world.facts();
  facts.may_follow_content = false;
  world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
  world.ended(world.sent().id, make_error(Errc::stream_broken, "cut"), true);
  ASSERT_EQ(world.actions.ended.size(), 1u);
  EXPECT_TRUE(world.actions.send.empty());
}

TEST(Dispatcher, WaitsForRoomAndSaysWhenToLookAgain) {  // C3
  World world({endpoint_at("a")});
  world.call(10s);
  world.refused(world.sent().id);
  EXPECT_TRUE(world.actions.ended.empty());
  ASSERT_TRUE(world.dispatcher.wake_at());
  EXPECT_EQ(*world.dispatcher.wake_at(), world.clock.now() + 100ms);
  world.pass(100ms);
  world.ended(world.sent().id);
  EXPECT_EQ(world.actions.ended.at(0).ending, Ending::served);
}

TEST(Dispatcher, ACallWithoutHopeEndsAtOnceWithEveryReason) {
  World world({endpoint_at("a")});
  auto facts = world.facts();
  facts.boundary = "eu";
  world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
  ASSERT_EQ(world.actions.ended.size(), 1u);
  EXPECT_EQ(world.actions.ended[0].error->code, Errc::no_endpoint);
  EXPECT_THAT(world.actions.ended[0].error->what, testing::HasSubstr("must not"));
}

TEST(Dispatcher, ACancelledCallCancelsItsAttempt) {
  World world({endpoint_at("a")});
  auto call = world.call();
  auto order = world.sent();
  world.dispatcher.on_cancel(call, world.moment(), world.actions);
  EXPECT_THAT(world.actions.cancel, testing::ElementsAre(order.id));
  EXPECT_EQ(world.actions.ended.at(0).error->code, Errc::cancelled);
  world.actions.clear();
  world.ended(order.id);
  EXPECT_TRUE(world.actions.ended.empty()) << "it has ended once";
  EXPECT_EQ(world.dispatcher.running(), 0u);
}

TEST(Dispatcher, TheRetryBudgetBoundsExtraAttemptsUnderAnOutage) {  // E11
  auto extra_share = [](bool budget) {
    auto policy = usual_policy();
    policy.retry.enabled = budget;
    policy.retry.budget_per_second = 0;
    World world({endpoint_at("a"), endpoint_at("b")}, policy);
    std::size_t attempts = 0;
    auto fail_all = [&] {
      while (!world.actions.send.empty()) {
        auto orders = std::exchange(world.actions.send, {});
        attempts += orders.size();
        for (const auto& order : orders) world.ended(order.id, make_error(Errc::transient_server, "503"));
      }
    };
    for (int i = 0; i < 1000; ++i) {
      world.call(1s);
      fail_all();
      world.pass(10ms);
      fail_all();
    }
    return static_cast<double>(attempts) / 1000;
  };
  EXPECT_LT(extra_share(true), 1.3);
  EXPECT_GT(extra_share(false), 1.9) << "off";
}

// Calls that failed once and found no room for a second attempt look for it; when the budget for that is gone
// they stop looking, so others of their kin may.
TEST(Dispatcher, WhoWaitsForTheRetryBudgetLooksForNoRoomMeanwhile) {  // E11, C3
  auto policy = usual_policy();
  policy.admission.running_max = 0;
  policy.retry = {.budget_share = 0, .budget_floor = 0, .budget_per_second = 0};
  World world({endpoint_at("a")}, policy);
  auto full = [&](bool is) {
    auto view = std::make_shared<HealthView>();
    view->state = is ? BreakerState::open : BreakerState::closed;
    // Soon enough to be waited for: else the calls would simply fail.
    if (is) view->cool_until = {world.clock.wall().ms + 20'000};
    world.dispatcher.set_health(0, view);
  };
  for (std::uint32_t i = 0; i <= Dispatcher::stalled_max; ++i) world.call();
  auto out = std::exchange(world.actions.send, {});
  full(true);
  for (const auto& order : out) world.ended(order.id, make_error(Errc::transient_server, "503"));
  world.pass(15s);
  EXPECT_TRUE(world.actions.send.empty());
  full(false);
  world.pass(200ms);
  world.pass(200ms);
  EXPECT_TRUE(world.actions.send.empty()) << "all who looked for room wait for the budget now";
  ASSERT_EQ(world.dispatcher.running(), Dispatcher::stalled_max + 1);
  world.call();
  EXPECT_EQ(world.sent().call, world.last_call) << "there is room, and it needs no budget";
}

TEST(Dispatcher, EveryCallEndsOnceAndNothingIsLostUnderRandomFacts) {  // C3
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    auto policy = usual_policy();
    policy.admission.queued_max = 5;
    policy.admission.running_max = 8;
    World world({endpoint_at("a", CapacityKind::reserved), endpoint_at("b"), endpoint_at("c")}, policy);
    std::map<std::uint64_t, int> ends;
    std::vector<std::uint64_t> out;
    auto harvest = [&] {
      for (const auto& order : world.actions.send) out.push_back(order.id);
      for (const auto& end : world.actions.ended) ++ends[end.call];
      world.actions.clear();
    };
    for (int step = 0; step < 3000; ++step) {
      auto what = rng.below(10);
      if (what < 4) {
        world.call(from_seconds(rng.uniform() * 3));
      } else if (what < 8 && !out.empty()) {
        auto i = rng.below(out.size());
        auto id = std::exchange(out[i], out.back());
        out.pop_back();
        auto fate = rng.below(6);
        if (fate == 0) world.refused(id);
        if (fate == 1) world.ended(id, make_error(Errc::transient_server, "503"));
        if (fate == 2) world.ended(id, make_error(Errc::bad_request, "400"));
        if (fate > 2) world.ended(id);
      } else if (what == 8) {
        auto view = std::make_shared<HealthView>();
        view->state = static_cast<BreakerState>(rng.below(3));
        view->share = 0.2;
        world.dispatcher.set_health(static_cast<std::uint32_t>(rng.below(3)), view);
      } else if (rng.below(4) == 0 && world.last_call > 0) {
        world.dispatcher.on_cancel(1 + rng.below(world.last_call), world.moment(), world.actions);
      } else {
        world.pass(from_seconds(rng.uniform() * 0.3));
      }
      harvest();
      const auto& c = world.dispatcher.counts();
      ASSERT_EQ(c.in, c.served + c.refused + c.expired + c.failed + world.dispatcher.waiting() +
                          world.dispatcher.running())
          << "seed " << seed << " step " << step;
    }
    for (int i = 0; i < 200; ++i) {
      for (auto id : std::exchange(out, {})) world.ended(id);
      harvest();
      world.pass(100ms);
      harvest();
    }
    ASSERT_EQ(ends.size(), world.last_call) << "seed " << seed;
    for (const auto& [call, count] : ends) ASSERT_EQ(count, 1) << call;
  }
}

}  // namespace
}  // namespace troupe::policy
