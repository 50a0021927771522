// When a credential is fetched, waited for, and served although its issuer is gone.
#include "providers/auth/keeper.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::providers {
namespace {

using namespace std::chrono_literals;

/// A keeper, its clock, and an issuer that answers when told.
class KeeperTest : public ::testing::Test {
 protected:
  Expiring<Secret> token(std::optional<Duration> life, std::string value = "T") {
    return {BearerToken{std::move(value)}, life};
  }
  void fetch(std::optional<Duration> life, std::string value = "T") {
    ASSERT_TRUE(keeper.begin_fetch(now));
    keeper.fetched(token(life, std::move(value)), now);
  }
  void fail_fetch() {
    ASSERT_TRUE(keeper.begin_fetch(now));
    keeper.fetched(fail(Errc::timeout, "the issuer is down"), now);
  }
  std::string served() {
    const auto* secret = keeper.secret(now);
    return secret != nullptr ? std::get<BearerToken>(*secret).value : "";
  }
  void wait(int count = 1) {
    for (int i = 0; i < count; ++i)
      keeper.when_ready([this](Result<void> result) { (result ? good : bad) += 1, last = result; }, now);
  }
  Keeper keeper;
  Instant now{1h};
  int good = 0, bad = 0;
  Result<void> last;
};

TEST_F(KeeperTest, FetchesOnceForAThousandWaiters) {  // D9, A2
  int fetches = 0;
  for (int i = 0; i < 1000; ++i) {
    wait();
    fetches += keeper.begin_fetch(now);
  }
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(good, 0);
  keeper.fetched(token(1h), now);
  EXPECT_EQ(good, 1000);
  EXPECT_EQ(served(), "T");
}

TEST_F(KeeperTest, RefusesMoreWaitersThanItsBound) {
  Keeper small(KeeperPolicy{.waiters_max = 2});
  int refused = 0;
  for (int i = 0; i < 3; ++i)
    small.when_ready([&](Result<void> r) { refused += !r && r.error().code == Errc::refused; }, now);
  EXPECT_EQ(refused, 1);
}

TEST_F(KeeperTest, RefreshesAheadWithoutMakingAnyoneWait) {  // D8
  fetch(1h);
  EXPECT_EQ(keeper.next_fetch(), now + 45min);
  now += 44min;
  EXPECT_FALSE(keeper.begin_fetch(now));
  now += 1min;
  EXPECT_TRUE(keeper.begin_fetch(now));
  EXPECT_FALSE(keeper.begin_fetch(now));
  EXPECT_TRUE(keeper.ready(now));
  keeper.fetched(token(1h, "U"), now);
  EXPECT_EQ(served(), "U");
  EXPECT_EQ(keeper.next_fetch(), now + 45min);
}

TEST_F(KeeperTest, WaitsForTheRefreshWhenLittleIsLeft) {
  fetch(1h);
  now += 55min;
  EXPECT_FALSE(keeper.ready(now));
  wait();
  ASSERT_TRUE(keeper.begin_fetch(now));
  EXPECT_EQ(good, 0);
  keeper.fetched(token(1h, "U"), now);
  EXPECT_EQ(good, 1);
}

TEST_F(KeeperTest, ScalesDownForShortLives) {
  fetch(60s);
  EXPECT_EQ(keeper.next_fetch(), now + 45s);
  EXPECT_TRUE(keeper.ready(now + 54s));
  EXPECT_FALSE(keeper.ready(now + 56s));
  now += 60s;
  fetch(12h);
  EXPECT_EQ(keeper.next_fetch(), now + 12h - 15min);
}

TEST_F(KeeperTest, CountsLifeFromWhenItAsked) {
  ASSERT_TRUE(keeper.begin_fetch(now));
  now += 20s;
  keeper.fetched(token(60s), now);
  now += 40s;
  EXPECT_EQ(served(), "");
}

TEST_F(KeeperTest, NeverRefreshesWhatDoesNotExpire) {
  fetch(std::nullopt);
  EXPECT_FALSE(keeper.next_fetch());
  now += 24h * 365;
  EXPECT_FALSE(keeper.begin_fetch(now));
  EXPECT_TRUE(keeper.ready(now));
}

TEST_F(KeeperTest, ServesWhatIsValidWhileTheIssuerIsDeadForAnHour) {  // static stability
  fetch(2h);
  now += 105min;
  int fetches = 0;
  for (auto end = now + 1h, expiry = now + 15min; now < end; now += 1s) {
    if (keeper.begin_fetch(now)) {
      ++fetches;
      // Who comes while the issuer is asked in vain is not made to wait: there is one that is valid.
      EXPECT_EQ(keeper.ready(now), now < expiry);
      keeper.fetched(fail(Errc::timeout, "the issuer is down"), now);
    }
    EXPECT_EQ(keeper.ready(now), now < expiry);
  }
  // 1 + 2 + 4 ... + 60 s, then every minute.
  EXPECT_GT(fetches, 60);
  EXPECT_LT(fetches, 70);
  EXPECT_EQ(served(), "");
  wait();
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(last.error().code, Errc::auth);
  EXPECT_TRUE(last.error().failover);
  now += 1min;
  wait();  // the failure is not kept: this one waits for the issuer, which is back
  fetch(1h, "back");
  EXPECT_EQ(good, 1);
  EXPECT_EQ(served(), "back");
}

TEST_F(KeeperTest, AnswersWithTheFailureUntilItMayAskAgain) {
  wait(3);
  fail_fetch();
  EXPECT_EQ(bad, 3);
  wait(100);
  EXPECT_EQ(bad, 103);
  EXPECT_FALSE(keeper.begin_fetch(now));
  now += 1s;
  wait();
  EXPECT_EQ(bad, 103);
  fail_fetch();
  EXPECT_EQ(bad, 104);
  EXPECT_EQ(keeper.next_fetch(), now + 2s);
  now += 2s;
  wait();
  fetch(1h);
  EXPECT_EQ(good, 1);
}

TEST_F(KeeperTest, FetchesOnceWhenManyRequestsWereRefused) {
  fetch(1h);
  auto carried = keeper.generation();
  now += 10s;
  int fetches = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(keeper.refused(carried, now));
    wait();
    fetches += keeper.begin_fetch(now);
  }
  EXPECT_EQ(fetches, 1);
  keeper.fetched(token(1h, "U"), now);
  EXPECT_EQ(good, 1000);
  // One that was under way meanwhile: there is a newer one already.
  EXPECT_TRUE(keeper.refused(carried, now));
  EXPECT_FALSE(keeper.begin_fetch(now));
}

