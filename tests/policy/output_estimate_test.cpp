// What a call will write, learned (C2), and what reserving the estimate does to a limit (C5).
#include "runtime/policy/output_estimate.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/endpoint_guard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

TEST(OutputEstimator, ReservesEverythingUntilItKnowsBetter) {
  OutputEstimator estimator({.samples_min = 20});
  for (int i = 0; i < 19; ++i) estimator.learn(1, 1000, 100);
  EXPECT_EQ(estimator.estimate(1, 1000, 4096), 4096);
  estimator.learn(1, 1000, 100);
  EXPECT_NEAR(estimator.estimate(1, 1000, 4096), 100, 13);
  EXPECT_EQ(estimator.estimate(1, 1000, 50), 50) << "never more than the request allows";
  EXPECT_EQ(estimator.estimate(2, 1000, 4096), 4096) << "another workload";
  OutputEstimator off({.enabled = false});
  for (int i = 0; i < 100; ++i) off.learn(1, 1000, 100);
  EXPECT_EQ(off.estimate(1, 1000, 4096), 4096);
}

TEST(OutputEstimator, AnswersWithinAStepOfTheExactQuantile) {
  Rng rng(11);
  OutputEstimator estimator({.quantile = 0.8, .memory = 1e6});
  std::vector<double> seen;
  for (int i = 0; i < 5000; ++i) {
    seen.push_back(std::exp(5 + rng.normal()));
    estimator.learn(7, 500, seen.back());
  }
  std::ranges::sort(seen);
  double exact = seen[static_cast<std::size_t>(0.8 * 5000) - 1];
  double answer = estimator.estimate(7, 500, 1e9);
  EXPECT_GE(answer, exact * 0.999);
  EXPECT_LE(answer, exact * 1.126);
}

TEST(OutputEstimator, TellsLongInputsFromShortOnes) {
  OutputEstimator estimator({});
  for (int i = 0; i < 200; ++i) {
    estimator.learn(1, 100, 40);
    estimator.learn(1, 50'000, 900);
  }
  EXPECT_LT(estimator.estimate(1, 120, 4096), 60);
  EXPECT_GT(estimator.estimate(1, 60'000, 4096), 800);
  EXPECT_GT(estimator.estimate(1, 3'000, 4096), 800) << "a size never seen: by all of the workload";
}

TEST(OutputEstimator, ForgetsTheOld) {
  OutputEstimator estimator({.memory = 100});
  for (int i = 0; i < 1000; ++i) estimator.learn(1, 100, 2000);
  for (int i = 0; i < 1000; ++i) estimator.learn(1, 100, 50);
  EXPECT_LT(estimator.estimate(1, 100, 4096), 60);
}

TEST(OutputEstimator, RemembersABoundedNumberOfWorkloadsAndIgnoresNonsense) {
  OutputEstimator estimator({.samples_min = 1});
  for (std::uint64_t id = 1; id <= 10'000; ++id) estimator.learn(id, 100, 10);
  EXPECT_EQ(estimator.workloads(), OutputEstimator::workloads_max);
  EXPECT_LT(estimator.estimate(10'000, 100, 4096), 20) << "the newest is there";
  EXPECT_EQ(estimator.estimate(1, 100, 4096), 4096) << "the oldest is not";
  for (double odd : {-1.0, std::nan(""), HUGE_VAL}) estimator.learn(10'000, odd, odd);
  EXPECT_LT(estimator.estimate(10'000, 100, 4096), 20);
}

/// What calls of one workload write.
double drawn_output(Rng& rng) { return std::clamp(std::exp(5 + 0.8 * rng.normal()), 1.0, 4096.0); }

struct Flood {
  double used_share = 0;  ///< of what the limit allowed
  double excess = 0;      ///< worst excess over the limit, tokens
};

/// More calls than fit, for ten minutes, some twenty in flight at a time. What they truly wrote, counted when
/// they began, against capacity + rate x length of every stretch (the exact integrator's excess, by Kadane).
Flood flood(EstimatePolicy estimate, std::uint64_t seed, double guess_scale = 1) {
  constexpr double per_minute = 60'000, rate = per_minute / 60;
  Rng rng(seed);
  EndpointGuard guard({.quota = {.output_tokens_per_minute = per_minute}, .estimate = estimate}, noon);
  struct Running {
    Instant ends;
    QuotaNeed reserved;
    double output;
    bool operator>(const Running& other) const { return ends > other.ends; }
  };
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  double used = 0, least = 0, excess = 0;
  for (Instant now = noon; now < noon + 10min; now += 20ms) {
    while (!running.empty() && running.top().ends <= now) {
      auto call = running.top();
      running.pop();
      guard.ended(call.reserved, {.actual = {1, call.output}, .workload = 5}, now, wall_noon);
    }
    auto need = guard.need_of(5, 1, 4096);
    need.output_tokens *= guess_scale;
    if (!guard.admit(need, now).admitted) continue;
    auto takes = std::chrono::milliseconds(2000 + rng.below(4000));
    double wrote = drawn_output(rng);
    running.push({now + takes, need, wrote});
    double free = rate * seconds(now - noon);
    least = std::min(least, used - free);
    used += wrote;
    excess = std::max(excess, used - free - least - per_minute);
  }
  return {used / (per_minute + rate * 600), excess};
}

TEST(OutputEstimator, KeepsTheLimitToOneRequestsErrorAndUsesIt) {  // C5, C2
  double least_used = 1, worst = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto with = flood({}, seed);
    least_used = std::min(least_used, with.used_share);
    worst = std::max(worst, with.excess);
  }
  auto reckless = flood({}, 1, 0.1);
  auto everything = flood({.enabled = false}, 1);
  std::printf(
      "[ figures  ] output limit used %.1f %%, at worst %.0f tokens over it; a tenth guessed: %.0f over; "
      "all reserved: %.1f %% used\n",
      100 * least_used, worst, reckless.excess, 100 * everything.used_share);
  // What one request may write beyond an estimate of about 400.
  constexpr double one_error = 4096 - 400;
  EXPECT_LE(worst, one_error);
  EXPECT_GE(least_used, 0.97);
  EXPECT_GT(reckless.excess, 5 * one_error) << "guessing low breaks it";
  EXPECT_LT(everything.used_share, 0.9) << "reserving all that is allowed leaves the limit unused";
}

TEST(EndpointGuard, MirrorsAProviderThatReservesWhatTheRequestAllows) {  // WIRE 1.9
  GuardPolicy policy{
      .quota = {.input_tokens_per_minute = 10'000, .output_from_input = true, .reserve_output_max = true}};
  EndpointGuard mirror(policy, noon);
  policy.quota.reserve_output_max = false;
  EndpointGuard trusting(policy, noon);
  for (auto* guard : {&mirror, &trusting}) {
    for (int i = 0; i < 50; ++i) {
      auto need = guard->need_of(1, 10, 4000);
      if (!guard->admit(need, noon).admitted) break;
      guard->ended(need, {.actual = {10, 20}, .workload = 1}, noon, wall_noon);
    }
  }
  // The provider's own count allows two such calls at once.
  auto at_once = [](EndpointGuard& guard) {
    int calls = 0;
    while (calls < 100 && guard.admit(guard.need_of(1, 10, 4000), noon).admitted) ++calls;
    return calls;
  };
  EXPECT_EQ(at_once(mirror), 2);
  EXPECT_GT(at_once(trusting), 50) << "most of these would be answered 429";
}

}  // namespace
}  // namespace troupe::policy
