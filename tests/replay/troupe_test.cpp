// The live layer under the replay, and what each switch is worth on tiny loads.
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

using config::FaultKind;

// Reserved capacity leads, so that there is a first endpoint to fall ill.
config::Config led_by_the_first() {
  auto config = three_endpoints();
  config.endpoints.list[0].kind = policy::CapacityKind::reserved;
  return config;
}

IncidentResult under(const std::string& policy, config::Fault fault) {
  auto config = led_by_the_first();
  config.simulator.endpoints[0].faults = {fault};
  return replay_world(config, {.policy = policy, .count = 6000}).incidents.at(0);
}

TEST(Troupe, GoesRoundADeadEndpointAndFindsBack) {  // F2, F6-F8
  auto down = fault_of(FaultKind::errors, 60, 120);
  auto ours = under("troupe", down), without = under("troupe-no-breaker", down);
  EXPECT_EQ(ours.failed, 0u);
  ASSERT_TRUE(ours.detected);
  EXPECT_LT(*ours.detected, 5);
  EXPECT_TRUE(ours.recovered);
  EXPECT_LE(ours.sick_primary, ours.requests / 5);  // at most 0.2 first attempts per request
  EXPECT_EQ(ours.backups_tripped, 0u);
  EXPECT_GT(without.sick_primary, without.requests * 9 / 10);
  EXPECT_GT(without.failed, 100u);
}

TEST(Troupe, TakesSlowForBrokenAndAnErrorCounterDoesNot) {  // F5
  auto slow = fault_of(FaultKind::slow, 60, 240);
  slow.factor = 4;
  auto ours = under("troupe", slow), blind = under("troupe-error-rate-only", slow);
  EXPECT_TRUE(ours.detected);
  EXPECT_FALSE(blind.detected);
  EXPECT_LT(ours.slow, blind.slow / 2);
}

TEST(Troupe, FindsTheGreyFailureWhoseMedianIsFine) {
  auto grey = fault_of(FaultKind::late_first_token, 60, 540);
  grey.share = 0.04;
  grey.delay = std::chrono::seconds(50);
  EXPECT_TRUE(under("troupe", grey).detected);
  EXPECT_FALSE(under("troupe-error-rate-only", grey).detected);
}

TEST(Troupe, HearsOfUselessAnswersFromCustomersAlone) {  // C11
  auto config = led_by_the_first();
  config.simulator.endpoints[0].faults = {fault_of(FaultKind::poor_quality, 300, 600)};
  WorldRun run{.policy = "troupe", .count = 6000};
  run.driver.feedback_share = 0.5;
  auto ours = replay_world(config, run);
  run.policy = "troupe-no-feedback";
  auto deaf = replay_world(config, run);
  EXPECT_TRUE(ours.incidents[0].detected);
  EXPECT_FALSE(deaf.incidents[0].detected);
  EXPECT_LT(ours.poor, deaf.poor / 2);
}

TEST(Troupe, KeepsItsPeaceWhenNothingIsWrong) {
  auto result = replay_world(led_by_the_first(), {.policy = "troupe", .count = 20'000});
  EXPECT_EQ(result.trips, 0u);
  EXPECT_EQ(result.served, 20'000u);
  EXPECT_EQ(result.slow, 0u);
}

// Ten calls of 1,100 tokens a second; the reserved endpoint holds half of that.
config::Config half_reserved() {
  auto config = led_by_the_first();
  auto& reserved = config.endpoints.list[0];
  reserved.price = {};
  reserved.limits = {.input_tokens_per_minute = 300'000, .output_tokens_per_minute = 30'000};
  auto& model = config.simulator.endpoints[0];
  model.capacity.law = config::CapacityLaw::bedrock_provisioned;
  model.capacity.unit_input_tokens_per_minute = 300'000;
  model.capacity.unit_output_tokens_per_minute = 30'000;
  return config;
}

TEST(Troupe, SpillsBeforeItIsToldTo) {  // C2
  auto ours = replay_world(half_reserved(), {.policy = "troupe"});
  EXPECT_EQ(ours.served, 3000u);
  EXPECT_GT(ours.spilled, 500u);
  EXPECT_EQ(ours.endpoints[0].throttled, 0u);
  auto blind = replay_world(half_reserved(), {.policy = "troupe-no-headroom"});
  EXPECT_GT(blind.endpoints[0].throttled, 20u);
}

TEST(Troupe, NeedsOnDemandCapacityNotToDrop) {
  auto hybrid = replay_world(half_reserved(), {.policy = "troupe"});
  auto reserved = replay_world(half_reserved(), {.policy = "troupe-reserved-only"});
  EXPECT_EQ(hybrid.served, 3000u);
  EXPECT_GT(reserved.expired + reserved.refused + reserved.failed + reserved.slow, 500u);
  auto on_demand = replay_world(half_reserved(), {.policy = "troupe-on-demand-only"});
  EXPECT_EQ(on_demand.endpoints[0].attempts, 0u);
  EXPECT_GT(on_demand.endpoints[1].usd + on_demand.endpoints[2].usd,
            hybrid.endpoints[1].usd + hybrid.endpoints[2].usd);
}

TEST(Troupe, SurvivesTheLossOfAProvider) {  // D2
  auto config = led_by_the_first();
  config.simulator.faults = {{"a", "", fault_of(FaultKind::down, 60, 120)}};
  EXPECT_EQ(replay_world(config, {.policy = "troupe"}).failed, 0u);
  EXPECT_GT(replay_world(config, {.policy = "static-primary"}).failed, 100u);
}

}  // namespace
}  // namespace troupe::replay
