// The buckets against an exact integrator, reservations settled both ways (C5).
#include "runtime/policy/quota.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};

/// The level of a bucket that starts full, by the reflection formula: with X(t) = capacity + rate t - taken,
/// the level is X(t) - max(0, sup of X(s) - capacity over s up to t). No refill loop, so it shares no mistake
/// with one.
class Integrator {
 public:
  Integrator(long double rate, long double capacity) : rate_(rate), capacity_(capacity) {}
  void take(long double t, long double amount) {
    see(t);
    taken_ += amount;
    see(t);
  }
  long double level(long double t) {
    see(t);
    return free_path(t) - over_;
  }

 private:
  long double free_path(long double t) const { return capacity_ + rate_ * t - taken_; }
  void see(long double t) { over_ = std::max(over_, free_path(t) - capacity_); }
  long double rate_, capacity_, taken_ = 0, over_ = 0;
};

TEST(Quota, FollowsAnExactIntegratorOnRandomTraces) {  // C5
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    Quota quota({.input_tokens_per_minute = 60'000, .output_tokens_per_minute = 6'000, .output_burndown = 5},
                noon);
    Integrator input(1000, 60'000), output(100, 6'000);
    Instant now = noon;
    for (int i = 0; i < 2000; ++i) {
      now += Duration(static_cast<std::int64_t>(rng.below(3'000'000'000)));
      auto t = static_cast<long double>((now - noon).count()) / 1e9L;
      QuotaNeed guess{static_cast<double>(rng.below(4000)), static_cast<double>(rng.below(60))};
      QuotaNeed truth{static_cast<double>(rng.below(4000) + 1), static_cast<double>(rng.below(60))};
      quota.reserve(guess, now);
      input.take(t, guess.input_tokens);
      output.take(t, 5 * guess.output_tokens);
      ASSERT_NEAR(quota.input_headroom(now), static_cast<double>(input.level(t)), 1e-3) << "seed " << seed;
      quota.settle(guess, truth, now);
      input.take(t, truth.input_tokens - guess.input_tokens);
      output.take(t, 5 * (truth.output_tokens - guess.output_tokens));
      ASSERT_NEAR(quota.input_headroom(now), static_cast<double>(input.level(t)), 1e-3) << "seed " << seed;
      ASSERT_NEAR(quota.output_headroom(now), static_cast<double>(output.level(t)) / 5, 1e-3)
          << "seed " << seed;
    }
  }
}

/// The most that any stretch of time used beyond capacity + rate x length, serving one call after another.
double worst_excess(bool wait_first, double error_max) {
  constexpr double rate = 100, capacity = 6000;
  Rng rng(5);
  Quota quota({.input_tokens_per_minute = capacity}, noon);
  Instant now = noon;
  double worst = 0, least = 0, used = 0;
  for (int i = 0; i < 5000; ++i) {
    QuotaNeed guess{static_cast<double>(1 + rng.below(1000)), 0};
    if (wait_first) now += quota.wait_for(guess, now);
    quota.reserve(guess, now);
    now += 10ms;
    QuotaNeed truth{guess.input_tokens + error_max * (2 * rng.uniform() - 1), 0};
    truth.input_tokens = std::max(1.0, truth.input_tokens);
    quota.settle(guess, truth, now);
    // Kadane over time: used - rate t, against the least it was before.
    double path = used - rate * seconds(now - noon);
    least = std::min(least, path);
    used += truth.input_tokens;
    worst = std::max(worst, used - rate * seconds(now - noon) - least - capacity);
  }
  return worst;
}

TEST(Quota, IsNeverExceededByMoreThanOneRequestsError) {  // C5
  EXPECT_LE(worst_excess(true, 300), 300 + 1);
  EXPECT_LE(worst_excess(true, 0), 1);
  EXPECT_GT(worst_excess(false, 0), 100'000) << "not asked, the bucket bounds nothing";
}

TEST(Quota, SettlesEstimateErrorsBothWays) {  // C5
  Quota quota({.input_tokens_per_minute = 60'000}, noon);
  quota.reserve({10'000, 0}, noon);
  quota.settle({10'000, 0}, {4'000, 0}, noon);
  EXPECT_DOUBLE_EQ(quota.input_headroom(noon), 56'000);
  quota.reserve({1'000, 0}, noon);
  quota.settle({1'000, 0}, {70'000, 0}, noon);
  EXPECT_DOUBLE_EQ(quota.input_headroom(noon), -14'000) << "a debt is remembered";
  EXPECT_EQ(quota.wait_for({1'000, 0}, noon), 15s);
}

TEST(Quota, ACallThatWasNeverMadeGivesEverythingBack) {
  Quota quota({.input_tokens_per_minute = 600, .output_tokens_per_minute = 600, .requests_per_minute = 1},
              noon);
  quota.reserve({500, 500}, noon);
  EXPECT_GT(quota.wait_for({1, 1}, noon), 0s) << "one request a minute";
  quota.settle({500, 500}, {}, noon);
  EXPECT_EQ(quota.wait_for({600, 600}, noon), 0s);
  EXPECT_EQ(quota.in_flight(), 0u);
}

TEST(Quota, EachLimitBindsAlone) {
  Quota input({.input_tokens_per_minute = 60}, noon), output({.output_tokens_per_minute = 60}, noon);
  Quota requests({.requests_per_minute = 60}, noon), slots({.in_flight_max = 2}, noon);
  for (auto* quota : {&input, &output, &requests, &slots}) {
    for (int i = 0; i < 60; ++i) quota->reserve({1, 1}, noon);
    EXPECT_GT(quota->wait_for({1, 1}, noon), 0s);
  }
  EXPECT_EQ(input.wait_for({1, 0}, noon), 1s);
  EXPECT_EQ(input.wait_for({0, 100}, noon), 0s) << "output is unlimited here";
  EXPECT_EQ(slots.wait_for({1, 1}, noon), Quota::wait_max);
}

TEST(Quota, TheWaitItNamesIsEnoughAndNotTooLong) {
  Rng rng(9);
  for (int i = 0; i < 2000; ++i) {
    Quota quota({.input_tokens_per_minute = 1 + rng.uniform() * 1e6}, noon);
    quota.reserve({rng.uniform() * 2e6, 0}, noon);
    QuotaNeed need{rng.uniform() * 1e6, 0};
    auto wait = quota.wait_for(need, noon);
    if (wait == Quota::wait_max) continue;
    auto early = quota;
    ASSERT_EQ(quota.wait_for(need, noon + wait), 0s);
    ASSERT_TRUE(wait <= 1ms || early.wait_for(need, noon + wait - 1ms) > 0s);
  }
}

TEST(Quota, ANeedLargerThanTheBucketFitsWhenItIsFull) {
  Quota quota({.input_tokens_per_minute = 600}, noon);
  EXPECT_EQ(quota.wait_for({10'000, 0}, noon), 0s);
  quota.reserve({600, 0}, noon);
  EXPECT_EQ(quota.wait_for({10'000, 0}, noon), 60s);
}

TEST(Quota, OneBucketForBothWhereTheProviderHasOne) {  // WIRE 1.9
  Quota quota({.input_tokens_per_minute = 1000, .output_burndown = 5, .output_from_input = true}, noon);
  quota.reserve({500, 50}, noon);
  EXPECT_DOUBLE_EQ(quota.input_headroom(noon), 250);
  EXPECT_DOUBLE_EQ(quota.output_headroom(noon), 50);
}

TEST(Quota, UnlimitedNeverWaitsAndNonsenseIsZero) {
  Quota quota({}, noon);
  for (double odd : {-5.0, std::nan(""), HUGE_VAL}) quota.reserve({odd, odd}, noon);
  EXPECT_EQ(quota.input_headroom(noon), std::numeric_limits<double>::infinity());
  EXPECT_EQ(quota.wait_for({1e18, 1e18}, noon), 0s);
  Quota limited({.input_tokens_per_minute = 60}, noon);
  for (double odd : {-5.0, std::nan(""), HUGE_VAL}) limited.reserve({odd, odd}, noon);
  EXPECT_DOUBLE_EQ(limited.input_headroom(noon), 60);
  limited.settle({}, {}, noon - 1h);
  EXPECT_DOUBLE_EQ(limited.input_headroom(noon - 1h), 60) << "a clock that seems to go back refills nothing";
  EXPECT_FALSE(validate(QuotaPolicy{}));
  EXPECT_TRUE(validate({.input_tokens_per_minute = -1}));
  EXPECT_TRUE(validate({.output_burndown = 0}));
}

}  // namespace
}  // namespace troupe::policy
