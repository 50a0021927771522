// The breaker's state machine over every order of coarse events up to a depth (F11): only legal transitions,
// and from wherever it got to, health leads back to closed within a bounded number of events.
#include "runtime/policy/breaker.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

/// Small enough that few events reach every state.
BreakerPolicy small_policy() {
  BreakerPolicy policy;
  policy.samples_min = 2;
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
  policy.stage_failures_max = 1;
  policy.ttft_p90_max = 1s;
  policy.total_p90_max = 5s;
  return policy;
}

enum Letter { good, slow, failed, throttled, callers_fault, moment, long_time, letters };
const char* const kLetterNames[] = {"good", "slow", "failed", "throttled", "caller", "tick1s", "tick30s"};

struct Walk {
  Breaker breaker{small_policy()};
  Instant now{1h};

  std::optional<BreakerEvent> outcome(std::optional<Errc> error, Duration ttft) {
    bool counts = error && make_error(*error, "").counts_for_breaker;
    return breaker.on_outcome(
        {.at = now, .error = error, .counts = counts, .ttft = ttft, .total = ttft, .trickle = true});
  }
  std::optional<BreakerEvent> tick(Duration d) {
    now += d;
    return breaker.on_tick(now);
  }
  std::optional<BreakerEvent> step(int letter) {
    switch (letter) {
      case good: return outcome(std::nullopt, 100ms);
      case slow: return outcome(std::nullopt, 20s);
      case failed: return outcome(Errc::transient_server, 0s);
      case throttled: return outcome(Errc::rate_limited, 0s);
      case callers_fault: return outcome(Errc::bad_request, 0s);
      case moment: return tick(1s);
      default: return tick(30s);
    }
  }
};

bool legal(const BreakerEvent& e) {
  using enum BreakerState;
  using enum TripReason;
  if (e.from == closed)
    return e.to == open && (e.reason == errors || e.reason == ttft || e.reason == latency ||
                            e.reason == TripReason::throttled);
  if (e.from == open) return e.to == partial && e.reason == cooled_down && e.share == 0.1;
  if (e.to == open) return e.reason == relapse;
  if (e.to == partial) return e.reason == ramped && e.share > 0.1;
  return e.reason == recovered && e.share == 1;
}

std::string spell(const std::vector<int>& word) {
  std::string text;
  for (int letter : word) text += std::string(kLetterNames[letter]) + " ";
  return text;
}

struct Census {
  std::size_t words = 0, events = 0, trips[10] = {};
  int longest_recovery = 0;
};

/// One word from a fresh breaker; every event checked against the state before and after.
void check_word(const std::vector<int>& word, Census& census) {
  Walk walk;
  for (int letter : word) {
    auto before = walk.breaker.state();
    auto share_before = walk.breaker.share();
    auto event = walk.step(letter);
    ASSERT_EQ(event.has_value(), before != walk.breaker.state() || share_before != walk.breaker.share())
        << spell(word);
    if (!event) continue;
    ++census.events;
    ++census.trips[static_cast<int>(event->reason)];
    ASSERT_EQ(event->from, before) << spell(word);
    ASSERT_EQ(event->to, walk.breaker.state()) << spell(word);
    ASSERT_TRUE(legal(*event)) << spell(word) << to_string(event->reason);
    ASSERT_FALSE(event->detail.empty());
  }
  int steps = 0;
  constexpr int steps_max = 40;
  while (walk.breaker.state() != BreakerState::closed && steps < steps_max) {
    walk.step(moment);
    walk.step(good);
    ++steps;
  }
  ASSERT_LT(steps, steps_max) << "livelock after " << spell(word);
  census.longest_recovery = std::max(census.longest_recovery, steps);
}

TEST(BreakerModel, EveryOrderOfEventsIsLegalAndHealthAlwaysCloses) {  // F11
  constexpr std::size_t depth = 6;
  Census census;
  std::vector<int> word(depth, 0);
  for (bool more = true; more && !HasFatalFailure();) {
    check_word(word, census);
    ++census.words;
    more = false;
    for (auto& letter : word) {
      if (++letter < letters) {
        more = true;
        break;
      }
      letter = 0;
    }
  }
  EXPECT_EQ(census.words, 117'649u) << "7^6";
  for (auto reason : {TripReason::ttft, TripReason::errors, TripReason::throttled, TripReason::relapse,
                      TripReason::cooled_down, TripReason::ramped, TripReason::recovered})
    EXPECT_GT(census.trips[static_cast<int>(reason)], 0u) << to_string(reason) << " was never reached";
  std::printf("[ figures  ] %zu words, %zu events, recovery within %d seconds of health\n", census.words,
              census.events, census.longest_recovery);
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
