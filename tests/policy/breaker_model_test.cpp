// The breaker's state machine over every order of coarse events up to a depth (F11): only legal transitions,
// and from wherever it got to, health leads back to closed within a bounded number of events. States that
// behave alike (Breaker::digest) are walked once; that is what makes the depth affordable.
#include "runtime/policy/breaker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

/// Small enough that few events reach every state.
BreakerPolicy small_policy() {
  BreakerPolicy policy;
  policy.samples_min = 2;
  policy.window_samples_max = 3;
  policy.failures_in_row_max = 2;
  policy.error_share_max = 0.4;
  policy.trip_chance_max = 1;
  policy.window = 10s;
  policy.throttle_sustained = 2s;
  policy.cool_down = 1s;
  policy.cool_down_max = 4s;
  policy.ramp = {0.1, 0.5, 1.0};
  policy.stage_samples_min = 1;
  policy.stage_time_min = 0s;
  policy.stage_failure_max = 0.9;
  policy.ramp_harm_max = 1;
  policy.ramp_error_max = 0.2;
  policy.stage_failures_max = 1;
  policy.ttft_p90_max = 1s;
  policy.total_p90_max = 5s;
  policy.feedback_ratio_max = 8;
  policy.feedback_false_alarm = 10;
  policy.feedback_trial_share = 0.1;
  return policy;
}

enum Letter {
  good,
  slow,
  failed,
  throttled,
  callers_fault,
  silent,
  good_rating,
  bad_rating,
  moment,
  long_time,
  hold_open,
  hold_closed,
  hold_partial,
  freeze,
  letters,
};
const char* const kLetterNames[] = {"good",   "slow",     "failed",     "throttled", "caller",
                                    "silent", "thumb-up", "thumb-down", "tick1s",    "tick30s",
                                    "!open",  "!closed",  "!partial",   "!freeze"};

struct Walk {
  Breaker breaker{small_policy()};
  Instant now{1h};
  bool held = false;
  Instant held_until = {};

  Walk() {
    BreakerMemory memory;
    memory.healthy_feedback = 0.1;
    breaker.restore(memory, now, 0s);
  }
  std::optional<BreakerEvent> outcome(std::optional<Errc> error, Duration ttft) {
    bool counts = error && make_error(*error, "").counts_for_breaker;
    return breaker.on_outcome(
        {.at = now, .error = error, .counts = counts, .ttft = ttft, .total = ttft, .trickle = true});
  }
  std::optional<BreakerEvent> tick(Duration d) {
    now += d;
    if (now >= held_until) held = false;
    return breaker.on_tick(now);
  }
  std::optional<BreakerEvent> hold(std::optional<BreakerState> state) {
    held = true;
    held_until = now + 2s;
    return state ? breaker.force(*state, now, 2s) : breaker.freeze(now, 2s);
  }
  std::optional<BreakerEvent> step(int letter) {
    switch (letter) {
      case good: return outcome(std::nullopt, 100ms);
      case slow: return outcome(std::nullopt, 20s);
      case failed: return outcome(Errc::transient_server, 0s);
      case throttled: return outcome(Errc::rate_limited, 0s);
      case callers_fault: return outcome(Errc::bad_request, 0s);
      case silent: return breaker.on_silence({now, now - 20s, true});
      case good_rating: return breaker.on_feedback(true, now);
      case bad_rating: return breaker.on_feedback(false, now);
      case moment: return tick(1s);
      case long_time: return tick(30s);
      case hold_open: return hold(BreakerState::open);
      case hold_closed: return hold(BreakerState::closed);
      case hold_partial: return hold(BreakerState::partial);
      default: return hold(std::nullopt);
    }
  }
};

bool legal(const BreakerEvent& e) {
  using enum BreakerState;
  using enum TripReason;
  if (e.reason == forced) return true;
  if (e.from == closed)
    return e.to == open && (e.reason == errors || e.reason == ttft || e.reason == latency ||
                            e.reason == TripReason::throttled || e.reason == stalls || e.reason == feedback);
  if (e.from == open) return e.to == partial && e.reason == cooled_down && e.share == 0.1;
  if (e.to == open) return e.reason == relapse;
  if (e.to == partial) return e.reason == ramped && e.share > 0.1;
  return e.reason == recovered && e.share == 1;
}

/// Walks every word and remembers what it has seen.
struct Checker {
  std::size_t depth;
  /// By digest: how many letters were tried from there, and steps of health until closed.
  std::unordered_map<std::uint64_t, std::size_t> walked = {};
  std::unordered_map<std::uint64_t, int> recovery = {};
  std::vector<int> word = {};
  std::size_t edges = 0, reached[static_cast<std::size_t>(kLastTripReason) + 1] = {};
  int longest_recovery = 0;

  std::string spell() const {
    std::string text;
    for (int letter : word) text += std::string(kLetterNames[letter]) + " ";
    return text;
  }
  static std::uint64_t digest(const Walk& walk) { return walk.breaker.digest(walk.now); }

