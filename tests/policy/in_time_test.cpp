// A call that can no longer be done in time is not sent while others wait (A10, O8).
#include "tests/policy/dispatcher_world.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing_dispatch::endpoint_at;
using testing_dispatch::usual_policy;
using testing_dispatch::World;

constexpr auto kTakes = 1900ms;  // and the next begins at the next quarter of a second
constexpr auto kAllowed = 10s;

/// Twice as much comes as one place can do: a call a second, each takes two, ten are allowed.
struct Overload {
  World world;
  struct Sent {
    std::uint64_t attempt = 0;
    bool late = false;
  };
  std::map<Instant, Sent> out;  // by when it ends
  std::size_t served = 0, cut = 0, sent = 0;
  bool conserved = true;

  explicit Overload(double finish_share) : world({endpoint_at("a")}, one_place(finish_share)) {
    for (int tick = 0; tick < 600 * 4; ++tick) {
      if (tick % 4 == 0) world.call(kAllowed);
      take_orders();
      world.pass(250ms);
      end_due();
      check();
    }
  }
  static DispatchPolicy one_place(double finish_share) {
    auto policy = usual_policy();
    policy.admission.running_max = 1;
    policy.admission.finish_share = finish_share;
    return policy;
  }
  void take_orders() {
    for (const auto& order : std::exchange(world.actions.send, {})) {
      ++sent;
      auto done = world.clock.now() + kTakes;
      out[std::min(done, order.deadline)] = {order.id, done > order.deadline};
    }
  }
  void end_due() {
    take_orders();
    while (!out.empty() && out.begin()->first <= world.clock.now()) {
      auto [attempt, late] = out.begin()->second;
      out.erase(out.begin());
      ++(late ? cut : served);
      world.ended(attempt, late ? std::optional(make_error(Errc::deadline_exceeded, "cut")) : std::nullopt);
      take_orders();
    }
  }
  void check() {
    const auto& c = world.dispatcher.counts();
    conserved = conserved && c.in == c.served + c.refused + c.expired + c.failed +
                                         world.dispatcher.waiting() + world.dispatcher.running();
  }
};

TEST(InTime, BeyondCapacityWhatIsSentIsDoneInTime) {  // O8
  Overload with(0.9), without(0);
  std::printf(
      "[ figures  ] of 600 calls, 300 could be done: %zu served and %zu cut off with, %zu and %zu without\n",
      with.served, with.cut, without.served, without.cut);
  EXPECT_GT(with.served, 270u);
  EXPECT_LT(with.cut, 15u);
  EXPECT_GT(without.cut, 10 * with.cut) << "off: sent when it is too late";
  EXPECT_LT(without.served, with.served);
  EXPECT_TRUE(with.conserved && without.conserved);
}

TEST(InTime, WhoIsGivenUpHasExpiredAndOwesNothing) {  // C3
  World world({endpoint_at("a")}, Overload::one_place(0.9));
  for (int i = 0; i < 30; ++i) {
    world.call(1h);
    auto order = world.sent();
    world.clock.pass(4s);
    world.ended(order.id);
    world.actions.clear();
  }
  auto running = (world.call(1h), world.sent());
  auto given_up = world.call(10s);
  world.call(1h);
  world.clock.pass(7s);
  world.actions.clear();
  world.ended(running.id);
  ASSERT_EQ(world.actions.ended.size(), 2u);
  const auto& end = world.actions.ended[1];
  EXPECT_EQ(end.call, given_up);
  EXPECT_EQ(end.ending, Ending::expired);
  EXPECT_EQ(end.error->code, Errc::deadline_exceeded);
  EXPECT_FALSE(end.error->maybe_billed);
  EXPECT_EQ(world.sent().call, given_up + 1) << "the next has its place at once";
}

TEST(InTime, NobodyIsGivenUpWhoseSlotNobodyElseWants) {
  World world({endpoint_at("a")}, Overload::one_place(0.9));
  for (int i = 0; i < 30; ++i) {
    world.call(1h);
    auto order = world.sent();
    world.clock.pass(4s);
    world.ended(order.id);
    world.actions.clear();
  }
  auto running = (world.call(1h), world.sent());
  auto late = world.call(10s);
  world.clock.pass(7s);
  world.actions.clear();
  world.ended(running.id);
  EXPECT_EQ(world.sent().call, late) << "it may be quicker than most";
}

TEST(ServiceTime, TellsByTheLengthOfTheAnswer) {
  ServiceTime service;
  EXPECT_FALSE(service.quantile(100, 0.5));
  for (int i = 1; i <= 100; ++i) {
    service.finished(100, i * 10ms);
    service.finished(4000, i * 100ms);
  }
  EXPECT_NEAR(seconds(*service.quantile(100, 0.5)), 0.5, 0.02);
  EXPECT_NEAR(seconds(*service.quantile(100, 0.9)), 0.9, 0.03);
  EXPECT_NEAR(seconds(*service.quantile(4000, 0.9)), 9, 0.3);
}

TEST(ServiceTime, WhatWasCutOffCountsAsLonger) {
  ServiceTime service;
  for (int i = 1; i <= 100; ++i) service.finished(100, i * 10ms);
  for (int i = 0; i < 100; ++i) service.cut(100, 500ms);
  EXPECT_GT(seconds(*service.quantile(100, 0.5)), 0.6) << "else the quick half would be all there is";
  for (int i = 0; i < 20; ++i) service.cut(100, 5s);
  EXPECT_GT(seconds(*service.quantile(100, 0.99)), 7);
}

TEST(ServiceTime, ForgetsAndIsBounded) {
  ServiceTime service;
  for (int i = 0; i < 5000; ++i) service.finished(100, 10s);
  for (int i = 0; i < 5000; ++i) service.finished(100, 1s);
  EXPECT_NEAR(seconds(*service.quantile(100, 0.9)), 1, 0.05);
}

}  // namespace
}  // namespace troupe::policy
