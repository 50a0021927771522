// An endpoint's joined limits: admission, what it gives back, and what it says of itself (C2, C5).
#include "runtime/policy/endpoint_guard.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;
const Instant noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{1'700'000'000'000};

AttemptEnd fine(QuotaNeed actual) {
  AttemptEnd end;
  end.actual = actual;
  return end;
}

TEST(EndpointGuard, AdmitsUntilALimitAndNamesTheWait) {
  EndpointGuard guard({.quota = {.input_tokens_per_minute = 600}}, noon);
  EXPECT_TRUE(guard.admit({400, 0}, noon).admitted);
  auto refused = guard.admit({400, 0}, noon);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.wait, 20s) << "200 tokens short, ten a second";
  EXPECT_TRUE(guard.admit({400, 0}, noon + 20s).admitted);
}

TEST(EndpointGuard, NobodyKnowsWhenACallEnds) {
  EndpointGuard guard({.quota = {.in_flight_max = 1}}, noon);
  EXPECT_TRUE(guard.admit({1, 1}, noon).admitted);
  auto refused = guard.admit({1, 1}, noon);
  EXPECT_FALSE(refused.admitted);
  EXPECT_FALSE(refused.wait);
  EXPECT_EQ(guard.load(noon).in_flight, 1u);
  guard.ended({1, 1}, fine({1, 1}), noon, wall_noon);
  EXPECT_EQ(guard.load(noon).in_flight, 0u);
  EXPECT_TRUE(guard.admit({1, 1}, noon).admitted);
}

TEST(EndpointGuard, TheTruthReplacesTheEstimate) {  // C5
  EndpointGuard guard({.quota = {.output_tokens_per_minute = 150}}, noon);
  EXPECT_TRUE(guard.admit({10, 100}, noon).admitted);
  EXPECT_FALSE(guard.admit({10, 100}, noon).admitted);
  guard.ended({10, 100}, fine({10, 1}), noon, wall_noon);
  EXPECT_DOUBLE_EQ(guard.load(noon).output_headroom, 149);
  EXPECT_TRUE(guard.admit({10, 100}, noon).admitted);
}

TEST(EndpointGuard, RemembersHowLongTheProviderAskedToWait) {
  EndpointGuard guard({}, noon);
  EXPECT_TRUE(guard.admit({1, 1}, noon).admitted);
  auto end = fine({});
  end.error = Errc::rate_limited;
  guard.ended({1, 1}, end, noon, wall_noon);
  EXPECT_EQ(guard.load(noon).throttled_until.ms, wall_noon.ms + 1000);
  end.retry_after = 30s;
  guard.ended({1, 1}, end, noon, wall_noon);
  end.retry_after = 2s;
  guard.ended({1, 1}, end, noon, wall_noon);
  EXPECT_EQ(guard.load(noon).throttled_until.ms, wall_noon.ms + 30'000) << "the longest counts";
  end.error = Errc::transient_server;
  end.retry_after = 1h;
  guard.ended({1, 1}, end, noon, wall_noon);
  EXPECT_EQ(guard.load(noon).throttled_until.ms, wall_noon.ms + 30'000) << "no throttle";
}

}  // namespace
}  // namespace troupe::policy
