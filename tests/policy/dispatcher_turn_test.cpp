// Who gets the room that comes free when calls of several kinds look for it: whose turn it is (A3, C6).
#include "tests/policy/dispatcher_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using testing_dispatch::endpoint_at;
using testing_dispatch::usual_policy;
using testing_dispatch::World;

DispatchPolicy patient() {
  auto policy = usual_policy();
  policy.admission.running_max = 0;
  return policy;
}

/// One endpoint of four places; calls in the order in which they were let in.
struct Gate {
  World world{{endpoint_at("a")}, patient()};
  std::deque<AttemptOrder> inside;
  std::vector<std::uint64_t> let_in;

  void call(const std::string& tenant, std::uint64_t input, Duration deadline = 10min) {
    auto facts = world.facts(deadline);
    facts.tenant = tenant;
    facts.input_tokens = input;
    world.dispatcher.on_call(std::move(facts), world.moment(), world.actions);
    answer();
  }
  void answer() {
    constexpr std::size_t places = 4;
    while (!world.actions.send.empty()) {
      for (const auto& order : std::exchange(world.actions.send, {})) {
        if (inside.size() == places) {
          world.refused(order.id);
          continue;
        }
        inside.push_back(order);
        let_in.push_back(order.call);
      }
    }
  }
  /// The oldest ends, so many times, 50 ms apart.
  void serve(int times) {
    for (int i = 0; i < times && !inside.empty(); ++i) {
      world.pass(50ms);
      answer();
      auto oldest = inside.front().id;
      inside.pop_front();
      world.ended(oldest);
      answer();
    }
  }
};

// Of each ten one is large, a kind of its own; there are places for either.
TEST(DispatcherTurn, KindsAreServedInTheOrderTheyCameNotByTurns) {
  Gate gate;
  for (int i = 0; i < 200; ++i) gate.call("t", i % 10 == 0 ? 20'000 : 100);
  gate.serve(220);
  ASSERT_EQ(gate.let_in.size(), 200u);
  std::size_t lead_most = 0;
  for (std::size_t place = 0; place < gate.let_in.size(); ++place)
    lead_most = std::max(lead_most, std::max<std::size_t>(gate.let_in[place], place + 1) - (place + 1));
  EXPECT_LE(lead_most, 12u) << "calls overtaken; by turns of kinds it is more than a hundred";
}

TEST(DispatcherTurn, AKindOfItsOwnDoesNotPutATenantBehindWhoAsksForMuch) {  // C6
  Gate gate;
  for (int i = 0; i < 200; ++i) gate.call("much", 2000);
  gate.serve(20);
  for (int i = 0; i < 10; ++i) gate.call("little", 100);
  gate.serve(40);
  auto of_little = std::ranges::count_if(gate.let_in, [](std::uint64_t call) { return call > 200; });
  EXPECT_EQ(of_little, 10) << "of some sixty let in, two hundred having come before";
}

// Most expire when they have left the queue: few wait there beyond the moment when they could first be asked.
TEST(DispatcherTurn, WhoseCallsExpiredInACrowdHasItsShareAfterwards) {  // C6
  Gate gate;
  for (int i = 0; i < 4; ++i) gate.call("other", 1000);
  for (int i = 0; i < 100; ++i) {
    gate.call("unlucky", 2000, 1s);
    gate.world.pass(20ms);
    gate.answer();
  }
  gate.world.pass(2s);
  gate.answer();
  auto first = gate.let_in.size();
  for (int i = 0; i < 40; ++i) gate.call("unlucky", 2000);
  for (int i = 0; i < 80; ++i) gate.call("other", 1000);
  gate.serve(60);
  double unlucky = 0;
  for (auto i = first; i < gate.let_in.size(); ++i)
    unlucky += gate.let_in[i] > 104 && gate.let_in[i] <= 144 ? 1 : 0;
  EXPECT_NEAR(unlucky / static_cast<double>(gate.let_in.size() - first), 1.0 / 3, 0.06)
      << "half of the tokens are a third of the calls";
}

// What comes back to a tenant whose calls expire must not let its next ones overtake those that look for
// room.
TEST(DispatcherTurn, WhileCallsExpireWhoCameFirstIsStillServedFirst) {  // C3, C6
  Gate gate;
  std::size_t overtaken = 0;
  for (int i = 0; i < 1200; ++i) {
    gate.call("t", 100, i % 4 == 0 ? 10min : 2s);
    gate.world.pass(10ms);
    gate.answer();
    if (i % 8 == 0) gate.serve(1);
  }
  gate.serve(600);
  for (std::size_t place = 0; place < gate.let_in.size(); ++place)
    for (std::size_t later = place + 1; later < gate.let_in.size(); ++later)
      overtaken += gate.let_in[later] < gate.let_in[place] ? 1 : 0;
  EXPECT_GT(gate.let_in.size(), 300u);
  EXPECT_EQ(overtaken, 0u);
}

TEST(DispatcherTurn, OfOneKindTheOrderIsThatOfArrivalHoweverOftenTheyAreRefused) {  // C3
  Gate gate;
  for (int i = 0; i < 4; ++i) gate.call("other", 1000);
  for (int i = 0; i < 100; ++i) gate.call("t", 2000, 1s);
  for (int i = 0; i < 40; ++i) gate.call("t", 2000);
  gate.world.pass(2s);
  gate.answer();
  for (int i = 0; i < 80; ++i) gate.call("other", 1000);
  gate.serve(120);
  std::vector<std::uint64_t> own;
  for (auto call : gate.let_in)
    if (call > 104 && call <= 144) own.push_back(call);
  EXPECT_EQ(own.size(), 40u);
  EXPECT_TRUE(std::ranges::is_sorted(own)) << ::testing::PrintToString(own);
}

}  // namespace
}  // namespace troupe::policy
