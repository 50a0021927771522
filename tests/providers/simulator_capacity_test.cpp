// The vendors' capacity semantics (WIRE 1.9, 3, 4.4): what is reserved, what is settled, who is refused and
// who spills. Each law beside the same calls without it.
#include "providers/simulator/capacity.hpp"
#include "runtime/policy/quota.hpp"
#include "tests/providers/simulator_support.hpp"

#include <gtest/gtest.h>

namespace troupe::providers::simulator {
namespace {

using config::CapacityLaw;
using config::SimulatedCapacity;
using std::chrono::minutes;
using std::chrono::seconds;

int admitted(Capacity& capacity, const CapacityAsk& ask, int tries = 1000) {
  int count = 0;
  while (count < tries && capacity.admit(ask, kStart)) ++count;
  return count;
}

TEST(BedrockOnDemand, ReservesMaxTokensUpFrontAndSettlesTheBurn) {  // C5
  policy::QuotaPolicy limits{.input_tokens_per_minute = 10'000, .output_burndown = 5};
  auto capacity = make_capacity({.law = CapacityLaw::bedrock_on_demand}, limits, kStart);
  CapacityAsk ask{.input = 1000, .output_max = 4000};
  auto first = capacity->admit(ask, kStart);
  ASSERT_TRUE(first);
  ASSERT_TRUE(capacity->admit(ask, kStart));
  auto third = capacity->admit(ask, kStart);
  ASSERT_FALSE(third);  // 2 x 5,000 are reserved, though nothing was generated yet
  EXPECT_EQ(third.error().code, Errc::rate_limited);
  EXPECT_EQ(third.error().vendor_text, "Too many tokens, please wait before trying again.");
  EXPECT_FALSE(third.error().retry_after) << "Bedrock gives no hint";
  // 100 tokens came out: 500 quota tokens, and the rest of the reservation is free again.
  capacity->settle(*first, Usage{.input = 1000, .output = 100}, kStart);
  EXPECT_EQ(admitted(*capacity, {.input = 100, .output_max = 0}), 35);  // 10,000 - 5,000 - 1,500 = 3,500
}

TEST(BedrockOnDemand, AnUnsetMaximumIsWhatDrainsTheQuota) {
  policy::QuotaPolicy limits{.input_tokens_per_minute = 100'000, .output_burndown = 5};
  auto small = make_capacity({.law = CapacityLaw::bedrock_on_demand}, limits, kStart);
  auto huge = make_capacity({.law = CapacityLaw::bedrock_on_demand}, limits, kStart);
  EXPECT_EQ(admitted(*small, {.input = 1000, .output_max = 1000}), 50);
  EXPECT_EQ(admitted(*huge, {.input = 1000, .output_max = 64'000}), 1);
}

TEST(BedrockOnDemand, GivesCacheReadsBack) {
  policy::QuotaPolicy limits{.input_tokens_per_minute = 1000};
  auto capacity = make_capacity({.law = CapacityLaw::bedrock_on_demand}, limits, kStart);
  auto hold = capacity->admit({.input = 100, .cached = 900}, kStart);
  ASSERT_TRUE(hold);
  EXPECT_FALSE(capacity->admit({.input = 500}, kStart));
  capacity->settle(*hold, Usage{.input = 100, .cache_read = 900}, kStart);
  EXPECT_TRUE(capacity->admit({.input = 500}, kStart));
}

TEST(BedrockOnDemand, TheDaysTokensRunOutWithWordsOfTheirOwn) {
  SimulatedCapacity day{.law = CapacityLaw::bedrock_on_demand, .tokens_per_day = 5000};
  auto capacity = make_capacity(day, {}, kStart);
  EXPECT_EQ(admitted(*capacity, {.input = 1000}), 5);
  auto refused = capacity->admit({.input = 1000}, kStart);
  EXPECT_EQ(refused.error().code, Errc::quota_exhausted);
  EXPECT_NE(refused.error().vendor_text.find("per day"), std::string::npos);
  EXPECT_FALSE(capacity->admit({.input = 1000}, kStart + minutes(5)));
  EXPECT_TRUE(capacity->admit({.input = 1000}, kStart + minutes(290)));  // a fifth of a day
}

TEST(BedrockProvisioned, CountsInputAndOutputApartAndNeverSpills) {
  SimulatedCapacity units{.law = CapacityLaw::bedrock_provisioned,
                          .units = 2,
                          .unit_input_tokens_per_minute = 5000,
                          .unit_output_tokens_per_minute = 500};
  auto by_input = make_capacity(units, {}, kStart);
  EXPECT_EQ(admitted(*by_input, {.input = 1000, .output_max = 100'000}), 10);  // max_tokens reserves nothing
  auto by_output = make_capacity(units, {}, kStart);
  auto hold = by_output->admit({.input = 10}, kStart);
  by_output->settle(*hold, Usage{.input = 10, .output = 1500}, kStart);
  auto refused = by_output->admit({.input = 10}, kStart);
  ASSERT_FALSE(refused);  // 1,000 a minute of output, and 1,500 are used
  EXPECT_EQ(refused.error().code, Errc::rate_limited);
  EXPECT_TRUE(by_output->admit({.input = 10}, kStart + seconds(31)));
}

SimulatedCapacity provisioned() {
  return {.law = CapacityLaw::vertex_provisioned,
          .gsus = 1,
          .gsu_tokens_per_second = 100,
          .output_weight = 9,
          .window = seconds(10),
          .pool_tokens_per_minute = 60'000,
          .others_mean = 0,
          .others_swing = 0};
}

TEST(VertexProvisioned, SpillsByDefaultRefusesWhenDedicatedAndIsSkippedWhenShared) {  // G2
  auto capacity = make_capacity(provisioned(), {}, kStart);
  CapacityAsk ask{.input = 500};
  auto first = capacity->admit(ask, kStart);
  auto second = capacity->admit(ask, kStart);
  auto third = capacity->admit(ask, kStart);
  EXPECT_EQ(first->tier, "PROVISIONED_THROUGHPUT");
  EXPECT_EQ(second->tier, "PROVISIONED_THROUGHPUT");
  EXPECT_EQ(third->tier, "ON_DEMAND");  // the window held 1,000
  ask.type = RequestType::dedicated;
  auto refused = capacity->admit(ask, kStart);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().vendor_text, "Too many requests. Exceeded the Provisioned Throughput.");
  auto fresh = make_capacity(provisioned(), {}, kStart);
  ask.type = RequestType::shared;
  EXPECT_EQ(fresh->admit(ask, kStart)->tier, "ON_DEMAND");
}

TEST(VertexProvisioned, EstimatesTheOutputAndReconcilesIt) {
  auto config = provisioned();
  auto capacity = make_capacity(config, {}, kStart);
  CapacityAsk ask{.input = 10, .output_max = 100, .type = RequestType::dedicated};
  auto hold = capacity->admit(ask, kStart);  // 10 + 9 x 100
  ASSERT_TRUE(hold);
  EXPECT_FALSE(capacity->admit(ask, kStart));
  ask.output_max = 90;
  EXPECT_FALSE(capacity->admit(ask, kStart));
  capacity->settle(*hold, Usage{.input = 10, .output = 10}, kStart);  // it was 100: 810 come back
  EXPECT_TRUE(capacity->admit(ask, kStart));
}

TEST(VertexShared, ThePoolIsWhatOthersLeave) {
  auto config = provisioned();
  config.law = CapacityLaw::vertex_shared;
  config.others_mean = 1;
  auto capacity = make_capacity(config, {}, kStart);
  EXPECT_EQ(admitted(*capacity, {.input = 1000}), 60);
  auto refused = capacity->admit({.input = 1000}, kStart + minutes(1));
  ASSERT_FALSE(refused) << "others take all of the refill";
  EXPECT_EQ(refused.error().vendor_text, "Resource exhausted. Please try again later.");
  config.others_mean = 0;
  auto alone = make_capacity(config, {}, kStart);
  EXPECT_EQ(admitted(*alone, {.input = 1000}), 60);
  EXPECT_TRUE(alone->admit({.input = 1000}, kStart + minutes(1)));
}

TEST(SagemakerInstances, TakeTimeToStartAndMayNotBeHad) {  // A4
  SimulatedCapacity fleet{.law = CapacityLaw::sagemaker_instances,
                          .instances = 1,
                          .instances_max = 3,
                          .instance_calls = 2,
                          .start_up = minutes(5)};
  auto capacity = make_capacity(fleet, {}, kStart);
  EXPECT_EQ(admitted(*capacity, {}), 2);
  EXPECT_EQ(*capacity->scale(10, kStart), 3u) << "insufficient capacity: no more are to be had";
  EXPECT_FALSE(capacity->admit({}, kStart + minutes(4)));
  auto later = capacity->admit({}, kStart + minutes(5));
  ASSERT_TRUE(later);
  EXPECT_EQ(*capacity->scale(0, kStart + minutes(6)), 0u);
  EXPECT_EQ(capacity->admit({}, kStart + minutes(6)).error().code, Errc::model_not_ready);
  auto fixed = make_capacity({}, {}, kStart);
  EXPECT_EQ(fixed->scale(2, kStart).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace troupe::providers::simulator
