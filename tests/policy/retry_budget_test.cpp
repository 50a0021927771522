// The budget's arithmetic, the waits, and an overload with and without it (E11).
#include "runtime/policy/retry_budget.hpp"
#include "runtime/base/clock.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

TEST(RetryBudget, AllowsTheFloorThenAShareOfFirstAttempts) {
  RetryBudget budget({.budget_share = 0.2, .budget_floor = 10});
  int taken = 0;
  while (budget.take()) ++taken;
  EXPECT_EQ(taken, 10);
  for (int i = 0; i < 1000; ++i) {
    budget.on_first_attempt();
    taken += budget.take();
  }
  EXPECT_EQ(taken, 10 + 200);
}

TEST(RetryBudget, TimeEarnsUpToTheFloorAndNoFurther) {
  RetryBudget budget({.budget_floor = 2, .budget_per_second = 0.5});
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
  budget.on_time(std::chrono::seconds(1));
  EXPECT_FALSE(budget.take());
  budget.on_time(std::chrono::seconds(1));
  EXPECT_TRUE(budget.take());
  budget.on_time(std::chrono::hours(1));
  EXPECT_EQ(budget.left(), 2);
}

TEST(RetryBudget, AQuietDayDoesNotPayForAStorm) {
  RetryBudget budget({.budget_share = 0.2, .budget_floor = 10});
  for (int i = 0; i < 1'000'000; ++i) budget.on_first_attempt();
  int taken = 0;
  while (budget.take()) ++taken;
  EXPECT_EQ(taken, 100);
}

TEST(Backoff, IsJitteredBoundedAndNeverBelowTheHint) {
  Rng rng(3);
  RetryPolicy policy;
  auto error = make_error(Errc::transient_server, "");
  Duration longest{}, shortest = 1h;
  for (int i = 0; i < 1000; ++i) {
    auto wait = backoff(policy, 3, error, 1min, rng);
    ASSERT_TRUE(wait);
    longest = std::max(longest, *wait);
    shortest = std::min(shortest, *wait);
    EXPECT_LE(*backoff(policy, 1'000'000, error, 1min, rng), 10s);
  }
  EXPECT_LE(longest, 800ms);
  EXPECT_GT(longest, 700ms);
  EXPECT_LT(shortest, 100ms);
  error.retry_after = 5s;
  EXPECT_GE(*backoff(policy, 1, error, 1min, rng), 5s);
  EXPECT_FALSE(backoff(policy, 1, error, 5s, rng)) << "it would outlast the deadline";
  EXPECT_FALSE(backoff(policy, 1, make_error(Errc::transient_server, ""), 0s, rng));
}

TEST(Backoff, NothingIsRetriedThatNobodyCouldServe) {  // E11: no retry on 4xx semantics
  Rng rng(4);
  for (auto code : {Errc::bad_request, Errc::content_filtered, Errc::cancelled})
    EXPECT_FALSE(backoff({}, 1, make_error(code, ""), 1min, rng)) << to_string(code);
}

/// A server with room for 100 calls a tick works through a queue in order; a caller gives up after 10 ticks
/// and tries again, up to 5 times, while the server still works on what was given up. Load is 60 %, 300 %
/// between ticks 100 and 150. Returns useful answers per tick, as a share of what 60 % load asks, long after
/// the peak.
double goodput_after_overload(const RetryPolicy& policy) {
  struct Call {
    int sent = 0;
    int attempt = 0;
  };
  constexpr int capacity = 100, patience = 10, retries_max = 5, ticks = 1500, settled = 1000, load = 60;
  RetryBudget budget(policy);
  std::deque<Call> server, waiting;
  double useful = 0;
  for (int tick = 0; tick < ticks; ++tick) {
    int fresh = tick >= 100 && tick < 150 ? 300 : load;
    for (int i = 0; i < fresh; ++i) {
      budget.on_first_attempt();
      server.push_back({tick, 0});
      waiting.push_back({tick, 0});
    }
    while (!waiting.empty() && tick - waiting.front().sent >= patience) {
      auto call = waiting.front();
      waiting.pop_front();
      if (call.attempt < 0 || call.attempt >= retries_max || !budget.take()) continue;
      server.push_back({tick, call.attempt + 1});
      waiting.push_back({tick, call.attempt + 1});
    }
    for (int i = 0; i < capacity && !server.empty(); ++i) {
      auto call = server.front();
      server.pop_front();
      if (tick - call.sent >= patience) continue;
      // Answered in time: its caller no longer waits.
      for (auto& waiter : waiting)
        if (waiter.attempt == call.attempt && waiter.sent == call.sent) {
          waiter.attempt = -1;
          break;
        }
      useful += tick >= settled;
    }
  }
  return useful / ((ticks - settled) * load);
}

TEST(RetryBudget, KeepsAnOverloadFromFeedingItself) {  // E11
  double with = goodput_after_overload({});
  double without = goodput_after_overload({.enabled = false});
  std::printf("[ figures  ] goodput after a peak is over: %.0f %% with the budget, %.0f %% without\n",
              100 * with, 100 * without);
  EXPECT_GT(with, 0.95);
  EXPECT_LT(without, 0.2);
}

TEST(RetryPolicy, DefaultIsSoundAndMistakesAreNamed) {
  EXPECT_FALSE(validate(RetryPolicy{}));
  EXPECT_TRUE(validate({.budget_share = 2}));
  EXPECT_TRUE(validate({.budget_floor = 0}));
  EXPECT_TRUE(validate({.backoff_base = 20s}));
}

}  // namespace
}  // namespace troupe::policy
