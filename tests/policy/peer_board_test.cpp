// Slow together is overload, slow alone is sickness: who stands in for whom, and what a breaker makes of it
// (F5, F12, C11).
#include "runtime/policy/peer_groups.hpp"
#include "tests/policy/breaker_world.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace troupe::policy {
namespace {

std::shared_ptr<PeerBoard> four_alike() {
  auto board = std::make_shared<PeerBoard>(std::vector<std::string>(4, "large"));
  board->regroup({{"large"}});
  return board;
}

TEST(PeerBoard, CountsThoseWhoseModelsStandInOneHierarchy) {
  PeerBoard board({"large", "large", "small", "other"});
  EXPECT_EQ(board.around(0, {}, 0).others, 0u) << "before anybody said who stands in for whom";
  board.regroup({{"large", "small"}, {"other"}});
  EXPECT_EQ(board.around(0, {}, 0).others, 2u);
  EXPECT_EQ(board.around(2, {}, 0).others, 2u);
  EXPECT_EQ(board.around(3, {}, 0).others, 0u);
  board.regroup({{"large"}, {"other", "small"}});
  EXPECT_EQ(board.around(0, {}, 0).others, 1u);
}

TEST(PeerGroup, LeavesOutWhatIsOnTrial) {  // B5
  LeadRules leads;
  RolloutRule rollout;
  rollout.feature = "recap";
  rollout.model = "new";
  leads.rollouts.push_back(rollout);
  leads.shadowed.push_back({"recap", "next"});
  const std::vector<std::string> hierarchy{"large", "new", "next", "small"};
  EXPECT_EQ(peer_group("recap", hierarchy, &leads), (std::vector<std::string>{"large", "small"}));
  EXPECT_EQ(peer_group("search", hierarchy, &leads), hierarchy) << "another feature's trial";
  EXPECT_EQ(peer_group("recap", hierarchy, nullptr), hierarchy);
  EXPECT_EQ(peer_group("recap", {"new", "large"}, &leads), (std::vector<std::string>{"new", "large"}))
      << "whom all go to first is on no trial";
}

TEST(PeerBoard, EndpointsComeAndGoWhileBreakersLook) {
  PeerBoard board({"large"});
  board.regroup({{"large", "small"}});
  EXPECT_EQ(board.around(0, {}, 0).others, 0u);
  EXPECT_EQ(board.add("small"), 1u);
  board.post(1, true, {.slow = 0.9});
  EXPECT_EQ(board.around(0, {.slow = 0.9}, 0).others, 1u);
  EXPECT_EQ(board.around(0, {.slow = 0.9}, 0).well, 0u);
  board.change(1, {});
  EXPECT_EQ(board.around(0, {}, 0).others, 0u) << "who is gone stands in for nobody";
  board.change(1, "large");
  EXPECT_EQ(board.around(0, {}, 0).others, 1u);
}

TEST(PeerBoard, WellIsWhoIsClosedAndMuchLessSlow) {
  auto board = four_alike();
  EXPECT_EQ(board->around(0, {.slow = 0.9}, 2).well, 3u) << "who has no calls can take some";
  board->post(1, false, {});
  board->post(2, true, {.slow = 0.08});
  board->post(3, true, {.slow = 0.1});
  EXPECT_EQ(board->around(0, {.slow = 0.9}, 2).well, 1u);
  EXPECT_EQ(board->around(0, {.slow = 0.2}, 2).well, 0u);
  board->post(3, true, {.slow = 0.029, .ttft = 0.9});
  EXPECT_EQ(board->around(0, {.slow = 0.2}, 2).well, 1u) << "one slow call, and that some time ago";
  board->post(3, true, {.slow = 0, .ttft = 1.1});
  EXPECT_EQ(board->around(0, {.slow = 0.2}, 2).well, 0u) << "it finds that usual, which would be slow here";
}

/// A learned breaker, whose peers are posted by the test.
struct CrowdWorld : BreakerWorld {
  explicit CrowdWorld(BreakerPolicy with = {}) : BreakerWorld(with) {
    breaker.set_peers(board, 0);
    run({}, 1000);
  }
  void peers(bool closed, double strain, std::uint32_t from = 1) {
    for (auto i = from; i < 4; ++i) board->post(i, closed, {.slow = strain});
  }
  std::shared_ptr<PeerBoard> board = four_alike();
};

constexpr EndpointModel kSlow{.ttft_median = 2.5, .total_median = 20, .sigma = 0.3};

TEST(BreakerAmongPeers, SlowAloneTrips) {
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 7);
}

