// The server against clients that behave, misbehave and vanish.
#include "runtime/http/server.hpp"

#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void echo(const Request& request, std::shared_ptr<Responder> responder) {
  responder->send({200, {{"X-Target", request.target}}, request.method + " " + request.body});
}

struct HttpServer : ::testing::Test {
  Loop loop;
  Client client{loop, {}};

  std::unique_ptr<Server> serve(RequestHandler handler, ServerConfig config = {}) {
    auto server = Server::listen(loop, std::move(config), std::move(handler));
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  // What a raw client hears, until the server closes, when it says this.
  std::string hear(const Server& server, const std::string& words) {
    auto peer = RawConnection::connect(server.port());
    peer->write(words);
    return peer->read_to_end();
  }
};

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  auto server = serve(echo);
  for (int i = 0; i < 3; ++i) {
    auto heard = ask_and_wait(loop, client, local(server->port()), post_request("hello"));
    ASSERT_TRUE(heard->succeeded()) << heard->error().what;
    EXPECT_EQ(heard->body, "POST hello");
    EXPECT_EQ(*find_header(heard->head.headers, "x-target"), "/v1/x?y=1");
  }
  EXPECT_EQ(on_loop(loop, [&] { return client.stats().opened_total; }), 1u);
}

TEST_F(HttpServer, StreamsChunksAsTheyAreWritten) {
  std::shared_ptr<Responder> held;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {{"Content-Type", "text/event-stream"}}});
    responder->write("one");
    held = std::move(responder);
  });
  auto asked = ask(loop, client, local(server->port()));
  ASSERT_TRUE(asked.sink->wait_body(3));
  on_loop(loop, [&] {
    held->write("");  // must not end the body
    held->write("two");
    held->finish(Ending::complete);
    held->finish(Ending::cut);  // too late to matter
    held.reset();
    return 0;
  });
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_TRUE(asked.sink->succeeded());
  EXPECT_EQ(asked.sink->body, "onetwo");
  EXPECT_EQ(on_loop(loop, [&] { return client.stats().idle; }), 1u);
}

TEST_F(HttpServer, CutMakesTheClientSeeAnError) {
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write("half");
    responder->finish(Ending::cut);
  });
  auto heard = ask_and_wait(loop, client, local(server->port()));
  EXPECT_FALSE(heard->succeeded());
  EXPECT_TRUE(heard->error().maybe_billed);
  auto peer = RawConnection::connect(server->port());
  peer->write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  peer->read_to_end();
  EXPECT_TRUE(peer->was_reset());
}

