// The provider's own count, and calls paced by it (C2).
#include "runtime/policy/upstream_pace.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/policy/endpoint_guard.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

QuotaHints tokens_left(double limit, double remaining, Duration reset) {
  QuotaHints hints;
  hints.tokens = {limit, remaining, reset};
  return hints;
}

TEST(UpstreamPace, WaitsForWhatTheProviderWillGiveBack) {
  UpstreamPace pace({});
  EXPECT_EQ(pace.wait_for({1e9, 1e9}, noon), 0s) << "nothing is known";
  pace.on_hints(tokens_left(60'000, 0, 60s), noon);
  EXPECT_EQ(pace.wait_for({1000, 1000}, noon), 2s) << "a thousand a second";
  EXPECT_EQ(pace.wait_for({1000, 1000}, noon + 2s), 0s);
  pace.reserve({1000, 1000}, noon + 2s);
  EXPECT_EQ(pace.wait_for({1, 0}, noon + 2s), 1ms);
  EXPECT_EQ(pace.input_headroom(noon + 3s), 1000);
}

TEST(UpstreamPace, EachLimitBindsAlone) {
  for (auto member :
       {&QuotaHints::requests, &QuotaHints::tokens, &QuotaHints::input_tokens, &QuotaHints::output_tokens}) {
    QuotaHints hints;
    hints.*member = {10.0, 0.0, 100s};
    UpstreamPace pace({});
    pace.on_hints(hints, noon);
    EXPECT_GT(pace.wait_for({1, 1}, noon), 0s);
    EXPECT_LE(std::min(pace.input_headroom(noon), pace.output_headroom(noon)), 0);
  }
}

TEST(UpstreamPace, DiffersFromTheProvidersCountByCallsInFlightAtMost) {
  UpstreamPace pace({});
  pace.on_hints(tokens_left(60'000, 50'000, 10s), noon);
  pace.reserve({20'000, 0}, noon);
  // The provider may not have seen our call when it counted these.
  pace.on_hints(tokens_left(60'000, 50'000, 10s), noon);
  EXPECT_EQ(pace.input_headroom(noon), 30'000);
  pace.settle({20'000, 0}, {20'000, 0}, noon);
  pace.on_hints(tokens_left(60'000, 45'000, 15s), noon);
  EXPECT_EQ(pace.input_headroom(noon), 45'000) << "with nothing in flight its word is taken";
  pace.on_hints(tokens_left(60'000, 5'000, 55s), noon);
  EXPECT_EQ(pace.input_headroom(noon), 5'000) << "others use the limit too";
}

TEST(UpstreamPace, HintsExpireAndCanBeOff) {
  UpstreamPace pace({.hint_life = 1min});
  pace.on_hints(tokens_left(10, 0, 10min), noon);
  EXPECT_GT(pace.wait_for({10, 0}, noon + 9min), 0s) << "it is not reset yet";
  EXPECT_EQ(pace.wait_for({1e6, 0}, noon + 10min), 0s);
  EXPECT_EQ(pace.input_headroom(noon + 10min), std::numeric_limits<double>::infinity());
  UpstreamPace off({.enabled = false});
  off.on_hints(tokens_left(10, 0, 10min), noon);
  EXPECT_EQ(off.wait_for({10, 0}, noon), 0s);
}

TEST(UpstreamPace, NonsenseChangesNothing) {
  UpstreamPace pace({});
  QuotaHints hints;
  hints.tokens = {std::nan(""), std::nan(""), 10s};
  pace.on_hints(hints, noon);
  hints.tokens = {std::nullopt, HUGE_VAL, std::nullopt};
  pace.on_hints(hints, noon);
  hints.tokens = {std::nullopt, 0.0, std::nullopt};
  pace.on_hints(hints, noon);
  hints.tokens = {100.0, std::nullopt, 10s};
  pace.on_hints(hints, noon);
  EXPECT_EQ(pace.wait_for({1e6, 1e6}, noon), 0s);
  hints.tokens = {-5.0, -7.0, 10s};
  pace.on_hints(hints, noon);
  EXPECT_LE(pace.wait_for({1e6, 1e6}, noon), 5min);
  EXPECT_TRUE(validate(PacingPolicy{.hint_life = 0s}));
}

TEST(EndpointGuard, AHintNeverLoosensTheConfiguredLimit) {
  EndpointGuard guard({.quota = {.input_tokens_per_minute = 600}}, noon);
  guard.on_hints(tokens_left(1e9, 1e9, 1ms), noon);
  EXPECT_TRUE(guard.admit({600, 0}, noon).admitted);
  EXPECT_FALSE(guard.admit({600, 0}, noon).admitted);
  EXPECT_EQ(guard.load(noon).input_headroom, 0);
}

/// A provider with a limit we were not told of, used by others too; it answers 429 to what does not fit and
/// says in its headers how it stands. How many calls of ten minutes were refused by it, and how many served?
struct Season {
  int refused = 0, served = 0;
};
Season ten_minutes(bool pacing) {
  constexpr double limit = 60'000, need = 1000;
  auto bucket = TokenBucket::of(limit, 1, noon);
  EndpointGuard guard({.pacing = {.enabled = pacing}}, noon);
  Season season;
  for (Instant now = noon; now < noon + 10min; now += 20ms) {
    if ((now - noon) % 1s == 0s) bucket.take(300, now);  // the others
    if (!guard.admit({need, 0}, now).admitted) continue;
    AttemptEnd end{.actual = {need, 0}};
    if (bucket.level_at(now) >= need) {
      bucket.take(need, now);
      ++season.served;
    } else {
      end.actual = {};
      end.error = Errc::rate_limited;
      ++season.refused;
    }
    double left = std::floor(std::max(0.0, bucket.level_at(now)));
    auto reset = from_seconds((bucket.capacity - left) / bucket.per_second);
    guard.on_hints(tokens_left(limit, left, reset), now);
    guard.ended({need, 0}, end, now, wall_noon);
  }
  return season;
}

TEST(EndpointGuard, PacesItselfByTheProvidersWordInsteadOfRunningInto429) {  // C2
  auto with = ten_minutes(true), without = ten_minutes(false);
  std::printf("[ figures  ] an untold limit: %d refused by it of %d with pacing, %d of %d without\n",
              with.refused, with.refused + with.served, without.refused, without.refused + without.served);
  EXPECT_LE(with.refused, with.served / 20);
  EXPECT_GT(without.refused, 10'000);
  EXPECT_GE(with.served, 0.97 * without.served);
}

}  // namespace
}  // namespace troupe::policy