TEST(BreakerAmongPeers, SlowTogetherDoesNot) {
  CrowdWorld world;
  world.peers(true, 0.5);
  world.run(kSlow, 2000);
  EXPECT_EQ(world.trips(), 0u);
  CrowdWorld unasked({.peers_well_min = 0});
  unasked.peers(true, 0.5);
  unasked.run(kSlow, 200);
  EXPECT_GE(unasked.trips(), 1u) << "the bad outcome without the mechanism";
}

// What was excused is not remembered either: the first to be through with its queue must not close the last.
TEST(BreakerAmongPeers, WhatWasSlowInACrowdIsForgivenWhenTheCrowdHasGone) {
  CrowdWorld world;
  world.peers(true, 0.5);
  world.run(kSlow, 500);
  world.peers(true, 0);
  world.run({}, 3000);
  EXPECT_EQ(world.trips(), 0u);
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 7) << "nor has it learned that slow is normal";
}

TEST(BreakerAmongPeers, SlownessClosesHalfOfThemAtMost) {
  CrowdWorld one_gone;
  one_gone.board->post(1, false, {});
  EXPECT_GE(one_gone.run_until(BreakerState::open, kSlow, 60), 0) << "two of three others are well";
  CrowdWorld two_gone;
  two_gone.board->post(1, false, {});
  two_gone.board->post(2, false, {});
  two_gone.run(kSlow, 500);
  EXPECT_EQ(two_gone.trips(), 0u);
}

TEST(BreakerAmongPeers, FailuresTripWhateverTheOthersDo) {
  CrowdWorld world;
  world.peers(false, 1);
  EXPECT_GE(world.run_until(BreakerState::open, {.failure_share = 1}, 20), 0);
}

TEST(BreakerAmongPeers, ATrialIsNotLostToACrowdNorWonByIt) {
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 0);
  EXPECT_GE(world.run_until(BreakerState::partial, {}, 200), 0);
  world.bad();  // no longer only slow
  world.peers(true, 0.9);
  world.run({.ttft_median = 10, .total_median = 30, .sigma = 0.3}, 300);
  EXPECT_EQ(world.state(), BreakerState::partial);
  EXPECT_EQ(world.trips(), 1u);
  EXPECT_LT(world.breaker.share(), 0.05);
}

/// On trial after failures, with the others in trouble or not.
CrowdWorld on_trial(double strain_of_others) {
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, {.failure_share = 1}, 60), 0);
  EXPECT_GE(world.run_until(BreakerState::partial, {}, 200), 0);
  world.peers(true, strain_of_others);
  return world;
}
/// How many bad calls of its trial a breaker counts when one hangs, and when it then ends.
struct BadOnTrial {
  std::size_t hanging = 0, ended = 0, told_again = 0;
  friend bool operator==(const BadOnTrial&, const BadOnTrial&) = default;
};
BadOnTrial one_that_hangs(CrowdWorld world, std::optional<Errc> error) {
  auto bad = [&] { return world.breaker.save(world.now).ramp_bad; };
  Outcome end{.error = error, .counts = error.has_value(), .trickle = true, .silent = true};
  end.began = world.now;
  world.tick(std::chrono::seconds(20));
  if (!error) end.ttft = world.now - end.began;
  BadOnTrial out;
  world.note(world.breaker.on_silence({world.now, end.began, true}));
  out.hanging = bad();
  end.at = world.now + std::chrono::seconds(1);
  end.total = end.at - end.began;
  world.note(world.breaker.on_outcome(end));
  out.ended = bad();
  world.note(world.breaker.on_outcome(end));
  out.told_again = bad();
  return out;
}

TEST(BreakerAmongPeers, ATrialCallThatHangsInACrowdAndThenFailsIsWeighedAfterAll) {
  EXPECT_EQ(one_that_hangs(on_trial(0.9), Errc::timeout), (BadOnTrial{0, 1, 1}));
  EXPECT_EQ(one_that_hangs(on_trial(0.9), {}), (BadOnTrial{0, 0, 0})) << "slow is all that it was";
  EXPECT_EQ(one_that_hangs(on_trial(0), Errc::timeout), (BadOnTrial{1, 1, 1})) << "nobody else is: once";
}

