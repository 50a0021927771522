// Backups under diverted load, second attempts beside slow ones, and reserved capacity that is waited for.
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

TEST(Backups, GetDivertedLoadNoFasterThanTheyCanTakeIt) {  // F12
  auto config = three_endpoints();
  config.endpoints.list[0].kind = policy::CapacityKind::reserved;
  config.simulator.endpoints[0].faults = {fault_of(config::FaultKind::errors, 60, 240)};
  // Ten calls of 1.4 s a second need fourteen places; six and seven are too few.
  for (std::size_t i : {1, 2}) {
    config.endpoints.list[i].limits.in_flight_max = 6;
    config.simulator.endpoints[i].replay.slots = 6;
  }
  auto ours = replay_world(config, {.policy = "troupe"});
  auto blind = replay_world(config, {.policy = "troupe-no-headroom"});
  EXPECT_EQ(ours.incidents[0].backups_tripped, 0u);
  EXPECT_EQ(blind.incidents[0].backups_tripped, 0u) << "both are slow, so neither is sick";
  for (auto& endpoint : config.endpoints.list) endpoint.breaker.peers_well_min = 0;
  auto alone = replay_world(config, {.policy = "troupe"}),
       off = replay_world(config, {.policy = "troupe-no-headroom"});
  EXPECT_EQ(alone.incidents[0].backups_tripped, 0u);
  EXPECT_GT(off.incidents[0].backups_tripped, 0u) << "off";
}

TEST(Backups, ASecondAttemptShortensTheLateTail) {  // E10
  auto config = three_endpoints();
  config.features["chat"].hedge.enabled = true;
  for (auto& model : config.simulator.endpoints) {
    model.replay.tail_share = 0.02;
    model.replay.tail_ttft_median = std::chrono::seconds(3);
    model.replay.tail_ttft_sigma = 0.3;
  }
  auto with = replay_world(config, {.policy = "troupe", .count = 6000});
  auto without = replay_world(config, {.policy = "troupe-no-hedge", .count = 6000});
  auto hedges = with.attempts_by_cause[static_cast<std::size_t>(Cause::hedge)];
  EXPECT_GT(hedges, 50u);
  EXPECT_LT(hedges, 6000u / 20 + 11);
  EXPECT_LT(quantiles_of(with.ttft).p99, quantiles_of(without.ttft).p99 / 2);
}

TEST(Backups, WithoutSpilloverTheyAreNotUsedForWantOfRoom) {  // C1, C2
  auto config = three_endpoints();
  auto& reserved = config.endpoints.list[0];
  reserved.kind = policy::CapacityKind::reserved;
  reserved.reserved.units = 2;
  reserved.reserved.usd_per_hour = 6;
  reserved.limits = {.input_tokens_per_minute = 300'000, .output_tokens_per_minute = 30'000};
  auto& model = config.simulator.endpoints[0];
  model.capacity.law = config::CapacityLaw::bedrock_provisioned;
  model.capacity.unit_input_tokens_per_minute = 300'000;
  model.capacity.unit_output_tokens_per_minute = 30'000;
  auto spills = replay_world(config, {.policy = "troupe"});
  auto waits = replay_world(config, {.policy = "troupe-no-spillover"});
  EXPECT_GT(spills.endpoints[1].attempts + spills.endpoints[2].attempts, 500u);
  EXPECT_LT(waits.endpoints[1].attempts + waits.endpoints[2].attempts, 150u) << "after failures alone";
  EXPECT_EQ(spills.served, 3000u);
  EXPECT_LT(waits.served, 2500u);
  EXPECT_NEAR(spills.usd_reserved, 1, 0.01) << "five minutes of twelve dollars an hour";
}

}  // namespace
}  // namespace troupe::replay
