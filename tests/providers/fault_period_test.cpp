// Faults that come back: a schedule's period.
#include "providers/simulator/faults.hpp"

#include <gtest/gtest.h>

namespace troupe::providers::simulator {
namespace {

using std::chrono::seconds;

bool down_at(const config::Fault& fault, Duration since_start) {
  Rng rng(1);
  return strike({fault}, {.since_start = since_start}, rng).refusal.has_value();
}

TEST(FaultPeriod, StrikesAgainEveryPeriodAndNotBetween) {
  config::Fault flapping{
      .kind = config::FaultKind::errors, .from = seconds(10), .to = seconds(13), .every = seconds(20)};
  EXPECT_FALSE(down_at(flapping, seconds(9)));
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(down_at(flapping, seconds(10 + 20 * round)));
    EXPECT_TRUE(down_at(flapping, seconds(12 + 20 * round)));
    EXPECT_FALSE(down_at(flapping, seconds(13 + 20 * round)));
    EXPECT_FALSE(down_at(flapping, seconds(29 + 20 * round)));
  }
}

TEST(FaultPeriod, OfZeroMeansOnce) {
  config::Fault once{.kind = config::FaultKind::errors, .from = seconds(10), .to = seconds(13)};
  EXPECT_TRUE(down_at(once, seconds(12)));
  EXPECT_FALSE(down_at(once, seconds(32)));
  once.to = {};
  EXPECT_TRUE(down_at(once, seconds(320)));
}

TEST(FaultPeriod, OfPoorQualityRefusesNothing) {
  config::Fault useless{.kind = config::FaultKind::poor_quality};
  EXPECT_FALSE(down_at(useless, seconds(1)));
}

}  // namespace
}  // namespace troupe::providers::simulator
