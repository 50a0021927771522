// What answers' heads say of limits, in each provider's form (WIRE 5.3 to 5.5).
#include "providers/rate_limits.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::providers {
namespace {

using namespace std::chrono_literals;
// 2026-11-22T14:52:09Z
constexpr WallTime wall{1'795'359'129'000};

TEST(RateLimits, ReadsOpenaisGoDurations) {
  auto hints = read_rate_limits({{"content-type", "application/json"},
                                 {"x-ratelimit-limit-requests", "5000"},
                                 {"X-RateLimit-Remaining-Requests", "4999"},
                                 {"x-ratelimit-reset-requests", "12ms"},
                                 {"x-ratelimit-limit-tokens", "160000"},
                                 {"x-ratelimit-remaining-tokens", "149984"},
                                 {"x-ratelimit-reset-tokens", "1h2m3.5s"}},
                                wall);
  EXPECT_EQ(hints.requests.limit, 5000);
  EXPECT_EQ(hints.requests.remaining, 4999);
  EXPECT_EQ(hints.requests.reset, 12ms);
  EXPECT_EQ(hints.tokens.limit, 160'000);
  EXPECT_EQ(hints.tokens.remaining, 149'984);
  EXPECT_EQ(hints.tokens.reset, 3723500ms);
  EXPECT_TRUE(hints.input_tokens.empty());
}

TEST(RateLimits, ReadsAzuresSecondsWhereMinusOneAndZeroMeanNothing) {
  auto read = [](const char* reset) {
    return read_rate_limits({{"x-ratelimit-remaining-tokens", "10"}, {"x-ratelimit-reset-tokens", reset}},
                            wall)
        .tokens;
  };
  EXPECT_EQ(read("7").reset, 7s);
  EXPECT_FALSE(read("0").reset);
  EXPECT_FALSE(read("-1").reset);
  EXPECT_EQ(read("-1").remaining, 10);
  EXPECT_EQ(read("1e9").reset, 24h) << "clamped";
}

TEST(RateLimits, ReadsAnthropicsTimesAgainstTheAnswersOwnDate) {
  http::Headers headers{{"Date", "Sun, 22 Nov 2026 14:52:09 GMT"},
                        {"anthropic-ratelimit-requests-limit", "50"},
                        {"anthropic-ratelimit-requests-remaining", "49"},
                        {"anthropic-ratelimit-requests-reset", "2026-11-22T14:52:10Z"},
                        {"anthropic-ratelimit-input-tokens-limit", "50000"},
                        {"anthropic-ratelimit-input-tokens-remaining", "49000"},
                        {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T14:52:11.500+00:00"},
                        {"anthropic-ratelimit-output-tokens-remaining", "8000"},
                        {"anthropic-ratelimit-tokens-remaining", "57000"},
                        {"anthropic-priority-input-tokens-remaining", "100"}};
  auto hints = read_rate_limits(headers, {wall.ms + 3'600'000});
  EXPECT_EQ(hints.requests.reset, 1s) << "our clock is an hour ahead";
  EXPECT_EQ(hints.requests.remaining, 49);
  EXPECT_EQ(hints.input_tokens.reset, 2s);
  EXPECT_EQ(hints.output_tokens.remaining, 8000);
  EXPECT_EQ(hints.tokens.remaining, 57'000);
  EXPECT_EQ(hints.priority_input_tokens.remaining, 100);
  headers.erase(headers.begin());
  EXPECT_EQ(read_rate_limits(headers, wall).requests.reset, 1s) << "without a Date by our clock";
  EXPECT_EQ(read_rate_limits(headers, {wall.ms + 60'000}).requests.reset, 0s) << "it has passed";
}

TEST(RateLimits, NothingIsSaidWhereNothingStands) {
  EXPECT_TRUE(read_rate_limits({}, wall).empty());
  EXPECT_TRUE(read_rate_limits({{"retry-after", "3"}, {"x-amzn-requestid", "a"}}, wall).empty());
}

TEST(RateLimits, HostileHeadersAreLeftOut) {
  for (std::string text :
       {"", " ", "-5", "nan", "inf", "1e400", "9999999999999999999999", "12x", "\xff\xff", "0x10"}) {
    auto hints = read_rate_limits({{"x-ratelimit-limit-tokens", text},
                                   {"x-ratelimit-remaining-tokens", text},
                                   {"anthropic-ratelimit-requests-remaining", text}},
                                  wall);
    EXPECT_TRUE(hints.empty()) << text;
  }
  for (std::string name :
       {"x-ratelimit-", "x-ratelimit-limit", "x-ratelimit-limit-", "x-ratelimit--tokens",
        "anthropic-ratelimit-", "anthropic-ratelimit-tokens", "anthropic-priority-requests-limit"})
    EXPECT_TRUE(read_rate_limits({{name, "5"}}, wall).empty()) << name;
  EXPECT_FALSE(read_rate_limits({{"x-ratelimit-limit-tokens", "0"}}, wall).tokens.limit);
}

}  // namespace
}  // namespace troupe::providers
