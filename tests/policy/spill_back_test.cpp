// Leaving reserved capacity before it refuses, and coming back without flapping (C2, C4).
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/endpoint_guard.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

struct Hour {
  int switches = 0;           ///< between reserved and on-demand
  double reserved_share = 0;  ///< of the reserved tokens, once the first burst is used up
  double offered_share = 0;
};

/// An hour of calls at random moments, of 2,000 tokens against 100,000 a minute reserved, at `load` times
/// that; what the guard refuses goes to on-demand.
Hour hour_at(double load, SpillPolicy spill) {
  constexpr double per_minute = 100'000, need = 2000;
  EndpointGuard guard({.quota = {.input_tokens_per_minute = per_minute}, .spill = spill}, noon);
  double gap_seconds = 60 * need / (per_minute * load);
  Rng rng(17);
  Hour hour;
  bool on_reserved = true;
  double reserved = 0, offered = 0;
  constexpr Duration warm_up = 10min;
  for (Instant now = noon; now < noon + warm_up + 1h;
       now += from_seconds(-std::log(1 - rng.uniform()) * gap_seconds)) {
    bool fits = guard.admit({need, 0}, now).admitted;
    if (fits) guard.ended({need, 0}, {.actual = {need, 0}}, now, wall_noon);
    if (now < noon + warm_up) continue;
    offered += need;
    reserved += fits ? need : 0;
    hour.switches += fits != on_reserved;
    on_reserved = fits;
  }
  hour.reserved_share = reserved / (60 * per_minute);
  hour.offered_share = offered / (60 * per_minute);
  return hour;
}

TEST(SpillBack, DoesNotFlapAtALoadNearTheLimit) {  // C4
  for (double load : {1.0, 1.02, 1.2, 2.0, 3.0}) {
    auto with = hour_at(load, {});
    auto without = hour_at(load, {.hysteresis = false});
    std::printf(
        "[ figures  ] load %.2f: %d switches an hour and %.1f %% used, %d and %.1f %% without hysteresis\n",
        load, with.switches, 100 * with.reserved_share, without.switches, 100 * without.reserved_share);
    // Away for at least the time that four needs take to come back, less one: 3.6 s, so twice 1000 an hour.
    EXPECT_LE(with.switches, 2 * 1000) << load;
    if (load >= 1.2) {
      EXPECT_GE(with.reserved_share, 0.98) << "what came back meanwhile is used (C2) " << load;
    }
    EXPECT_LE(with.reserved_share, 1.02) << load;
  }
  EXPECT_GT(hour_at(2.0, {.hysteresis = false}).switches, 3000) << "every other call";
  EXPECT_LT(hour_at(2.0, {}).switches, hour_at(2.0, {.hysteresis = false}).switches / 3);
}

TEST(SpillBack, BelowTheLimitNothingIsSpilled) {
  auto hour = hour_at(0.7, {});
  EXPECT_EQ(hour.switches, 0);
  EXPECT_DOUBLE_EQ(hour.reserved_share, hour.offered_share);
}

TEST(SpillBack, WhileAwayItsHeadroomIsNoneSoThatRoutersLookElsewhere) {
  EndpointGuard guard({.quota = {.input_tokens_per_minute = 6000}}, noon);
  EXPECT_TRUE(guard.admit({5900, 0}, noon).admitted);
  EXPECT_EQ(guard.load(noon).input_headroom, 100);
  auto refused = guard.admit({200, 0}, noon);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.wait, 7s) << "until there is room for four of it";
  EXPECT_EQ(guard.load(noon + 3s).input_headroom, 0) << "though 400 tokens are there";
  EXPECT_FALSE(guard.admit({50, 0}, noon + 3s).admitted) << "nor does a small call turn it back";
  EXPECT_EQ(guard.load(noon + 7s).input_headroom, 800);
  EXPECT_TRUE(guard.admit({200, 0}, noon + 7s).admitted);
}

TEST(SpillBack, AHugeCallDoesNotCloseTheDoorForOthersForLong) {
  EndpointGuard guard({.quota = {.input_tokens_per_minute = 6000}}, noon);
  EXPECT_TRUE(guard.admit({6000, 0}, noon).admitted);
  auto refused = guard.admit({3000, 0}, noon);
  EXPECT_EQ(refused.wait, 30s) << "its own need, not four times that";
  EXPECT_EQ(guard.admit({1000, 0}, noon).wait, 30s);
  EXPECT_TRUE(guard.admit({1000, 0}, noon + 30s).admitted);
}

TEST(SpillPolicy, DefaultIsSoundAndMistakesAreNamed) {
  EXPECT_FALSE(validate(SpillPolicy{}));
  EXPECT_TRUE(validate(SpillPolicy{.return_factor = 0.5}));
  EXPECT_TRUE(validate(SpillPolicy{.return_refill = 1h}));
  EXPECT_FALSE(validate(GuardPolicy{}));
  EXPECT_EQ(validate(GuardPolicy{.estimate = {.quantile = 2}})->substr(0, 9), "estimate:");
}

}  // namespace
}  // namespace troupe::policy
