// The simulated clouds over real sockets on loopback.
#include "providers/simulator/server.hpp"

#include "providers/dialect.hpp"
#include "runtime/http/client.hpp"
#include "runtime/json/json.hpp"

#include <gtest/gtest.h>

#include <future>

namespace troupe::providers::simulator {
namespace {

struct Ended {
  int status = 0;
  std::string body;
  Result<void> end;
};

class CollectingSink final : public http::ExchangeSink {
 public:
  void on_head(const http::ResponseHead& head) override { ended_.status = head.status; }
  void on_body(std::string_view bytes) override { ended_.body += bytes; }
  void on_end(Result<void> end) override {
    ended_.end = std::move(end);
    done.set_value(std::move(ended_));
  }
  std::promise<Ended> done;

 private:
  Ended ended_;
};

class SimulatorServerTest : public ::testing::Test {
 protected:
  void start(std::vector<config::Fault> faults) {
    config::SimulatedEndpoint endpoint;
    endpoint.name = "one";
    endpoint.faults = std::move(faults);
    auto server =
        SimulatorServer::start(loop_, system_clock(), {.scale = 0, .endpoints = {std::move(endpoint)}});
    ASSERT_TRUE(server) << server.error().what;
    server_ = std::move(*server);
    client_ = std::make_unique<http::Client>(loop_, http::ClientConfig{});
  }
  void TearDown() override {
    std::promise<void> gone;
    loop_.post([&] {
      client_.reset();
      gone.set_value();
    });
    gone.get_future().wait();
    server_.reset();
    loop_.stop();
  }
  Ended fetch(http::Request request, Duration idle = std::chrono::seconds(20)) {
    auto sink = std::make_shared<CollectingSink>();
    auto done = sink->done.get_future();
    loop_.post([this, sink, request = std::move(request), idle] {
      http::Timeouts timeouts;
      timeouts.idle = idle;
      client_->start(server_->origin(), request, timeouts, sink);
    });
    return done.get();
  }
  http::Request question() const {
    CompletionRequest request;
    Message message;
    message.parts.push_back(TextPart{.text = "[m1] ann: the release moves to Monday because of the audit\n"});
    request.messages.push_back(std::move(message));
    Target target{.model = "m", .base_path = "/one/v1", .host = "127.0.0.1"};
    auto encoded = find_dialect("openai")->encode(request, target);
    return encoded ? *encoded : http::Request{};
  }

  http::Loop loop_;
  std::unique_ptr<SimulatorServer> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(SimulatorServerTest, StreamsAnAnswerOverTheWireAndCountsIt) {
  start({});
  auto ended = fetch(question());
  EXPECT_EQ(ended.status, 200);
  ASSERT_TRUE(ended.end) << ended.end.error().what;
  auto decoder = find_dialect("openai")->stream_decoder();
  std::vector<StreamEvent> events;
  ASSERT_TRUE(decoder->feed(ended.body, events));
  EXPECT_TRUE(decoder->finish(events));
  EXPECT_GE(events.size(), 4u);
  auto stats = parse_json(fetch({.method = "GET", .target = "/control/stats"}).body);
  ASSERT_TRUE(stats);
  EXPECT_EQ((*stats)["endpoints"]["one"]["calls"], 1);
  EXPECT_EQ((*stats)["in_flight"], 0);
}

TEST_F(SimulatorServerTest, ClosesTheConnectionWhenDown) {
  start({{.kind = config::FaultKind::down}});
  auto ended = fetch(question());
  EXPECT_EQ(ended.status, 0);
  EXPECT_FALSE(ended.end);
}

TEST_F(SimulatorServerTest, CutsInTheMiddle) {
  start({{.kind = config::FaultKind::cut}});
  auto ended = fetch(question());
  EXPECT_EQ(ended.status, 200);
  ASSERT_FALSE(ended.end);
  EXPECT_EQ(ended.end.error().code, Errc::stream_broken);
}

TEST_F(SimulatorServerTest, StallsUntilTheClientLeavesAndThenFreesItsPlace) {
  start({{.kind = config::FaultKind::stall}});
  auto ended = fetch(question(), std::chrono::milliseconds(200));
  ASSERT_FALSE(ended.end);
  EXPECT_EQ(ended.end.error().code, Errc::timeout);
  EXPECT_FALSE(ended.body.empty());
  // The server hears of the closed connection some moments later.
  for (int i = 0; i < 1000; ++i) {
    auto stats = parse_json(fetch({.method = "GET", .target = "/control/stats"}).body);
    ASSERT_TRUE(stats);
    if ((*stats)["in_flight"] == 0) return;
  }
  FAIL() << "the stalled call still holds its place";
}

TEST_F(SimulatorServerTest, EndsCleanlyWhileAnswersAreOnTheirWay) {
  start({{.kind = config::FaultKind::late_first_token, .delay = std::chrono::hours(1)}});
  auto sink = std::make_shared<CollectingSink>();
  auto done = sink->done.get_future();
  loop_.post([&] { client_->start(server_->origin(), question(), {}, sink); });
  fetch({.method = "GET", .target = "/control/stats"});
  server_.reset();
  EXPECT_FALSE(done.get().end);
}

TEST(ReadListenAddress, TakesHostAndPortOnly) {
  EXPECT_EQ(read_listen_address("127.0.0.1:80")->port, 80);
  EXPECT_EQ(read_listen_address("[::1]:0")->host, "::1");
  for (const char* text : {"", ":", "host", "host:", ":80", "host:99999", "host:8x"}) {
    EXPECT_FALSE(read_listen_address(text)) << text;
  }
}

}  // namespace
}  // namespace troupe::providers::simulator
