// Breakers of a migration look at those that customers use, as on a node (B5, F12).
#include "replay/migration_fleet.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

using namespace std::chrono_literals;

/// Nothing is wrong with it but what the test says.
MigrationWorld calm_world() {
  auto world = migration_world(1, 1min);
  for (auto& cloud : world.clouds) cloud.model.faults.clear(), cloud.load = {};
  return world;
}

/// How often breakers of the old model's two endpoints open when the first tokens of so many of them take
/// eight times as long. Nobody calls the new model, so it is well.
int opened_when_slow(std::uint32_t slow) {
  int opened = 0;
  MigrationFleet fleet(calm_world(), {[](std::uint32_t, policy::HealthPtr) {},
                                      [&](std::uint32_t, const policy::BreakerEvent& event) {
                                        opened += event.to == policy::BreakerState::open;
                                      }});
  auto now = migration_start;
  auto call = [&](std::uint32_t index, Duration ttft) {
    auto admitted = fleet.admit(index, 100, 100, now);
    ASSERT_TRUE(admitted.held);
    FleetEnd end{.held = *admitted.held, .written = 50, .began = now - ttft - 1s};
    end.fate = fleet.begin(index, {.input_tokens = 100, .output_tokens = 50, .output_tokens_max = 100}, now);
    end.fate.first_token = ttft;
    fleet.end(index, end, now);
  };
  for (int i = 0; i < 1200; ++i) {
    now += 100ms;
    for (std::uint32_t index : {0U, 1U}) call(index, i > 1000 && index < slow ? 4s : 500ms);
    if (i % 10 == 0) fleet.on_second(now);
  }
  return opened;
}

TEST(MigrationFleet, SlowAloneIsSickAndSlowTogetherIsNotHoweverIdleTheNewModelIs) {
  EXPECT_GE(opened_when_slow(1), 1);
  EXPECT_EQ(opened_when_slow(2), 0) << "the rest that could take their calls is on trial";
}

}  // namespace
}  // namespace troupe::replay
