// The bodies of node-to-node messages: whole or refused, and open to fields a newer neighbour adds.
#include "actors/wire.hpp"

#include "tests/actors/random_health.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace troupe::actors {
namespace {

CompletionRequest sample_request() {
  CompletionRequest request;
  request.feature = "recap";
  Message message;
  message.parts.emplace_back(TextPart{"hello", true});
  request.messages.push_back(std::move(message));
  return request;
}

RunAttemptBody sample_order() {
  RunAttemptBody body;
  body.id = 7;
  body.endpoint = "a";
  body.cause = Cause::fallback;
  body.time_left = std::chrono::milliseconds(1500);
  body.wants_events = true;
  body.request = sample_request();
  body.boundary = "eu";
  return body;
}

AttemptEndedBody sample_end() {
  AttemptEndedBody body;
  body.id = 9;
  body.result.error = make_error(Errc::stream_broken, "cut");
  body.result.completion.usage = {10, 5, 3};
  body.result.record.endpoint = "a";
  body.result.record.cause = Cause::trickle;
  body.result.record.error = "stream_broken";
  body.result.content_seen = true;
  return body;
}

policy::HealthView sample_health() {
  policy::HealthView view;
  view.endpoint = "a";
  view.version = 12;
  view.state = policy::BreakerState::partial;
  view.reason = policy::TripReason::ramped;
  view.share = 0.25;
  view.ttft_p90 = 1.5;
  view.samples = 40;
  view.cool_until.ms = 1'700'000'000'000;
  view.in_flight = 3;
  view.input_headroom = std::numeric_limits<double>::infinity();
  view.output_headroom = -20;
  view.reachable = false;
  view.proven = true;
  return view;
}

template <class Body>
void expect_only_whole(const Body& body) {
  auto bytes = body_bytes(body);
  auto back = body_from<Body>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(body_bytes(*back), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(body_from<Body>(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(body_from<Body>(bytes + "\xc0"));
}

TEST(Wire, CarriesEveryBodyWholeOrNotAtAll) {
  expect_only_whole(sample_order());
  expect_only_whole(CancelAttemptBody{7});
  expect_only_whole(AttemptEventsBody{7, {StreamStarted{"m"}, TextDelta{"hi"}, StreamStopped{}}});
  expect_only_whole(sample_end());
  expect_only_whole(AskBody{1, "runs.list", "{}"});
  expect_only_whole(ToldBody{1, std::string("[]")});
  expect_only_whole(ToldBody{1, fail(Errc::not_found, "no such run")});
  expect_only_whole(sample_health());
}

TEST(Wire, KeepsWhatAnAttemptsEndSays) {
  auto back = body_from<AttemptEndedBody>(body_bytes(sample_end()));
  ASSERT_TRUE(back);
  ASSERT_TRUE(back->result.error);
  EXPECT_EQ(back->result.error->code, Errc::stream_broken);
  EXPECT_TRUE(back->result.error->counts_for_breaker);
  EXPECT_TRUE(back->result.content_seen);
  EXPECT_EQ(back->result.record.cause, Cause::trickle);
  EXPECT_EQ(back->result.completion.usage, (Usage{10, 5, 3}));
}

TEST(Wire, KeepsWhatHealthSays) {
  auto back = body_from<policy::HealthView>(body_bytes(sample_health()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->state, policy::BreakerState::partial);
  EXPECT_EQ(back->share, 0.25);
  EXPECT_TRUE(std::isinf(back->input_headroom));
  EXPECT_EQ(back->output_headroom, -20);
  EXPECT_FALSE(back->reachable);
  EXPECT_TRUE(back->proven);
}

TEST(Wire, CarriesEveryMemberOfHealth) {
  Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    auto view = testing::random_health(rng);
    auto back = body_from<policy::HealthView>(body_bytes(view));
    ASSERT_TRUE(back);
    EXPECT_EQ(testing::members_of(*back), testing::members_of(view));
  }
}

TEST(Wire, ReadsHealthOfTheVersionBeforeWhichDoesNotSayWhatIsSlow) {
  Rng rng(4);
  auto view = testing::random_health(rng);
  auto bytes = body_bytes(view);
  ASSERT_EQ(bytes[2], 28);  // an array of so many
  bytes[2] = 27;
  bytes.resize(bytes.size() - 9);  // the real at its end
  auto back = body_from<policy::HealthView>(bytes);
  ASSERT_TRUE(back);
  view.ttft_slow = 0;
  EXPECT_EQ(testing::members_of(*back), testing::members_of(view));
}

TEST(Wire, IgnoresFieldsANewerNeighbourAdds) {
  auto bytes = body_bytes(CancelAttemptBody{7});
  bytes[0] = static_cast<char>(0x92);  // an array of two
  bytes += "\xa3new";
  auto back = body_from<CancelAttemptBody>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, 7u);
}

TEST(Wire, ReadsAnOrderOfTheVersionBeforeWhichSaysNothingOfABoundary) {
  auto order = sample_order();
  EXPECT_EQ(body_from<RunAttemptBody>(body_bytes(order))->boundary, "eu");  // D11
  order.boundary.clear();
  auto bytes = body_bytes(order);
  bytes[0] = static_cast<char>(0x96);  // an array of six
  bytes.pop_back();                    // the empty text at its end
  auto back = body_from<RunAttemptBody>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->request, order.request);
  EXPECT_EQ(back->boundary, "");
}

TEST(Wire, RefusesNamesOfThingsThatDoNotExist) {
  auto order = sample_order();
  order.cause = static_cast<Cause>(99);
  EXPECT_FALSE(body_from<RunAttemptBody>(body_bytes(order)));
  auto health = sample_health();
  health.state = static_cast<policy::BreakerState>(9);
  EXPECT_FALSE(body_from<policy::HealthView>(body_bytes(health)));
  health = sample_health();
  health.reason = static_cast<policy::TripReason>(99);
  EXPECT_FALSE(body_from<policy::HealthView>(body_bytes(health)));
}

TEST(Wire, RefusesFiguresThatAreNoNumbers) {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0}) {
    auto health = sample_health();
    health.total_p50 = bad;
    EXPECT_FALSE(body_from<policy::HealthView>(body_bytes(health))) << bad;
  }
  auto health = sample_health();
  health.input_headroom = std::nan("");
  EXPECT_FALSE(body_from<policy::HealthView>(body_bytes(health)));
}

TEST(Wire, BoundsTheTimeAPeerMayAskFor) {
  auto order = sample_order();
  order.time_left = std::chrono::hours(1000);
  EXPECT_EQ(body_from<RunAttemptBody>(body_bytes(order))->time_left, Duration(std::chrono::hours(24)));
  order.time_left = -std::chrono::hours(1);
  EXPECT_EQ(body_from<RunAttemptBody>(body_bytes(order))->time_left, Duration::zero());
}

TEST(Wire, RefusesMoreEventsThanItsBytesCouldHold) {
  protocol::Writer writer;
  writer.array(2);
  writer.unsigned_integer(1);
  auto bytes = std::move(writer).take() + "\xdd\xff\xff\xff\xff";
  EXPECT_FALSE(body_from<AttemptEventsBody>(bytes));
}

}  // namespace
}  // namespace troupe::actors
