// When an endpoint nobody calls is asked whether it is well (F15).
#include "runtime/policy/probe_policy.hpp"
#include "tests/policy/breaker_world.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
using enum BreakerState;

const ProbePolicy kHourly{.idle_after = 1h, .trial_gap = 5s, .per_hour_max = 60};

TEST(ProbeSchedule, AsksAnIdleEndpointAndNoBusyOne) {  // F15
  ProbeSchedule probes(kHourly);
  Instant now{1h};
  probes.heard(false, now);
  EXPECT_FALSE(probes.take(closed, false, now + 59min));
  probes.heard(false, now + 59min);
  EXPECT_FALSE(probes.take(closed, false, now + 61min)) << "traffic tells enough";
  EXPECT_TRUE(probes.take(closed, false, now + 119min));
  EXPECT_FALSE(probes.take(closed, false, now + 119min)) << "once";
}

TEST(ProbeSchedule, NeverAsksWhileOpenOrHeldOrOff) {  // F6, F13
  Instant now{1h};
  for (auto policy : {kHourly, ProbePolicy{.enabled = false}}) {
    ProbeSchedule probes(policy);
    probes.heard(true, now);
    EXPECT_FALSE(probes.take(open, false, now + 24h));
    EXPECT_FALSE(probes.take(closed, true, now + 24h));
    EXPECT_EQ(probes.take(closed, false, now + 24h), policy.enabled);
  }
  ProbeSchedule never({.idle_after = 0s});
  never.heard(false, now);
  EXPECT_FALSE(never.take(closed, false, now + 9999h));
}

TEST(ProbeSchedule, AsksAgainSoonAfterABadWordOrOnTrial) {  // F15
  ProbeSchedule probes(kHourly);
  Instant now{1h};
  probes.heard(true, now);
  EXPECT_TRUE(probes.take(closed, false, now + 5s));
  probes.heard(false, now + 6s);
  EXPECT_FALSE(probes.take(closed, false, now + 30s));
  EXPECT_TRUE(probes.take(partial, false, now + 30s));
}

TEST(ProbeSchedule, KeepsItsBudget) {  // F15
  ProbeSchedule probes(kHourly);
  Instant now{1h};
  int sent = 0;
  for (int second = 0; second < 10 * 3600; ++second) sent += probes.take(partial, false, now + second * 1s);
  EXPECT_LE(sent, 60 + 10 * 60);
  EXPECT_GE(sent, 10 * 60);
}

/// An endpoint without a single customer, sick until `well_at`: seconds from then until its breaker closes.
int idle_recovery(const BreakerPolicy& policy, Duration well_at) {
  BreakerWorld world(policy);
  world.run_until(open, {.failure_share = 1}, 100);
  auto begun = world.now;
  for (int second = 0; second < 24 * 3600; ++second) {
    world.tick(1s);
    if (world.state() == closed) return static_cast<int>(seconds(world.now - begun - well_at));
    if (!world.breaker.take_probe(world.now)) continue;
    bool well = world.now - begun >= well_at;
    Outcome outcome{.ttft = 400ms, .total = 500ms, .probe = true};
    if (!well) outcome = {.error = Errc::transient_server, .counts = true, .probe = true};
    world.outcome(outcome);
  }
  return -1;
}

TEST(Probes, AnIdleEndpointRecoversInFiniteTime) {  // F15
  int quickly = idle_recovery({}, 10s), after_an_hour = idle_recovery({}, 1h);
  std::printf("[ figures  ] idle endpoint closes %d s after it is well; after an hour's outage %d s\n",
              quickly, after_an_hour);
  EXPECT_GE(quickly, 0);
  EXPECT_LE(quickly, 600);
  EXPECT_GE(after_an_hour, 0);
  EXPECT_LE(after_an_hour, 3600);
  EXPECT_EQ(idle_recovery({.probe = {.enabled = false}}, 10s), -1) << "the mechanism off: on trial for ever";
}

TEST(Probes, AnIdleEndpointThatDiedIsFoundOutBeforeACustomerIs) {  // F15, E2
  BreakerWorld world({.probe = {.idle_after = 1h}});
  world.good();
  int probes = 0;
  for (int second = 0; second < 2 * 3600 && world.state() == closed; ++second) {
    world.tick(1s);
    if (!world.breaker.take_probe(world.now)) continue;
    ++probes;
    world.outcome({.error = Errc::timeout, .counts = true, .probe = true});
  }
  EXPECT_EQ(world.state(), open);
  EXPECT_EQ(probes, 5) << "failures_in_row_max, quickly one after the other";
}

TEST(Probes, CountForHealthAndNotForCustomers) {  // F15
  BreakerWorld world;
  world.good();
  for (int i = 0; i < 3; ++i) {
    world.tick(1s);
    world.outcome({.error = Errc::timeout, .counts = true, .probe = true});
  }
  HealthView view;
  world.breaker.fill(view, world.now);
  EXPECT_EQ(view.samples, 1u);
  EXPECT_EQ(view.probes, 3u);
  EXPECT_EQ(view.error_share, 0) << "no customer's call failed";
  EXPECT_EQ(world.breaker.measured(), world.now);
}

TEST(Probes, AreNotLearnedAsWhatCallsAreLike) {  // F15
  BreakerWorld world;
  for (int i = 0; i < 3000; ++i) {
    world.tick(100ms);
    world.outcome({.ttft = 10ms, .total = 20ms, .probe = true});
  }
  world.run({}, 400);
  EXPECT_EQ(world.state(), closed) << "customers' calls are long, not sick";
}

}  // namespace
}  // namespace troupe::policy