TEST_F(HttpServer, CutWithoutAHeadIsAnErrorToo) {
  auto server =
      serve([&](const Request&, std::shared_ptr<Responder> responder) { responder->finish(Ending::cut); });
  EXPECT_EQ(ask_and_wait(loop, client, local(server->port()))->error().code, Errc::transient_server);
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  std::vector<std::shared_ptr<Responder>> waiting;
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/1") {
      waiting.push_back(std::move(responder));
      loop.post([&] { std::exchange(waiting, {})[0]->send({200, {}, "first"}); });
    } else {
      responder->send({200, {}, "later"});
    }
  });
  auto heard = hear(*server,
                    "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                    "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /4 HTTP/1.1\r\n");
  std::string one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(heard, one + "first" + one + "later" +
                       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlater");
}

TEST_F(HttpServer, SurvivesMorePipeliningThanItHolds) {
  auto server = serve(echo);
  std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'),
              all;
  for (int i = 0; i < 300; ++i) all += request;
  auto peer = RawConnection::connect(server->port());
  std::thread writer(
      [&] { peer->write(all + "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); });
  auto heard = peer->read_to_end();
  writer.join();
  EXPECT_THAT(heard, HasSubstr("X-Target: /last"));
}

TEST_F(HttpServer, RefusesMalformedRequestsWith400AndCloses) {
  std::atomic<int> handled = 0;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    ++handled;
    responder->send({200, {}, ""});
  });
  for (std::string words :
       {"garbage\r\n\r\n", "\x16\x03\x01 tls hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    auto heard = hear(*server, words);
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 400 ")) << words;
    EXPECT_THAT(heard, HasSubstr("Connection: close"));
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServer, RefusesWhatIsTooLargeAndTheClientGetsToReadWhy) {
  auto server = serve(echo, {.head_bytes_max = 1024, .body_bytes_max = 1024});
  std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_THAT(
      hear(*server, post + "Connection: close\r\nContent-Length: 1024\r\n\r\n" + std::string(1024, 'x')),
      StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(hear(*server, post + "Content-Length: 1025\r\n\r\n" + std::string(1025, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(hear(*server, post + "Transfer-Encoding: chunked\r\n\r\n401\r\n" + std::string(500, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(hear(*server, post + "X: " + std::string(200000, 'x')), StartsWith("HTTP/1.1 431 "));
  auto heard = ask_and_wait(loop, client, local(server->port()), post_request(std::string(3 << 20, 'x')));
  ASSERT_TRUE(heard->succeeded()) << heard->error().what;
  EXPECT_EQ(heard->head.status, 413);
}

TEST_F(HttpServer, TellsTheClientToGoOnWhenItAsks) {
  auto server = serve(echo);
  auto peer = RawConnection::connect(server->port());
  peer->write(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(peer->read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer->write("ab");
  EXPECT_THAT(peer->read_to_end(), EndsWith("POST ab"));
}

TEST_F(HttpServer, NoticesThatTheClientHasGone) {
  std::promise<void> handling, gone;
  std::shared_ptr<Responder> held;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    held = responder;
    responder->begin({200, {}});
    responder->write("half");
    responder->on_gone([&] { gone.set_value(); });
    handling.set_value();
  });
  auto peer = RawConnection::connect(server->port());
  peer->write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  handling.get_future().wait();
  EXPECT_FALSE(on_loop(loop, [&] { return held->gone(); }));
  peer->close();
  ASSERT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
  on_loop(loop, [&] {
    EXPECT_TRUE(held->gone());
    int late = 0;
    held->on_gone([&] { ++late; });
    EXPECT_EQ(late, 1);
    held->write("into the void");
    held->finish(Ending::complete);
    held.reset();
    return 0;
  });
}

TEST_F(HttpServer, DoesNotCallAFinishedResponseGone) {
  std::atomic<int> gone = 0;
  std::shared_ptr<Responder> held;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->on_gone([&] { ++gone; });
    responder->send({200, {}, "done"});
    held = std::move(responder);
  });
  hear(*server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  on_loop(loop, [&] { return held.reset(), 0; });
  EXPECT_EQ(gone, 0);
}

TEST_F(HttpServer, AnswersForAResponderThatIsDropped) {
  auto server = serve([](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/begun") responder->begin({200, {}});
  });
  auto silent = ask_and_wait(loop, client, local(server->port()));
  EXPECT_EQ(silent->head.status, 500);
  auto begun = ask_and_wait(loop, client, local(server->port()), {"GET", "/begun", {}, ""});
  EXPECT_FALSE(begun->succeeded());
}

TEST_F(HttpServer, SendsNo500HeadersOfAnHandlersMaking) {
  auto server = serve([](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/begin") {
      responder->begin({200, {{"A", "b\r\nForged: 1"}}});
      responder->write("x");
      return responder->finish(Ending::complete);
    }
    responder->send({200, {{"A", "b\r\nForged: 1"}}, "x"});
  });
  for (std::string target : {"/begin", "/send"}) {
    auto heard = ask_and_wait(loop, client, local(server->port()), {"GET", target, {}, ""});
    EXPECT_TRUE(heard->succeeded());
    EXPECT_EQ(heard->head.status, 500);
    EXPECT_FALSE(find_header(heard->head.headers, "forged"));
  }
}

TEST_F(HttpServer, SendsNoBodyToHeadAnd204) {
  auto server = serve([](const Request& request, std::shared_ptr<Responder> responder) {
    responder->send({request.target == "/none" ? 204 : 200, {}, "body"});
  });
  EXPECT_EQ(
      hear(*server,
           "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST_F(HttpServer, StreamsToOldClientsUntilTheEnd) {
  auto server = serve([](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write("plain");
    responder->finish(Ending::complete);
  });
  EXPECT_EQ(hear(*server, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nplain");
}

TEST_F(HttpServer, ClosesConnectionsThatSendTooSlowly) {
  auto server = serve(echo, {.idle_age_max = 30ms});
  EXPECT_EQ(hear(*server, ""), "");
  EXPECT_EQ(hear(*server, "GET / HTTP/1.1\r\nHo"), "");
}

TEST_F(HttpServer, ResetsAClientThatDoesNotRead) {
  std::promise<void> gone;
  std::shared_ptr<Responder> held;
  auto server = serve(
      [&](const Request&, std::shared_ptr<Responder> responder) {
        held = responder;
        responder->on_gone([&] { gone.set_value(); });
        responder->begin({200, {}});
        std::string megabyte(1 << 20, 'x');
        for (int i = 0; i < 64 && !responder->gone(); ++i) responder->write(megabyte);
      },
      {.unsent_bytes_max = 4 << 20});
  auto peer = RawConnection::connect(server->port());
  peer->write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
  on_loop(loop, [&] { return held.reset(), 0; });
}

TEST_F(HttpServer, LeavesConnectionsBeyondItsLimitWaiting) {
  auto server = serve(echo, {.connections_max = 1});
  auto first = RawConnection::connect(server->port());
  first->write("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first->read_until("GET "), HasSubstr("/1"));
  auto second = RawConnection::connect(server->port());
  second->write("GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  // The first is still served, and the second only when the first has gone.
  first->write("GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first->read_until("GET "), HasSubstr("/3"));
  first->close();
  EXPECT_THAT(second->read_to_end(), HasSubstr("/2"));
}

TEST_F(HttpServer, ServesAThousandExchangesAtOnce) {
  std::vector<std::shared_ptr<Responder>> held;
  constexpr std::size_t many = 1000;
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write(request.body);
    held.push_back(std::move(responder));
    // Only when all are under way does any end: they truly run at once.
    if (held.size() < many) return;
    for (auto& one : held) one->finish(Ending::complete);
    held.clear();
  });
  std::vector<std::shared_ptr<Recorder>> sinks;
  for (std::size_t i = 0; i < many; ++i) sinks.push_back(std::make_shared<Recorder>());
  on_loop(loop, [&] {
    for (std::size_t i = 0; i < many; ++i)
      client.start(local(server->port()), post_request(std::to_string(i)), {}, sinks[i]);
    return 0;
  });
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(sinks[i]->wait_end());
    ASSERT_TRUE(sinks[i]->succeeded()) << sinks[i]->error().what;
    EXPECT_EQ(sinks[i]->body, std::to_string(i));
  }
  EXPECT_EQ(on_loop(loop, [&] { return client.stats().idle; }), 64u);
}

TEST_F(HttpServer, FailsToListenWithAReason) {
  auto server = serve(echo);
  auto taken = Server::listen(loop, {.port = server->port()}, echo);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::bad_config);
  EXPECT_THAT(taken.error().what, HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_FALSE(Server::listen(loop, {.certificate_file = "only.pem"}, echo));
  auto missing = Server::listen(loop, {.certificate_file = "/none.pem", .key_file = "/none.key"}, echo);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().what, HasSubstr("/none.pem"));
}

TEST_F(HttpServer, GoesDownWithResponsesPending) {
  std::promise<void> handling;
  std::shared_ptr<Responder> held;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->on_gone([responder] { FAIL(); });
    held = std::move(responder);
    handling.set_value();
  });
  auto asked = ask(loop, client, local(server->port()));
  handling.get_future().wait();
  server.reset();
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_EQ(asked.sink->error().code, Errc::transient_server);
  on_loop(loop, [&] {
    held->send({200, {}, ""});
    return held.reset(), 0;
  });
}

TEST(HttpServerAndLoop, MayBeDestroyedInAnyOrder) {
  auto loop = std::make_unique<Loop>();
  std::promise<void> handling;
  auto server = Server::listen(*loop, {}, [&](const Request&, std::shared_ptr<Responder> responder) {
    responder->on_gone([responder] {});
    handling.set_value();
  });
  Client client(*loop, {});
  auto asked = ask(*loop, client, local((*server)->port()));
  handling.get_future().wait();
  loop.reset();
  server->reset();
  EXPECT_EQ(asked.sink->ends, 0);
}

}  // namespace
}  // namespace troupe::http::testing