// Twenty seconds at a hundredth of the traffic are long when the others are drowning.
TEST(BreakerAmongPeers, WhoWasOnlySlowIsBackWhenTheOthersAreSlowWithoutIt) {
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 0);
  world.peers(true, 0.9);
  world.tick(std::chrono::seconds(4));
  EXPECT_EQ(world.state(), BreakerState::open) << "not before it has cooled down";
  world.tick(std::chrono::seconds(2));
  world.tick(std::chrono::milliseconds(50));
  EXPECT_EQ(world.state(), BreakerState::closed);
  CrowdWorld down;
  EXPECT_GE(down.run_until(BreakerState::open, {.failure_share = 1}, 60), 0);
  down.peers(true, 0.9);
  down.tick(std::chrono::seconds(6));
  down.tick(std::chrono::milliseconds(50));
  EXPECT_EQ(down.state(), BreakerState::partial) << "a failing one is no help";
}

TEST(BreakerAmongPeers, HangingCallsAreTheCrowdsToo) {
  CrowdWorld world;
  world.peers(true, 0.5);
  for (int i = 0; i < 200; ++i) {
    world.tick(std::chrono::milliseconds(100));
    world.note(world.breaker.on_silence({world.now, world.now - std::chrono::seconds(20)}));
    world.good(20, 25);
  }
  EXPECT_EQ(world.trips(), 0u);
  world.peers(true, 0);
  for (int i = 0; i < 20 && world.trips() == 0; ++i)
    world.note(world.breaker.on_silence({world.now, world.now - std::chrono::seconds(20)}));
  EXPECT_EQ(world.trips(), 1u);
}

TEST(BreakerAmongPeers, AnOrderIsNoSlowness) {  // F13
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 0);
  EXPECT_TRUE(world.breaker.save(world.now).only_slow);
  world.breaker.force(BreakerState::partial, world.now, std::chrono::seconds(1));
  world.peers(true, 0.9);
  world.tick(std::chrono::seconds(2));
  EXPECT_EQ(world.state(), BreakerState::partial) << "whoever ordered a trial gets one";
}

TEST(BreakerAmongPeers, WhoHasRecoveredWasSlowNoLonger) {
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 0);
  EXPECT_GE(world.run_until(BreakerState::closed, {}, 2000), 0);
  EXPECT_FALSE(world.breaker.save(world.now).only_slow);
}

TEST(BreakerAmongPeers, ARestartForgetsNotThatItWasOnlySlow) {  // F13
  CrowdWorld world;
  EXPECT_GE(world.run_until(BreakerState::open, kSlow, 60), 0);
  auto memory = breaker_memory(to_text(world.breaker.save(world.now)));
  ASSERT_TRUE(memory);
  auto after_cool_down = [&](bool only_slow) {
    CrowdWorld again;
    memory->only_slow = only_slow;
    again.breaker.restore(*memory, again.now, std::chrono::seconds(0));
    again.peers(true, 0.9);
    for (int i = 0; i < 2; ++i) again.tick(std::chrono::seconds(6));
    return again.state();
  };
  EXPECT_EQ(after_cool_down(memory->only_slow), BreakerState::closed) << "the others are slow without it";
  EXPECT_EQ(after_cool_down(false), BreakerState::partial);
}

TEST(BreakerAmongPeers, StrainBeginsWithTheFirstCallAndAnewAfterSilence) {
  BreakerWorld fresh;
  fresh.good(0.4);
  EXPECT_EQ(fresh.breaker.strain(fresh.now).ttft, 0.4);
  CrowdWorld world;
  world.peers(true, 0.9);
  world.run(kSlow, 50);
  world.tick(std::chrono::seconds(31));
  world.good(0.4);
  EXPECT_EQ(world.breaker.strain(world.now).slow, 0) << "what was slow then is not of late";
  EXPECT_EQ(world.breaker.strain(world.now).ttft, 0.4);
}

TEST(BreakerAmongPeers, StrainIsOfLate) {
  CrowdWorld world;
  EXPECT_LT(world.breaker.strain(world.now).slow, 0.1);
  world.peers(true, 0.9);
  world.run(kSlow, 50);
  EXPECT_GT(world.breaker.strain(world.now).slow, 0.5);
  EXPECT_EQ(world.breaker.strain(world.now + std::chrono::seconds(31)).slow, 0);
}

}  // namespace
}  // namespace troupe::policy
