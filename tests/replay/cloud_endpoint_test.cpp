// What becomes of one attempt at a modelled endpoint.
#include "replay/cloud_endpoint.hpp"

#include "replay/luck.hpp"
#include "runtime/base/clock.hpp"
#include "tests/replay/support/worlds.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::replay {
namespace {

using config::FaultKind;
using std::chrono::milliseconds;

CloudEndpoint cloud_of(const config::SimulatedEndpoint& model) { return {model, {}, 1, replay_start}; }

CloudAsk ask(std::uint64_t luck, Instant now = replay_start) {
  return {.luck = luck,
          .input_tokens = 1000,
          .output_tokens = 101,
          .output_tokens_max = 1024,
          .deadline = now + std::chrono::minutes(2)};
}

Fate struck_by(config::Fault fault) {
  auto model = quick_model("m");
  model.faults = {fault};
  return cloud_of(model).begin(ask(1), replay_start);
}

TEST(CloudEndpoint, GivesTheSameCallTheSameTimeWheneverItComes) {
  auto one = cloud_of(quick_model("m")), two = cloud_of(quick_model("m"));
  two.begin(ask(77), replay_start);
  auto later = replay_start + std::chrono::hours(1);
  EXPECT_EQ(one.begin(ask(5), replay_start).end, two.begin(ask(5, later), later).end);
  EXPECT_NE(one.begin(ask(6), replay_start).end, one.begin(ask(7), replay_start).end);
}

TEST(CloudEndpoint, FollowsItsLaw) {
  auto cloud = cloud_of(quick_model("m"));
  std::vector<double> ttft, per_token;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    auto fate = cloud.begin(ask(luck_of(i)), replay_start);
    ttft.push_back(seconds(fate.first_token));
    per_token.push_back(seconds(fate.end - fate.first_token) / 100);
  }
  std::ranges::sort(ttft);
  std::ranges::sort(per_token);
  EXPECT_NEAR(ttft[2000], 0.4, 0.01);
  EXPECT_NEAR(ttft[3600], 0.4 * std::exp(0.1 * 1.2816), 0.01);
  EXPECT_NEAR(per_token[2000], 0.010, 0.0003);
}

TEST(CloudEndpoint, HasTheTailItIsGiven) {
  auto model = quick_model("m");
  model.replay.tail_share = 0.02;
  auto cloud = cloud_of(model);
  int timeouts = 0, slow = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    auto fate = cloud.begin(ask(luck_of(i)), replay_start);
    timeouts += fate.error == Errc::timeout ? 1 : 0;
    slow += fate.first_token > std::chrono::seconds(5) || fate.error ? 1 : 0;
  }
  EXPECT_NEAR(slow, 200, 5 * 14);
  EXPECT_GT(timeouts, 0);  // beyond the first-byte timer of 60 s
}

TEST(CloudEndpoint, LetsCallsWaitForAPlace) {
  auto model = quick_model("m");
  model.replay.slots = 1;
  model.latency.ttft_sigma = model.latency.inter_token_sigma = 0;
  auto cloud = cloud_of(model);
  auto first = cloud.begin(ask(1), replay_start), second = cloud.begin(ask(2), replay_start);
  EXPECT_EQ(second.first_token, first.end + milliseconds(400));
}

TEST(CloudEndpoint, SpeaksEveryFaultOfTheVocabulary) {
  EXPECT_EQ(struck_by({.kind = FaultKind::down}).error, Errc::transient_server);
  EXPECT_EQ(struck_by({.kind = FaultKind::errors}).error, Errc::transient_server);
  EXPECT_EQ(struck_by({.kind = FaultKind::model_error}).error, Errc::transient_server);
  EXPECT_EQ(struck_by({.kind = FaultKind::unavailable}).error, Errc::overloaded);
  auto throttled = struck_by({.kind = FaultKind::throttle, .retry_after = std::chrono::seconds(7)});
  EXPECT_EQ(throttled.error, Errc::rate_limited);
  EXPECT_EQ(throttled.retry_after, Duration(std::chrono::seconds(7)));
  auto silent = struck_by({.kind = FaultKind::half_open});
  EXPECT_EQ(silent.error, Errc::timeout);
  EXPECT_EQ(silent.end, Duration(std::chrono::seconds(30)));
  EXPECT_TRUE(struck_by({.kind = FaultKind::poor_quality}).poor);
}

TEST(CloudEndpoint, IsSlowAndLateAsTheFaultSays) {
  auto well = cloud_of(quick_model("m")).begin(ask(1), replay_start);
  auto slow = struck_by({.kind = FaultKind::slow, .factor = 3});
  EXPECT_NEAR(seconds(slow.end), 3 * seconds(well.end), 1e-3);
  auto late = struck_by({.kind = FaultKind::late_first_token, .delay = std::chrono::seconds(4)});
  EXPECT_EQ(late.first_token, well.first_token + std::chrono::seconds(4));
  EXPECT_EQ(late.end - late.first_token, well.end - well.first_token);
  auto too_late = struck_by({.kind = FaultKind::late_first_token, .delay = std::chrono::seconds(70)});
  EXPECT_EQ(too_late.error, Errc::timeout);
  EXPECT_EQ(too_late.first_token, Duration{});
}

TEST(CloudEndpoint, BreaksOffInTheMiddle) {
  auto well = cloud_of(quick_model("m")).begin(ask(1), replay_start);
  for (auto kind : {FaultKind::cut, FaultKind::malformed, FaultKind::truncated}) {
    auto broken = struck_by({.kind = kind});
    EXPECT_EQ(broken.error, Errc::stream_broken);
    EXPECT_EQ(broken.output, 50u);
    EXPECT_LT(broken.end, well.end);
    EXPECT_GT(broken.first_token, Duration{});
  }
  EXPECT_EQ(struck_by({.kind = FaultKind::in_stream_error}).error, Errc::transient_server);
  EXPECT_GT(struck_by({.kind = FaultKind::stall}).end, well.end);
}

TEST(CloudEndpoint, EndsAtTheCallersDeadlineWithoutBlame) {
  auto cloud = cloud_of(quick_model("m"));
  auto hurried = ask(1);
  hurried.deadline = replay_start + milliseconds(600);
  auto fate = cloud.begin(hurried, replay_start);
  EXPECT_EQ(fate.error, Errc::deadline_exceeded);
  EXPECT_EQ(fate.end, milliseconds(600));
  EXPECT_LT(fate.output, 101u);
}

TEST(CloudEndpoint, RemembersPromptsForAWhile) {
  auto cloud = cloud_of(quick_model("m"));
  std::vector<std::uint64_t> blocks{1, 2};
  auto call = ask(1);
  call.input_tokens = 1200;
  call.blocks = blocks;
  EXPECT_EQ(cloud.begin(call, replay_start).cached, 0u);
  auto again = cloud.begin(call, replay_start + std::chrono::minutes(1));
  EXPECT_EQ(again.cached, 1024u);
  EXPECT_EQ(again.input, 176u);
  std::vector<std::uint64_t> other{9, 2};
  call.blocks = other;
  EXPECT_EQ(cloud.begin(call, replay_start + std::chrono::minutes(2)).cached, 0u);
  call.blocks = blocks;
  call.deadline += std::chrono::hours(1);
  EXPECT_EQ(cloud.begin(call, replay_start + std::chrono::minutes(30)).cached, 0u);
}

}  // namespace
}  // namespace troupe::replay
