// How fast simulated answers are.
#include "providers/simulator/law.hpp"
#include "runtime/base/clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe::providers::simulator {
namespace {

using std::chrono::milliseconds;

TEST(LatencyLaw, DrawsTheMedianAndTheTailItWasFittedFor) {
  config::LatencyLaw law{.ttft_median = milliseconds(400), .ttft_sigma = 0.5};
  Rng rng(3);
  std::vector<double> ttft;
  for (int i = 0; i < 20'000; ++i) ttft.push_back(seconds(draw_pace(law, 0, 1, rng).ttft));
  std::ranges::sort(ttft);
  EXPECT_NEAR(ttft[10'000], 0.4, 0.01);
  EXPECT_NEAR(ttft[18'000], 0.4 * std::exp(0.5 * 1.2816), 0.03);
}

TEST(LatencyLaw, GrowsWithTheInputAndIsNothingAtScaleZero) {
  config::LatencyLaw law{.ttft_sigma = 0, .ttft_per_1k_input = milliseconds(100)};
  Rng rng(3);
  EXPECT_NEAR(seconds(draw_pace(law, 2000, 1, rng).ttft), 0.6, 1e-6);
  EXPECT_EQ(draw_pace(law, 2000, 0, rng).ttft, Duration{});
  EXPECT_LE(draw_pace(law, 2000, 1e300, rng).ttft, std::chrono::hours(1));
}

}  // namespace
}  // namespace troupe::providers::simulator
