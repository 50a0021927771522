// The virtual clock: nothing is lost, everything repeats, and every planned fault is seen.
#include "replay/driver.hpp"

#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

using config::FaultKind;

const std::vector<std::string> kBaselineNames{"round-robin", "static-primary", "fallback-on-429",
                                              "least-latency"};

TEST(Driver, LosesNoCallAtAnySecondUnderAnyPolicy) {  // C3
  auto config = three_endpoints();
  config.simulator.endpoints[0].faults = {fault_of(FaultKind::errors, 30, 60),
                                          fault_of(FaultKind::cut, 90, 120),
                                          fault_of(FaultKind::half_open, 150, 160)};
  config.simulator.endpoints[1].faults = {fault_of(FaultKind::throttle, 50, 70)};
  for (const auto& name : policy_names()) {
    WorldRun run{.policy = name.name};
    std::uint64_t seconds_seen = 0;
    run.driver.on_second = [&](Duration, const StandingCounts& s) {
      ++seconds_seen;
      ASSERT_EQ(s.offered, s.served + s.refused + s.expired + s.failed + s.open);
    };
    auto result = replay_world(config, run);
    EXPECT_EQ(result.offered, 3000u) << name.name;
    EXPECT_EQ(result.offered, result.served + result.refused + result.expired + result.failed) << name.name;
    EXPECT_GE(seconds_seen, 299u);
  }
}

TEST(Driver, RepeatsItselfByteForByte) {
  auto config = three_endpoints();
  config.simulator.endpoints[0].faults = {fault_of(FaultKind::errors, 30, 60)};
  for (const auto& name : policy_names()) {
    WorldRun run{.policy = name.name, .count = 1000};
    auto one = replay_world(config, run), two = replay_world(config, run);
    EXPECT_EQ(one.digest, two.digest) << name.name;
    EXPECT_EQ(one.attempts, two.attempts) << name.name;
    auto other = replay_world(config, {.policy = name.name, .count = 1000, .load = {.seed = 2}});
    // Where nothing is reserved, reserved-only refuses everything at once, whatever the luck.
    if (one.served > 0) {
      EXPECT_NE(one.digest, other.digest) << name.name;
    }
  }
}

TEST(Driver, GivesEveryPolicyTheSameLuck) {
  // With one endpoint there is nothing to choose: all policies make the same history.
  auto config = three_endpoints();
  config.endpoints.list.resize(1);
  std::set<std::uint64_t> digests;
  for (const auto& name : kBaselineNames) digests.insert(replay_world(config, {.policy = name}).digest);
  EXPECT_EQ(digests.size(), 1u);
}

TEST(Driver, ShowsEachFaultInTheFigures) {
  auto well = replay_world(three_endpoints(), {.policy = "static-primary"});
  EXPECT_EQ(well.served, 3000u);
  EXPECT_EQ(well.slow, 0u);
  auto under = [&](config::Fault fault) {
    auto config = three_endpoints();
    config.simulator.endpoints[0].faults = {fault};
    return replay_world(config, {.policy = "static-primary"});
  };
  for (auto kind : {FaultKind::down, FaultKind::errors, FaultKind::unavailable, FaultKind::model_error,
                    FaultKind::throttle, FaultKind::cut, FaultKind::stall, FaultKind::malformed,
                    FaultKind::truncated, FaultKind::in_stream_error}) {
    auto result = under(fault_of(kind, 60, 120));
    EXPECT_GT(result.failed + result.expired, 100u) << config::to_string(kind);
    EXPECT_GT(result.incidents.at(0).failed, 100u) << config::to_string(kind);
    EXPECT_NEAR(static_cast<double>(result.incidents[0].requests), 600, 1);
  }
  // The third attempt, after two header timers, finds it well again: late, not lost.
  EXPECT_NEAR(static_cast<double>(under(fault_of(FaultKind::half_open, 60, 120)).incidents[0].slow), 600, 5);
  auto slow = fault_of(FaultKind::slow, 60, 120);
  slow.factor = 5;
  EXPECT_NEAR(static_cast<double>(under(slow).slow), 600, 5);
  auto late = fault_of(FaultKind::late_first_token, 60, 120);
  late.delay = std::chrono::seconds(5);
  EXPECT_NEAR(static_cast<double>(under(late).incidents[0].slow), 600, 5);
  EXPECT_NEAR(static_cast<double>(under(fault_of(FaultKind::poor_quality, 60, 120)).poor), 600, 5);
}

TEST(Driver, StrikesAllOfAProviderOrRegion) {
  auto config = three_endpoints();
  config.simulator.faults = {{"b", "", fault_of(FaultKind::errors, 60, 120)},
                             {"", "b-south-region", fault_of(FaultKind::slow, 60, 120)}};
  auto clouds = make_clouds(config);
  ASSERT_TRUE(clouds);
  ASSERT_EQ(clouds->incidents.size(), 2u);
  EXPECT_EQ(clouds->incidents[0].endpoints, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(clouds->incidents[1].endpoints, (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(clouds->models[0].faults.size(), 0u);
  EXPECT_EQ(clouds->models[2].faults.size(), 2u);
}

TEST(Driver, TellsSpillFromRefusalByTheReservedLimit) {
  auto config = three_endpoints();
  auto& reserved = config.endpoints.list[0];
  reserved.kind = policy::CapacityKind::reserved;
  reserved.price = {};
  reserved.limits.input_tokens_per_minute = 300'000;  // half of what 10 calls of 1,000 tokens a second need
  reserved.limits.output_tokens_per_minute = 600'000;
  config.simulator.endpoints[0].limits = reserved.limits;
  auto alone = replay_world(config, {.policy = "static-primary"});
  EXPECT_GT(alone.failed, 500u);  // no spill: calls are dropped
  auto spilling = replay_world(config, {.policy = "fallback-on-429"});
  EXPECT_EQ(spilling.failed, 0u);
  EXPECT_GT(spilling.reserved_use, 0.98);
  EXPECT_GT(spilling.endpoints[1].attempts, 500u);
}

TEST(Baselines, DoWhatTheirNamesSay) {
  auto config = three_endpoints();
  config.simulator.endpoints[2].latency.ttft_median = std::chrono::milliseconds(100);
  auto attempts = [&](const std::string& policy) {
    auto result = replay_world(config, {.policy = policy});
    return std::array{result.endpoints[0].attempts, result.endpoints[1].attempts,
                      result.endpoints[2].attempts};
  };
  EXPECT_EQ(attempts("round-robin"), (std::array<std::uint64_t, 3>{1000, 1000, 1000}));
  EXPECT_EQ(attempts("static-primary"), (std::array<std::uint64_t, 3>{3000, 0, 0}));
  EXPECT_EQ(attempts("fallback-on-429"), (std::array<std::uint64_t, 3>{3000, 0, 0}));
  EXPECT_GT(attempts("least-latency")[2], 2900u);
}

TEST(ParsePolicies, NamesTheUnknownOne) {
  EXPECT_EQ(parse_policies("round-robin,least-latency")->size(), 2u);
  EXPECT_EQ(parse_policies("all")->size(), policy_names().size());
  auto wrong = parse_policies("round-robin,magic");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("\"magic\""), std::string::npos);
  EXPECT_FALSE(parse_policies(""));
}

}  // namespace
}  // namespace troupe::replay
