// The learned concurrency: its bounds, and a backup that must take a fallen endpoint's load (F12).
#include "runtime/policy/adaptive_limit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/endpoint_guard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

void answer(AdaptiveLimit& limit, int calls, Duration ttft, std::uint32_t in_flight,
            std::optional<Errc> error = {}) {
  for (int i = 0; i < calls; ++i) limit.on_end(error, ttft, in_flight);
}

TEST(AdaptiveLimit, GrowsWhileItIsUsedAndNothingSuffers) {
  AdaptiveLimit limit({.enabled = true, .limit_start = 32, .limit_max = 100, .growth = 1.5});
  answer(limit, 10, 400ms, 32);
  EXPECT_EQ(limit.limit(), 48u);
  answer(limit, 40, 400ms, 48);
  EXPECT_EQ(limit.limit(), 48u) << "calls of the round before prove nothing of this one";
  answer(limit, 1, 400ms, 48);
  EXPECT_EQ(limit.limit(), 72u);
  answer(limit, 10'000, 400ms, 100);
  EXPECT_EQ(limit.limit(), 100u);
  AdaptiveLimit idle({.enabled = true, .limit_start = 32});
  answer(idle, 10'000, 400ms, 5);
  EXPECT_EQ(idle.limit(), 32u) << "what idles has shown nothing";
}

TEST(AdaptiveLimit, ShrinksWhenTheFirstTokenComesLater) {
  AdaptiveLimit limit({.enabled = true});
  answer(limit, 30, 400ms, 20);
  answer(limit, 10, 1200ms, 32);
  EXPECT_LT(limit.limit(), 25u);
  EXPECT_NEAR(limit.unloaded_ttft(), 0.4, 0.01) << "a loaded answer does not become the usual one";
}

TEST(AdaptiveLimit, AModelThatIsSlowerForGoodIsBelievedAtTheFloor) {
  AdaptiveLimit limit({.enabled = true, .limit_min = 4});
  answer(limit, 100, 400ms, 20);
  answer(limit, 1000, 2s, 4);
  EXPECT_NEAR(limit.unloaded_ttft(), 2, 0.01);
  answer(limit, 2000, 2s, 40);
  EXPECT_GT(limit.limit(), 30u);
}

TEST(AdaptiveLimit, OneOverloadIsCountedOnceAndTheFloorHolds) {
  AdaptiveLimit limit({.enabled = true, .limit_min = 4, .limit_start = 100});
  answer(limit, 100, 0s, 100, Errc::overloaded);
  EXPECT_EQ(limit.limit(), 70u) << "a hundred calls were out at the same overload";
  for (int i = 0; i < 100; ++i) answer(limit, 100, 0s, 100, Errc::overloaded);
  EXPECT_EQ(limit.limit(), 4u);
  AdaptiveLimit fine({.enabled = true});
  answer(fine, 1000, 0s, 30, Errc::bad_request);
  EXPECT_EQ(fine.limit(), 32u) << "a caller's mistake says nothing of capacity";
}

TEST(AdaptiveLimit, OffItLimitsNothing) {
  AdaptiveLimit limit({});
  answer(limit, 1000, 100s, 100, Errc::overloaded);
  EXPECT_EQ(limit.limit(), ConcurrencyPolicy{}.limit_max);
  EXPECT_FALSE(validate(ConcurrencyPolicy{}));
  EXPECT_TRUE(validate(ConcurrencyPolicy{.limit_min = 0}));
  EXPECT_TRUE(validate(ConcurrencyPolicy{.samples_min = 65}));
  EXPECT_TRUE(validate(ConcurrencyPolicy{.ttft_tolerance = 1}));
  EXPECT_TRUE(validate(ConcurrencyPolicy{.decrease = 1}));
  EXPECT_TRUE(validate(ConcurrencyPolicy{.growth = 9}));
}

/// A backup that batches: with more than a hundred calls at once all of them slow down, the first token by
/// the fourth power, and a first token later than 5 s is given up.
struct Backup {
  static constexpr double room = 100, ttft_usual = 0.4, takes_usual = 8, patience = 5;
  double load = 0;
  double ttft() const { return ttft_usual * (1 + std::pow(load / room, 4)); }
  double takes() const { return ttft() + takes_usual * std::max(1.0, load / room); }
};

struct Outage {
  double slow_share = 0;   ///< worst ten seconds: first tokens later than three times the usual
  double error_share = 0;  ///< worst ten seconds
  double served = 0;       ///< calls a second in the last five minutes
  int most = 0;            ///< in flight
};

/// The backup has its own 3 calls a second; after two minutes it gets another 25 that belonged to a fallen
/// endpoint, for ten minutes. It can serve some 12.
Outage outage(bool guarded) {
  EndpointGuard guard({.concurrency = {.enabled = guarded}}, noon);
  Rng rng(23);
  struct Call {
    Instant ends;
    AttemptEnd end;
  };
  std::vector<Call> running;
  Backup backup;
  Outage outage;
  double answers = 0, slow = 0, errors = 0;
  constexpr Duration step = 20ms;
  for (Instant now = noon; now < noon + 12min; now += step) {
    auto over =
        std::partition(running.begin(), running.end(), [&](const Call& call) { return call.ends > now; });
    for (auto it = over; it != running.end(); ++it) {
      guard.ended({1, 1}, it->end, now, wall_noon);
      ++answers;
      errors += it->end.error.has_value();
      slow += seconds(it->end.ttft) > 3 * Backup::ttft_usual;
      if (!it->end.error && now > noon + 7min) outage.served += 1.0 / 300;
    }
    running.erase(over, running.end());
    double per_second = now < noon + 2min ? 3 : 28;
    if (rng.uniform() < per_second * seconds(step) && guard.admit({1, 1}, now).admitted) {
      backup.load = static_cast<double>(running.size() + 1);
      AttemptEnd end{.actual = {1, 1}, .ttft = from_seconds(backup.ttft() * (0.8 + 0.4 * rng.uniform()))};
      bool late = seconds(end.ttft) > Backup::patience;
      if (late) end.error = Errc::timeout;
      running.push_back({now + from_seconds(late ? Backup::patience : backup.takes()), end});
    }
    outage.most = std::max(outage.most, static_cast<int>(running.size()));
    if ((now - noon) % 10s != 0s || answers == 0) continue;
    outage.slow_share = std::max(outage.slow_share, slow / answers);
    outage.error_share = std::max(outage.error_share, errors / answers);
    answers = slow = errors = 0;
  }
  return outage;
}

TEST(EndpointGuard, ABackupTakesDivertedLoadNoFasterThanItCan) {  // F12
  auto with = outage(true), without = outage(false);
  std::printf(
      "[ figures  ] backup under a fallen endpoint's load, worst ten seconds: %.0f %% slow, %.0f %% failed, "
      "%.1f/s served at most %d at once; not guarded: %.0f %% slow, %.0f %% failed, %.1f/s, %d at once\n",
      100 * with.slow_share, 100 * with.error_share, with.served, with.most, 100 * without.slow_share,
      100 * without.error_share, without.served, without.most);
  // A breaker trips at 30 % failures, or when a tenth of the answers are three times slower than usual.
  EXPECT_LT(with.error_share, 0.01);
  EXPECT_LT(with.slow_share, 0.1);
  EXPECT_GT(with.served, 9) << "most of what it can";
  EXPECT_GT(without.slow_share, 0.5) << "a full divert takes the backup down too";
  EXPECT_GT(without.error_share, 0.3);
}

TEST(EndpointGuard, TheLearnedLimitIsSeenByRouters) {
  EndpointGuard guard({.quota = {.in_flight_max = 50}, .concurrency = {.enabled = true, .limit_start = 10}},
                      noon);
  EXPECT_EQ(guard.load(noon).in_flight_max, 10u);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(guard.admit({1, 1}, noon).admitted);
  auto refused = guard.admit({1, 1}, noon);
  EXPECT_FALSE(refused.admitted);
  EXPECT_FALSE(refused.wait);
  EndpointGuard plain({.quota = {.in_flight_max = 50}}, noon);
  EXPECT_EQ(plain.load(noon).in_flight_max, 50u);
}

}  // namespace
}  // namespace troupe::policy
