// Requests whose lengths differ tenfold over equal endpoints: load-aware choice against round robin (A3).
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/latency_sketch.hpp"
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

namespace troupe::replay {
namespace {

/// Of 48 places, which a mean call takes for about 2.1 s: what so many calls a second ask of them.
constexpr double kFullPerSecond = 48 / 2.13;

/// Chat and code by turns of a coin, at random times: long prompts with short answers among short prompts
/// with long ones. The lengths are ours, of the order of Azure's two traces; not their rows.
class MixedTrace final : public TraceSource {
 public:
  /// The first `calm` come at half the places' pace: what well means is learned then.
  MixedTrace(std::uint32_t count, double per_second, std::uint64_t seed, std::uint32_t calm)
      : count_(count), calm_(calm), per_second_(per_second), rng_(seed) {}
  Result<bool> next(TraceRow& row) override {
    if (given_++ == count_) return false;
    if (given_ > 1) at_ += from_seconds(-std::log(1 - rng_.uniform()) / pace());
    bool code = rng_.uniform() < 0.3;
    row.at = at_;
    row.input_tokens = drawn(code ? 4000 : 400);
    row.output_tokens = drawn(code ? 20 : 200);
    row.blocks.clear();
    return true;
  }

 private:
  double pace() const { return given_ <= calm_ ? kFullPerSecond / 2 : per_second_; }
  std::uint32_t drawn(double median) {
    return static_cast<std::uint32_t>(std::max(1.0, median * std::exp(0.5 * rng_.normal())));
  }
  std::uint32_t count_, calm_, given_ = 0;
  double per_second_;
  Rng rng_;
  Duration at_{};
};

// Four equal endpoints over two providers, each with twelve places; calls beyond wait there in line. `told`:
// we know how many places there are.
config::Config four_equals(bool told) {
  auto config = three_endpoints();
  config.endpoints.list.push_back(plain_endpoint("a-west", "a"));
  config.endpoints.list.back().region = "a-west-region";
  config.simulator.endpoints.push_back(quick_model("a-west"));
  for (std::size_t i = 0; i < 4; ++i) {
    config.simulator.endpoints[i].latency.ttft_per_1k_input = std::chrono::milliseconds(100);
    config.simulator.endpoints[i].replay.slots = 12;
    if (told) config.endpoints.list[i].limits.in_flight_max = 12;
  }
  return config;
}

/// The bin of the sketch: two quantiles that differ by no more cannot be told apart.
constexpr double kTie =
    (1 + policy::LatencyGrid::relative_error) / (1 - policy::LatencyGrid::relative_error) + 1e-3;

struct Asked {
  std::string policy;
  double load = 1;
  std::uint64_t seed = 1;
  bool told = true;
  std::uint32_t tenants = 1, count = 6000, calm = 0;
};

PolicyResult under(const Asked& asked) {
  double per_second = asked.load * kFullPerSecond;
  WorldRun run{.policy = asked.policy, .count = asked.count, .every = from_seconds(1 / per_second)};
  run.load.seed = asked.seed;
  run.load.tenants = asked.tenants;
  auto trace = std::make_unique<MixedTrace>(run.count, per_second, asked.seed, asked.calm);
  return replay_trace(four_equals(asked.told), run, std::move(trace));
}

struct Compared {
  double ours = 0, turns = 0;
};

/// p99 of the first token, ours and round robin's.
Compared compare(Asked asked) {
  asked.policy = "round-robin";
  auto turns = under(asked);
  asked.policy = "troupe";
  auto ours = under(asked);
  EXPECT_EQ(ours.served, asked.count) << "load " << asked.load << ", seed " << asked.seed;
  // The first to queue may be taken for sick before the others queue too, and is back after its cool-down.
  EXPECT_LE(ours.trips, asked.told || asked.load < 1 ? 0u : 4u)
      << "load " << asked.load << ", seed " << asked.seed;
  return {quantiles_of(ours.ttft).p99, quantiles_of(turns.ttft).p99};
}

class Balance : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Places, Balance, testing::Bool(),
                         [](const auto& told) { return told.param ? "known" : "unknown"; });

TEST_P(Balance, WinsOrTiesAgainstRoundRobinWhileThereArePlaces) {  // A3
  int won = 0;
  for (double load : {0.3, 0.5, 0.7, 0.8, 0.9, 0.95})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      auto p99 = compare({.load = load, .seed = seed, .told = GetParam(), .tenants = load > 0.9 ? 1u : 16u});
      EXPECT_LE(p99.ours, kTie * p99.turns) << "load " << load << ", seed " << seed;
      won += p99.ours < 0.9 * p99.turns ? 1 : 0;
    }
  EXPECT_GT(won, 5) << "where there is a queue, it matters which one is joined";
}

// Beyond what there is all wait, and what is left to choose is how evenly. One tenant: shares of tenants are
// not the order of arrival, which is what round robin serves in.
TEST_P(Balance, WinsOrTiesOverSeedsBeyondWhatThePlacesBear) {  // A3
  for (double load : {1.2, 1.5}) {
    Compared sum;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      auto p99 = compare({.load = load, .seed = seed, .told = GetParam(), .count = 4000, .calm = 1000});
      std::printf("[ figures  ] load %.1f, places %s, seed %d: p99 %.1f s, round robin %.1f s\n", load,
                  GetParam() ? "known" : "not known", static_cast<int>(seed), p99.ours, p99.turns);
      sum.ours += p99.ours;
      sum.turns += p99.turns;
    }
    EXPECT_LE(sum.ours, kTie * sum.turns) << "load " << load;
  }
}

// Overload of our own making is not sickness (F12): to close one endpoint for it crowds the others.
TEST(BalanceAblation, WithoutALookAtPeersOverloadIsTakenForSickness) {
  Asked asked{.policy = "troupe-no-peers", .load = 1.5, .told = false, .count = 4000, .calm = 1000};
  auto blind = under(asked);
  asked.policy = "troupe";
  auto ours = under(asked);
  std::printf(
      "[ figures  ] overload 1.5x, places not known: %d trips, %d of 4000 served; without a look at "
      "peers %d trips, %d served\n",
      static_cast<int>(ours.trips), static_cast<int>(ours.served), static_cast<int>(blind.trips),
      static_cast<int>(blind.served));
  EXPECT_GT(blind.trips, 8u);
  EXPECT_LT(blind.served, 3900u);
  EXPECT_LE(ours.trips, 2u);
  EXPECT_EQ(ours.served, 4000u);
}

}  // namespace
}  // namespace troupe::replay
