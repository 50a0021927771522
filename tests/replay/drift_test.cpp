// The quickest is overtaken while nobody looks: exploration finds it, and without it nobody ever would (D7).
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

namespace troupe::replay {
namespace {

constexpr int kSwap = 300;                                   // seconds
constexpr double kSteady = 1.4, kSlow = 5.6, kQuick = 0.35;  // of a whole answer, in seconds

// "a" is always the same; "b" is four times slower than it, and from the swap on four times quicker.
config::Config swapping_world() {
  auto config = three_endpoints();
  config.endpoints.list.pop_back();
  config.simulator.endpoints.pop_back();
  auto& b = config.simulator.endpoints[1];
  b.latency.ttft_median = std::chrono::milliseconds(100);
  b.latency.inter_token_median = std::chrono::microseconds(2500);
  auto slow = fault_of(config::FaultKind::slow, 0, kSwap);
  slow.factor = 16;
  b.faults = {slow};
  return config;
}

struct Regret {
  /// Seconds of callers' time beyond what one who knows the future spends, before and after the swap.
  double before = 0, after = 0;
  /// Seconds from the swap until most calls of a stretch go to the quicker one; none: never.
  std::optional<double> found;
};

Regret regret_of(const std::string& policy, std::uint64_t seed) {
  WorldRun run{.policy = policy, .count = 12'000};
  run.load.seed = seed;
  auto result = replay_world(swapping_world(), run);
  EXPECT_EQ(result.served, 12'000u);
  Regret regret;
  for (const auto& point : result.series) {
    auto a = static_cast<double>(point.endpoints[0].attempts),
         b = static_cast<double>(point.endpoints[1].attempts);
    if (point.at < kSwap) {
      regret.before += b * (kSlow - kSteady);
      continue;
    }
    regret.after += a * (kSteady - kQuick);
    if (!regret.found && b > a) regret.found = point.at - kSwap;
  }
  return regret;
}

TEST(Drift, IsFoundByExplorationAndNeverWithout) {  // D7
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto ours = regret_of("troupe", seed), blind = regret_of("troupe-no-exploration", seed);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": regret after the swap " << ours.after << " s, "
                                    << blind.after << " s without; before it " << ours.before << " and "
                                    << blind.before);
    // 9,000 calls after the swap could each be a second quicker.
    EXPECT_GT(blind.after, 9'000) << "who stays with what was best once";
    EXPECT_FALSE(blind.found);
    ASSERT_TRUE(ours.found);
    EXPECT_LT(ours.after, 0.4 * blind.after);
    EXPECT_LT(ours.before, 250) << "what looking costs while nothing has changed";
    std::printf(
        "seed %d: found after %.0f s; regret %.0f s before, %.0f s after; without exploration %.0f, "
        "%.0f s\n",
        static_cast<int>(seed), *ours.found, ours.before, ours.after, blind.before, blind.after);
  }
}

}  // namespace
}  // namespace troupe::replay
