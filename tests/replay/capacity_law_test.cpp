// The replay's laws of capacity decide as the HTTP simulator's do, call by call.
#include "providers/simulator/capacity.hpp"

#include "replay/capacity_model.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace troupe::replay {
namespace {

namespace sim = providers::simulator;

struct Pending {
  Instant at;
  CapacityHold ours;
  sim::CapacityHold theirs;
  CapacityUse use;
};

// Thousands of seeded calls with overlapping lives; returns how many were refused.
std::size_t refusals_in_step(const config::SimulatedCapacity& capacity, const policy::QuotaPolicy& limits) {
  Instant now{std::chrono::hours(1)};
  CapacityModel ours(capacity, limits, now);
  auto theirs = sim::make_capacity(capacity, limits, now);
  Rng rng(3);
  std::deque<Pending> pending;
  std::size_t refused = 0;
  for (int i = 0; i < 4000; ++i) {
    now += std::chrono::milliseconds(rng.below(400));
    while (!pending.empty() && pending.front().at <= now) {
      const auto& p = pending.front();
      ours.settle(p.ours, p.use, p.at);
      Usage used{.input = std::int64_t(p.use.input),
                 .output = std::int64_t(p.use.output),
                 .cache_read = std::int64_t(p.use.cached)};
      theirs->settle(p.theirs, used, p.at);
      pending.pop_front();
    }
    CapacityNeed need{double(100 + rng.below(2000)), double(rng.below(3) * 512), 1024};
    CapacityHold hold;
    auto refusal = ours.admit(need, now, hold);
    auto answer =
        theirs->admit({.input = need.input, .cached = need.cached, .output_max = need.output_max}, now);
    EXPECT_EQ(refusal.has_value(), !answer.has_value()) << "call " << i;
    if (refusal && !answer) {
      ++refused;
      EXPECT_EQ(refusal->code, answer.error().code);
      EXPECT_EQ(refusal->retry_after, answer.error().retry_after);
    }
    if (refusal || !answer) continue;
    CapacityUse use{need.input, need.cached, double(rng.below(1024))};
    pending.push_back({now + std::chrono::seconds(5), hold, *answer, use});
  }
  return refused;
}

TEST(CapacityLaw, OfPlainLimitsIsTheSimulators) {
  EXPECT_GT(refusals_in_step({}, {.input_tokens_per_minute = 200'000, .output_tokens_per_minute = 150'000}),
            0u);
}
TEST(CapacityLaw, OfBedrockOnDemandIsTheSimulators) {
  EXPECT_GT(refusals_in_step({.law = config::CapacityLaw::bedrock_on_demand},
                             {.input_tokens_per_minute = 500'000, .output_burndown = 5}),
            0u);
  EXPECT_GT(
      refusals_in_step({.law = config::CapacityLaw::bedrock_on_demand, .tokens_per_day = 2'000'000}, {}), 0u);
}
TEST(CapacityLaw, OfBedrockProvisionedIsTheSimulators) {
  EXPECT_GT(refusals_in_step({.law = config::CapacityLaw::bedrock_provisioned,
                              .units = 2,
                              .unit_input_tokens_per_minute = 100'000,
                              .unit_output_tokens_per_minute = 40'000},
                             {}),
            0u);
}
TEST(CapacityLaw, OfVertexIsTheSimulators) {
  EXPECT_GT(refusals_in_step({.law = config::CapacityLaw::vertex_provisioned,
                              .gsus = 1,
                              .gsu_tokens_per_second = 2000,
                              .pool_tokens_per_minute = 200'000},
                             {}),
            0u);
  EXPECT_GT(
      refusals_in_step({.law = config::CapacityLaw::vertex_shared, .pool_tokens_per_minute = 300'000}, {}),
      0u);
}
TEST(CapacityLaw, OfSagemakerIsTheSimulators) {
  EXPECT_GT(refusals_in_step(
                {.law = config::CapacityLaw::sagemaker_instances, .instances = 2, .instance_calls = 8}, {}),
            0u);
}

}  // namespace
}  // namespace troupe::replay
