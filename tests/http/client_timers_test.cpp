// Each timer fires alone and names itself. A header wait that never ends is a known defect of gateways:
// GATEWAYS 13.
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

constexpr Timeouts no_timers{.connect = 0s, .header = 0s, .first_byte = 0s, .idle = 0s, .total = 0s};

struct HttpTimers : ::testing::Test {
  Loop loop;
  Client client{loop, {}};

  // The server says `words` once it has the request, and then nothing more.
  Error time_out(const std::string& words, const Timeouts& timeouts) {
    RawServer server([&](RawConnection& peer, int) {
      peer.read_request();
      peer.write(words);
      peer.read_to_end();
    });
    return ask_and_wait(loop, client, local(server.port()), post_request(), timeouts)->error();
  }
  static Timeouts only(Duration Timeouts::*which) {
    auto timeouts = no_timers;
    timeouts.*which = 50ms;
    return timeouts;
  }
};

TEST_F(HttpTimers, HeaderFiresWhenNoHeadComes) {
  for (std::string words : {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    auto error = time_out(words, only(&Timeouts::header));
    EXPECT_EQ(error.code, Errc::timeout);
    EXPECT_THAT(error.what, StartsWith("header timeout"));
    EXPECT_TRUE(error.maybe_billed);
  }
}

TEST_F(HttpTimers, FirstByteFiresWhenTheHeadIsNotFollowed) {
  auto error = time_out("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", only(&Timeouts::first_byte));
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.what, StartsWith("first_byte timeout"));
}

TEST_F(HttpTimers, IdleFiresWhenTheBodyStalls) {
  auto error = time_out("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", only(&Timeouts::idle));
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.what, StartsWith("idle timeout"));
}

TEST_F(HttpTimers, TotalFiresWhateverElseHappens) {
  auto error = time_out("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", only(&Timeouts::total));
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.what, StartsWith("total timeout"));
}

TEST_F(HttpTimers, ConnectFiresWhenTlsIsNotAnswered) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  auto error =
      ask_and_wait(loop, client, local(server.port(), true), post_request(), only(&Timeouts::connect))
          ->error();
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.what, StartsWith("connect timeout"));
  EXPECT_FALSE(error.maybe_billed);
}

TEST_F(HttpTimers, HeaderFiresWhenThePeerStopsTakingTheRequest) {
  // Nothing is read from the peer until it is all over: the request is far larger than the kernel holds.
  std::promise<void> over;
  RawServer server([&](RawConnection&, int) { over.get_future().wait(); });
  auto error = ask_and_wait(loop, client, local(server.port()), post_request(std::string(32 << 20, 'x')),
                            only(&Timeouts::header))
                   ->error();
  over.set_value();
  EXPECT_THAT(error.what, StartsWith("header timeout"));
}

TEST_F(HttpTimers, TotalCountsWaitingForAConnection) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  Client narrow(loop, {.open_per_origin_max = 1});
  auto first = ask(loop, narrow, local(server.port()), post_request(), no_timers);
  auto second = ask_and_wait(loop, narrow, local(server.port()), post_request(), only(&Timeouts::total));
  EXPECT_THAT(second->error().what, StartsWith("total timeout"));
  EXPECT_FALSE(second->error().maybe_billed);
  on_loop(loop, [&] { return first.exchange->cancel(), 0; });
}

TEST_F(HttpTimers, TheEarliestNamesItself) {
  Timeouts timeouts{.connect = 5s, .header = 80ms, .first_byte = 40ms, .idle = 20ms, .total = 5s};
  EXPECT_THAT(time_out("", timeouts).what, StartsWith("first_byte timeout"));
}

TEST_F(HttpTimers, PassedPhasesDoNotFire) {
  // The body goes on for longer than header and first_byte allow, with pauses shorter than idle's limit.
  std::promise<void> go;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
    go.get_future().wait();
    peer.write("b");
  });
  Timeouts timeouts{.connect = 1s, .header = 5s, .first_byte = 5s, .idle = 10s, .total = 15s};
  timeouts.header = timeouts.first_byte = 100ms;
  auto asked = ask(loop, client, local(server.port()), post_request(), timeouts);
  ASSERT_TRUE(asked.sink->wait_body(1));
  std::promise<void> later;
  std::unique_ptr<Loop::Timer> timer;
  on_loop(loop, [&] {
    timer = loop.after(200ms, [&] { later.set_value(); });
    return 0;
  });
  later.get_future().wait();
  go.set_value();
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_TRUE(asked.sink->succeeded());
  on_loop(loop, [&] { return timer.reset(), 0; });
}

}  // namespace
}  // namespace troupe::http::testing
