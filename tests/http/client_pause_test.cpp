// Back-pressure: a paused exchange stops the peer's sending, and loses nothing.
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

// Compares a body that is too large to keep with the one expected.
struct Counting final : ExchangeSink {
  explicit Counting(std::string_view of) : expected(of) {}
  const std::string_view expected;
  std::atomic<std::size_t> bytes = 0;
  std::atomic<bool> wrong = false;
  std::promise<Result<void>> ended;
  std::function<void()> at_body;

  void on_head(const ResponseHead&) override {}
  void on_body(std::string_view piece) override {
    if (expected.substr(bytes, piece.size()) != piece) wrong = true;
    bytes += piece.size();
    if (at_body) at_body();
  }
  void on_end(Result<void> result) override { ended.set_value(std::move(result)); }
};

struct HttpPause : ::testing::Test {
  Loop loop;
  Client client{loop, {}};

  template <class Act>
  void act(Act work) {
    on_loop(loop, [&] { return work(), 0; });
  }
};

TEST_F(HttpPause, StopsASixtyFourMegabyteAnswerAndThenDeliversAllOfIt) {
  constexpr std::size_t size = 64 << 20;
  // Its pieces differ, so that one lost or swapped is seen.
  std::string body;
  for (int i = 0; body.size() < size; ++i) body += std::to_string(i) + std::string(4000, 'x');
  body.resize(size);
  std::promise<std::size_t> stalled;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    auto taken = peer.write_until_stalled(body, 300ms);
    stalled.set_value(taken);
    peer.write(std::string_view(body).substr(taken));
  });
  auto sink = std::make_shared<Counting>(body);
  std::shared_ptr<Exchange> exchange;
  sink->at_body = [&] {
    exchange->pause();
    exchange->pause();
  };
  // Far shorter than the pause: neither timer counts it.
  Timeouts timeouts{.header = 100ms, .first_byte = 100ms, .idle = 100ms};
  act([&] { exchange = client.start(local(server.port()), post_request(), timeouts, sink); });
  auto taken = stalled.get_future().get();
  EXPECT_LT(taken, size) << "the server was never held up";
  EXPECT_LE(sink->bytes, 64u * 1024) << "no more than what was read at once is delivered";
  EXPECT_GT(sink->bytes, 0u);
  act([&] {
    sink->at_body = {};
    exchange->resume();
    exchange->resume();
  });
  auto ended = sink->ended.get_future();
  ASSERT_EQ(ended.wait_for(patience), std::future_status::ready);
  EXPECT_TRUE(ended.get());
  EXPECT_EQ(sink->bytes, size);
  EXPECT_FALSE(sink->wrong);
}

TEST_F(HttpPause, PausingAtEveryPieceLosesNothing) {
  std::string body, expected;
  for (int i = 0; i < 200; ++i) {
    std::string piece(1 + i * 37 % 900, static_cast<char>('a' + i % 26));
    body += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    expected += piece;
  }
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write(chunked_head + body + "0\r\n\r\n");
    // The end of the connection comes while it is paused.
    peer.close();
  });
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  sink->at_body = [&] {
    exchange->pause();
    loop.post([&] { exchange->resume(); });
  };
  act([&] { exchange = client.start(local(server.port()), post_request(), {}, sink); });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_TRUE(sink->succeeded()) << sink->error().what;
  EXPECT_EQ(sink->body, expected);
}

TEST_F(HttpPause, AnExchangePausedFromTheStartHearsNothingUntilResumed) {
  std::promise<void> answered;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    answered.set_value();
    peer.read_to_end();
  });
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  act([&] {
    exchange = client.start(local(server.port()), post_request(), {.header = 50ms, .first_byte = 50ms}, sink);
    exchange->pause();
  });
  answered.get_future().wait();
  // The timers that must not fire would have by the time this one has.
  std::promise<void> later;
  std::unique_ptr<Loop::Timer> timer;
  act([&] { timer = loop.after(150ms, [&] { later.set_value(); }); });
  later.get_future().wait();
  act([&] {
    EXPECT_EQ(sink->heads, 0);
    EXPECT_EQ(sink->ends, 0);
    timer.reset();
    exchange->resume();
  });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_TRUE(sink->succeeded()) << sink->error().what;
  EXPECT_EQ(sink->body, "ok");
}

TEST_F(HttpPause, TheIdleTimerRunsAgainAfterResume) {
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write(chunked_head + "1\r\na\r\n");
    peer.read_to_end();
  });
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  sink->at_body = [&] {
    exchange->pause();
    loop.post([&] { exchange->resume(); });
  };
  act([&] { exchange = client.start(local(server.port()), post_request(), {.idle = 50ms}, sink); });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_EQ(sink->error().code, Errc::timeout);
}

TEST_F(HttpPause, TotalFiresWhilePaused) {
  RawServer server([&](RawConnection& peer, int) { peer.read_to_end(); });
  auto sink = std::make_shared<Recorder>();
  act([&] { client.start(local(server.port()), post_request(), {.total = 50ms}, sink)->pause(); });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_THAT(sink->error().what, ::testing::StartsWith("total timeout"));
}

TEST_F(HttpPause, CancelWorksWhilePaused) {
  std::promise<void> closed;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write(chunked_head + "1\r\na\r\n");
    peer.read_to_end();
    closed.set_value();
  });
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  sink->at_body = [&] { exchange->pause(); };
  act([&] { exchange = client.start(local(server.port()), post_request(), {}, sink); });
  ASSERT_TRUE(sink->wait_body(1));
  act([&] {
    exchange->cancel();
    exchange->resume();
    exchange->pause();
  });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_EQ(sink->error().code, Errc::cancelled);
  EXPECT_EQ(closed.get_future().wait_for(patience), std::future_status::ready);
}

TEST_F(HttpPause, APausedRequestIsStillSentAgainWhenItsReusedConnectionWasDead) {
  RawServer server([&](RawConnection& peer, int index) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (index > 0) return (void)peer.read_to_end();
    peer.read_request();
    peer.reset();
  });
  ASSERT_TRUE(ask_and_wait(loop, client, local(server.port()))->succeeded());
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  act([&] {
    exchange = client.start(local(server.port()), post_request(), {}, sink);
    exchange->pause();
  });
  act([&] { exchange->resume(); });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_TRUE(sink->succeeded()) << sink->error().what;
}

}  // namespace
}  // namespace troupe::http::testing
