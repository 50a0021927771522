// What may be copied to a candidate, and what copies may take (B5).
#include "runtime/policy/shadow.hpp"

#include <gtest/gtest.h>

namespace troupe::policy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(1)};
constexpr ShadowPolicy kPolicy{.share = 0.5, .tokens_per_hour = 1000, .usd_per_hour = 1, .in_flight_max = 2};
constexpr ShadowFacts kCall{.draw = 0, .tokens = 100, .usd = 0.05};

TEST(Shadow, CopiesASampleAndNothingThatIsBarredOrDrawsOnAShortQuota) {
  Shadow shadow(kPolicy, kStart);
  auto change = [&](auto set) {
    auto call = kCall;
    set(call);
    return shadow.decide(call, kStart);
  };
  EXPECT_EQ(change([](auto& c) { c.draw = 0.5; }), ShadowVerdict::not_sampled);
  EXPECT_EQ(change([](auto& c) { c.draw = 0.49; }), ShadowVerdict::copy);
  EXPECT_EQ(change([](auto& c) { c.barred = true; }), ShadowVerdict::barred);
  EXPECT_EQ(change([](auto& c) { c.quota_short = true; }), ShadowVerdict::quota_short);
}

TEST(Shadow, TakesNoMoreThanItsBudgetAndEarnsItBackWithTime) {
  Shadow shadow(kPolicy, kStart);
  int copies = 0;
  for (int i = 0; i < 100; ++i) {
    if (shadow.decide(kCall, kStart) != ShadowVerdict::copy) continue;
    ++copies;
    shadow.ended(kCall, 100, 0.05);
  }
  EXPECT_EQ(copies, 10);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::over_tokens);
  EXPECT_EQ(shadow.decide(kCall, kStart + 7min), ShadowVerdict::copy);  // 1000 * 7 / 60 > 100
  shadow.ended(kCall, 100, 0.05);
  auto dear = kCall;
  dear.tokens = 1;
  dear.usd = 0.9;
  EXPECT_EQ(shadow.decide(dear, kStart + 7min), ShadowVerdict::over_usd);
}

TEST(Shadow, ACopyThatTookMoreThanExpectedIsPaidForBeforeTheNext) {
  Shadow shadow(kPolicy, kStart);
  ASSERT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::copy);
  shadow.ended(kCall, 5000, 0.05);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::over_tokens);
  EXPECT_EQ(shadow.decide(kCall, kStart + 4h), ShadowVerdict::over_tokens);
  EXPECT_EQ(shadow.decide(kCall, kStart + 5h), ShadowVerdict::copy);
}

TEST(Shadow, RunsNoMoreCopiesAtOnceThanItMay) {
  Shadow shadow(kPolicy, kStart);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::copy);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::copy);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::too_many);
  shadow.ended(kCall, 100, 0.05);
  EXPECT_EQ(shadow.decide(kCall, kStart), ShadowVerdict::copy);
}

TEST(Shadow, WithoutABudgetNothingIsCopied) {
  auto none = kPolicy;
  none.tokens_per_hour = 0;
  EXPECT_TRUE(validate(none));
  EXPECT_EQ(Shadow(none, kStart).decide(kCall, kStart), ShadowVerdict::over_tokens);
  EXPECT_FALSE(validate(kPolicy));
  EXPECT_FALSE(validate(ShadowPolicy{}));
  none = kPolicy;
  none.share = 1.1;
  EXPECT_TRUE(validate(none));
}

}  // namespace
}  // namespace troupe::policy