  void check_step(const Walk& before, const Walk& after, int letter,
                  const std::optional<BreakerEvent>& event) {
    auto state = after.breaker.state();
    double share = after.breaker.share(), share_before = before.breaker.share();
    ASSERT_TRUE(state != BreakerState::open || share == 0) << spell() << "open admits nothing";
    ASSERT_TRUE(state != BreakerState::closed || share == 1) << spell();
    ASSERT_TRUE(state != BreakerState::partial || (share > 0 && share <= 1)) << spell();
    if (letter == callers_fault) ASSERT_EQ(digest(before), digest(after)) << spell() << "F3";
    bool order = letter >= hold_open;
    bool moved = before.breaker.state() != state || share_before != share;
    if (after.held && !order) ASSERT_FALSE(moved) << spell() << "moved while held";
    ASSERT_EQ(event.has_value(), moved || order) << spell();
    if (!event) return;
    ++reached[static_cast<std::size_t>(event->reason)];
    ASSERT_EQ(event->from, before.breaker.state()) << spell();
    ASSERT_EQ(event->to, state) << spell();
    ASSERT_FALSE(event->detail.empty());
    ASSERT_TRUE(legal(*event)) << spell() << to_string(event->reason);
    if (!order && event->from == BreakerState::partial && event->to == BreakerState::partial)
      ASSERT_GT(share, share_before) << spell() << "a ramp only grows";
  }

  /// Steps of time and health from here to closed; what a walk passes through is remembered.
  int steps_to_closed(Walk walk) {
    constexpr int steps_max = 60;
    std::vector<std::uint64_t> path;
    int steps = 0;
    for (; steps < steps_max; ++steps) {
      if (walk.breaker.state() == BreakerState::closed && !walk.held) break;
      auto known = recovery.find(digest(walk));
      if (known != recovery.end()) {
        steps += known->second;
        break;
      }
      path.push_back(digest(walk));
      for (int letter : {moment, good, good_rating}) walk.step(letter);
    }
    int left = steps;
    for (auto at : path) recovery[at] = left--;
    return steps;
  }

  void walk_from(const Walk& here) {
    auto& tried = walked[digest(here)];
    auto left = depth - word.size();
    if (tried > left) return;
    bool first = tried == 0;
    tried = left + 1;
    if (first) {
      int steps = steps_to_closed(here);
      longest_recovery = std::max(longest_recovery, steps);
      ASSERT_LT(steps, 60) << "livelock after " << spell();
    }
    if (left == 0) return;
    for (int letter = 0; letter < letters; ++letter) {
      Walk next = here;
      auto event = next.step(letter);
      word.push_back(letter);
      ++edges;
      ASSERT_NO_FATAL_FAILURE(check_step(here, next, letter, event));
      ASSERT_NO_FATAL_FAILURE(walk_from(next));
      word.pop_back();
    }
  }
};

TEST(BreakerModel, EveryOrderOfEventsIsLegalAndHealthAlwaysCloses) {  // F11
  Checker checker{.depth = 8};
  checker.walk_from(Walk{});
  for (auto reason : {TripReason::ttft, TripReason::errors, TripReason::throttled, TripReason::relapse,
                      TripReason::cooled_down, TripReason::ramped, TripReason::recovered, TripReason::stalls,
                      TripReason::feedback, TripReason::forced})
    EXPECT_GT(checker.reached[static_cast<std::size_t>(reason)], 0u)
        << to_string(reason) << " was never reached";
  std::printf(
      "[ figures  ] depth %zu over %d letters: %zu states, %zu steps, recovery within %d s of health\n",
      checker.depth, static_cast<int>(letters), checker.walked.size(), checker.edges,
      checker.longest_recovery);
}

TEST(BreakerModel, EqualDigestsBehaveAlike) {  // what the walk above rests on
  Walk one;
  one.step(failed);
  one.step(long_time);
  Walk other = one;
  EXPECT_EQ(Checker::digest(one), Checker::digest(other));
  other.now += 5min;
  other.breaker.on_tick(other.now);
  EXPECT_EQ(Checker::digest(one), Checker::digest(other)) << "an idle closed breaker does not age";
  other.step(failed);
  EXPECT_NE(Checker::digest(one), Checker::digest(other));
}

TEST(BreakerModel, ClosesOnlyAfterTheFullRamp) {  // F11
  Walk walk;
  walk.step(failed);
  walk.step(failed);
  walk.step(long_time);
  std::vector<double> shares{walk.breaker.share()};
  for (int i = 0; i < 3; ++i) {
    walk.step(good);
    shares.push_back(walk.breaker.share());
  }
  EXPECT_EQ(shares, (std::vector<double>{0.1, 0.5, 1.0, 1.0}));
  EXPECT_EQ(walk.breaker.state(), BreakerState::closed);
}

}  // namespace
}  // namespace troupe::policy
