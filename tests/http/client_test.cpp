// The client against servers that behave, misbehave and vanish.
#include "runtime/http/client.hpp"

#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::string ok_response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct HttpClient : ::testing::Test {
  Loop loop;
  Client client{loop, {}};

  Client::Stats stats(Client& of) {
    return on_loop(loop, [&] { return of.stats(); });
  }
};

TEST_F(HttpClient, SendsTheRequestAndHearsTheAnswer) {
  std::promise<std::string> got;
  RawServer server([&](RawConnection& peer, int) {
    got.set_value(peer.read_request());
    peer.write("HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nwait");
  });
  auto heard = ask_and_wait(loop, client, local(server.port()), post_request("{\"a\":1}"));
  ASSERT_TRUE(heard->succeeded());
  EXPECT_EQ(heard->head.status, 429);
  EXPECT_EQ(*find_header(heard->head.headers, "retry-after"), "3");
  EXPECT_EQ(heard->body, "wait");
  EXPECT_EQ(heard->ends, 1);
  EXPECT_EQ(got.get_future().get(),
            "POST /v1/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
}

TEST_F(HttpClient, PassesTheBodyOnAsItArrives) {
  std::promise<void> heard_first;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    heard_first.get_future().wait();
    peer.write("6\r\nsecond\r\n0\r\n\r\n");
  });
  auto asked = ask(loop, client, local(server.port()));
  ASSERT_TRUE(asked.sink->wait_body(5));
  heard_first.set_value();
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_TRUE(asked.sink->succeeded());
  EXPECT_EQ(asked.sink->body, "firstsecond");
}

TEST_F(HttpClient, ReadsAResponseSplitAtEveryByte) {
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  RawServer server([&](RawConnection& peer, int) {
    while (!peer.read_request().empty())
      for (char c : text) peer.write({&c, 1});
  });
  for (int i = 0; i < 3; ++i) {
    auto heard = ask_and_wait(loop, client, local(server.port()));
    ASSERT_TRUE(heard->succeeded());
    EXPECT_EQ(heard->body, "abcde");
  }
}

TEST_F(HttpClient, CallsABodyCutShortBroken) {
  for (std::string head :
       {"Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    for (bool reset : {false, true}) {
      std::promise<void> heard_half;
      RawServer server([&](RawConnection& peer, int) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\n" + head);
        heard_half.get_future().wait();
        reset ? peer.reset() : peer.close();
      });
      auto asked = ask(loop, client, local(server.port()));
      ASSERT_TRUE(asked.sink->wait_body(4));
      heard_half.set_value();
      ASSERT_TRUE(asked.sink->wait_end());
      EXPECT_EQ(asked.sink->error().code, Errc::stream_broken);
      EXPECT_TRUE(asked.sink->error().maybe_billed);
      EXPECT_EQ(asked.sink->body, "half");
    }
  }
}

TEST_F(HttpClient, SaysClearlyThatAnAnswerIsNotHttp) {
  RawServer server([](RawConnection& peer, int) {
    peer.write("SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n");
    peer.read_to_end();
  });
  auto error = ask_and_wait(loop, client, local(server.port()))->error();
  EXPECT_EQ(error.code, Errc::transient_server);
  EXPECT_THAT(error.what, HasSubstr("not HTTP"));
  EXPECT_TRUE(error.maybe_billed);
  EXPECT_TRUE(error.counts_for_breaker);
}

TEST_F(HttpClient, CallsABadChunkAfterTheHeadBroken) {
  RawServer server([](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
    peer.read_to_end();
  });
  EXPECT_EQ(ask_and_wait(loop, client, local(server.port()))->error().code, Errc::stream_broken);
}

TEST_F(HttpClient, BoundsHeadAndBody) {
  Client strict(loop, {.head_bytes_max = 1024, .body_bytes_max = 1024});
  auto answer = [&](std::string response) {
    RawServer server([&](RawConnection& peer, int) {
      peer.read_request();
      peer.write(response);
      peer.read_to_end();
    });
    return ask_and_wait(loop, strict, local(server.port()));
  };
  std::string big(2000, 'x');
  EXPECT_TRUE(
      answer("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + std::string(1024, 'x'))->succeeded());
  auto head = answer("HTTP/1.1 200 OK\r\nX: " + big + "\r\n\r\n")->error();
  EXPECT_EQ(head.code, Errc::transient_server);
  EXPECT_FALSE(head.retryable);
  EXPECT_THAT(head.what, HasSubstr("head over 1024 bytes"));
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n" + big)->error().code,
            Errc::stream_broken);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n\r\n" + big)->error().code, Errc::stream_broken);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + big)->error().code,
            Errc::stream_broken);
}

