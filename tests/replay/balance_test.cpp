// Requests whose lengths differ tenfold over equal endpoints: load-aware choice against round robin (A3).
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe::replay {
namespace {

/// Chat and code by turns of a coin, at random times: long prompts with short answers among short prompts
/// with long ones. The lengths are ours, of the order of Azure's two traces; not their rows.
class MixedTrace final : public TraceSource {
 public:
  MixedTrace(std::uint32_t count, double per_second, std::uint64_t seed)
      : count_(count), per_second_(per_second), rng_(seed) {}
  Result<bool> next(TraceRow& row) override {
    if (given_++ == count_) return false;
    if (given_ > 1) at_ += from_seconds(-std::log(1 - rng_.uniform()) / per_second_);
    bool code = rng_.uniform() < 0.3;
    row.at = at_;
    row.input_tokens = drawn(code ? 4000 : 400);
    row.output_tokens = drawn(code ? 20 : 200);
    row.blocks.clear();
    return true;
  }

 private:
  std::uint32_t drawn(double median) {
    return static_cast<std::uint32_t>(std::max(1.0, median * std::exp(0.5 * rng_.normal())));
  }
  std::uint32_t count_, given_ = 0;
  double per_second_;
  Rng rng_;
  Duration at_{};
};

// Four equal endpoints over two providers, each with twelve places.
config::Config four_equals() {
  auto config = three_endpoints();
  config.endpoints.list.push_back(plain_endpoint("a-west", "a"));
  config.endpoints.list.back().region = "a-west-region";
  config.simulator.endpoints.push_back(quick_model("a-west"));
  for (std::size_t i = 0; i < 4; ++i) {
    config.simulator.endpoints[i].latency.ttft_per_1k_input = std::chrono::milliseconds(100);
    config.simulator.endpoints[i].replay.slots = 12;
    config.endpoints.list[i].limits.in_flight_max = 12;
  }
  return config;
}

/// Of 48 places, which a mean call takes for about 2.1 s: what so many calls a second ask of them.
constexpr double kFullPerSecond = 48 / 2.13;

Quantiles ttft_under(const std::string& policy, double load, std::uint64_t seed) {
  WorldRun run{.policy = policy, .count = 6000, .every = from_seconds(1 / (load * kFullPerSecond))};
  run.load.seed = seed;
  auto trace = std::make_unique<MixedTrace>(run.count, load * kFullPerSecond, seed);
  auto result = replay_trace(four_equals(), run, std::move(trace));
  EXPECT_EQ(result.served, 6000u) << policy << " at " << load;
  return quantiles_of(result.ttft);
}

// At 95 % of the places it loses with some seeds: waiting calls are then served by tenants' shares, not in
// the order they came.
TEST(Balance, WinsOrTiesAgainstRoundRobinUpToNineTenthsOfThePlaces) {  // A3
  int won = 0;
  for (double load : {0.3, 0.5, 0.7, 0.8, 0.9})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      auto ours = ttft_under("troupe", load, seed).p99, turns = ttft_under("round-robin", load, seed).p99;
      EXPECT_LE(ours, 1.02 * turns) << "load " << load << ", seed " << seed;
      won += ours < 0.9 * turns ? 1 : 0;
    }
  EXPECT_GT(won, 5) << "where there is a queue, it matters which one is joined";
}

}  // namespace
}  // namespace troupe::replay