TEST_F(KeeperTest, DoesNotFloodTheIssuerForAProviderThatRefusesEverything) {
  fetch(1h);
  int fetches = 0;
  for (int i = 0; i < 3000; ++i, now += 100ms) {
    if (!keeper.refused(keeper.generation(), now)) continue;
    if (keeper.begin_fetch(now)) {
      ++fetches;
      keeper.fetched(token(1h), now);
    }
  }
  EXPECT_EQ(fetches, 10);  // in five minutes
}

TEST_F(KeeperTest, KeepsWhatWasRefusedWhenThereIsNothingNewer) {
  fetch(1h);
  now += 1min;
  EXPECT_TRUE(keeper.refused(keeper.generation(), now));
  wait();
  fail_fetch();
  EXPECT_EQ(good, 1);
  EXPECT_TRUE(keeper.ready(now));
}

http::Response rejection(std::string type, std::string date) {
  return {403, {{"x-amzn-errortype", std::move(type)}, {"Date", std::move(date)}}, "{}"};
}
constexpr WallTime kNoon{1'440'936'000'000};  // 2015-08-30T12:00:00Z

TEST(ClockSkewTest, LearnsFromWhoBlamesTheClock) {
  for (const char* type : {"InvalidSignatureException", "RequestExpired:http://x", "RequestTimeTooSkewed"}) {
    ClockSkew skew;
    EXPECT_TRUE(skew.learn(rejection(type, "Sun, 30 Aug 2015 13:00:00 GMT"), kNoon)) << type;
    EXPECT_EQ(skew.offset_ms(), 3'600'000);
    EXPECT_EQ(skew.correct(kNoon).ms, kNoon.ms + 3'600'000);
    EXPECT_FALSE(skew.learn(rejection(type, "Sun, 30 Aug 2015 13:00:00 GMT"), kNoon)) << "known already";
    EXPECT_TRUE(skew.learn(rejection(type, "Sun, 30 Aug 2015 11:00:00 GMT"), kNoon)) << "stepped back";
  }
}

TEST(ClockSkewTest, LearnsNothingFromOthers) {
  ClockSkew skew;
  EXPECT_FALSE(skew.learn(rejection("ExpiredTokenException", "Sun, 30 Aug 2015 13:00:00 GMT"), kNoon));
  EXPECT_FALSE(skew.learn(rejection("InvalidSignatureException", "Sun, 30 Aug 2015 12:00:30 GMT"), kNoon));
  EXPECT_FALSE(skew.learn(rejection("InvalidSignatureException", "yesterday"), kNoon));
  EXPECT_FALSE(skew.learn({403, {{"x-amzn-errortype", "InvalidSignatureException"}}, ""}, kNoon));
  EXPECT_EQ(skew.offset_ms(), 0);
}

}  // namespace
}  // namespace troupe::providers