TEST_F(HttpClient, NamesRefusedAndUnresolvedHosts) {
  ClosedPort nobody;
  auto error = ask_and_wait(loop, client, local(nobody.port()))->error();
  EXPECT_EQ(error.code, Errc::transient_server);
  EXPECT_FALSE(error.maybe_billed);
  EXPECT_TRUE(error.counts_for_breaker);
  EXPECT_THAT(error.what, HasSubstr("cannot connect to http://127.0.0.1:"));
  // Too long for any name: refused without asking the network.
  auto unresolved = ask_and_wait(loop, client, {false, std::string(300, 'x'), 80})->error();
  EXPECT_EQ(unresolved.code, Errc::transient_server);
  EXPECT_THAT(unresolved.what, HasSubstr("cannot resolve"));
  EXPECT_EQ(stats(client).open, 0u);
}

TEST_F(HttpClient, ResolvesHostNames) {
  RawServer server([](RawConnection& peer, int) {
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  EXPECT_TRUE(ask_and_wait(loop, client, local(server.port(), false, "localhost"))->succeeded());
}

TEST_F(HttpClient, RefusesARequestItCannotWrite) {
  ClosedPort nobody;
  auto heard = ask_and_wait(loop, client, local(nobody.port()), {"POST", "/", {{"A", "b\r\nC: d"}}, ""});
  EXPECT_EQ(heard->error().code, Errc::invalid_input);
  EXPECT_FALSE(heard->error().maybe_billed);
}

TEST_F(HttpClient, CancelClosesTheConnectionAndSilencesTheBody) {
  std::promise<void> closed;
  RawServer server([&](RawConnection& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n");
    peer.read_to_end();
    closed.set_value();
  });
  auto sink = std::make_shared<Recorder>();
  std::shared_ptr<Exchange> exchange;
  sink->at_body = [&] { exchange->cancel(); };
  on_loop(loop, [&] {
    exchange = client.start(local(server.port()), post_request(), {}, sink);
    return 0;
  });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_EQ(sink->error().code, Errc::cancelled);
  EXPECT_TRUE(sink->error().maybe_billed);
  EXPECT_EQ(sink->pieces, 1);
  closed.get_future().wait();
  on_loop(loop, [&] { return exchange->cancel(), 0; });
  on_loop(loop, [] { return 0; });
  EXPECT_EQ(sink->ends, 1);
}

TEST_F(HttpClient, CancelBeforeSendingWasNotBilled) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  auto sink = std::make_shared<Recorder>();
  on_loop(loop, [&] {
    client.start(local(server.port()), post_request(), {}, sink)->cancel();
    EXPECT_EQ(sink->ends, 0);  // not from within cancel
    return 0;
  });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_FALSE(sink->error().maybe_billed);
}

TEST_F(HttpClient, HearsAnEarlyRefusalOfALongRequest) {
  RawServer server([](RawConnection& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.read_to_end();
  });
  auto heard = ask_and_wait(loop, client, local(server.port()), post_request(std::string(32 << 20, 'x')));
  ASSERT_TRUE(heard->succeeded());
  EXPECT_EQ(heard->head.status, 413);
}

TEST_F(HttpClient, DestroyedWithExchangesRunningCancelsThem) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  auto brief = std::make_unique<Client>(loop, ClientConfig{});
  auto asked = ask(loop, *brief, local(server.port()));
  brief.reset();
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_EQ(asked.sink->error().code, Errc::cancelled);
}

TEST(HttpClientAndLoop, MayBeDestroyedInAnyOrderWithExchangesRunning) {
  RawServer server([](RawConnection& peer, int index) {
    peer.read_request();
    if (index == 0) peer.write(ok_response);
    peer.read_to_end();
  });
  auto loop = std::make_unique<Loop>();
  Client client(*loop, {});
  ask_and_wait(*loop, client, local(server.port()));
  auto pending = ask(*loop, client, local(server.port()));
  auto connecting = ask(*loop, client, local(server.port()));
  auto resolving = ask(*loop, client, local(server.port(), false, "localhost"));
  loop.reset();
  EXPECT_EQ(pending.sink->ends, 0);
  EXPECT_EQ(pending.sink.use_count(), 1);
}

}  // namespace
}  // namespace troupe::http::testing
