// The server's plain port spoken to in HTTP/2 with prior knowledge, by clients good and bad.
#include "tests/http/support/h2_fixture.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/h2_session.hpp"
#include "runtime/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Http2Server : Http2Test {};

TEST_F(Http2Server, AnswersOnTheSamePortAsHttp1) {
  auto server = serve(echo);
  H2Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    auto stream = client.ask(post_request("hello"));
    ASSERT_TRUE(client.run_until_closed(stream));
    auto& heard = client.heard(stream);
    EXPECT_EQ(heard.status, 200);
    EXPECT_EQ(heard.error, no_error);
    EXPECT_EQ(heard.body, "POST hello");
    EXPECT_EQ(text_of(heard, "x-target"), "/v1/x?y=1");
    EXPECT_EQ(text_of(heard, "x-host"), "model.example:8080");
    EXPECT_EQ(text_of(heard, "content-length"), "10");
    EXPECT_EQ(text_of(heard, "connection"), "");
  }
  Client http1(loop, {});
  EXPECT_EQ(ask_and_wait(loop, http1, local(server->port()), post_request("old"))->body, "POST old");
}

TEST_F(Http2Server, TellsTheProtocolsApartByteByByte) {
  auto server = serve(echo);
  auto peer = RawConnection::connect(server->port());
  for (char c : std::string(h2_preface) + std::string("\0\0\0\x4\0\0\0\0\0", 9)) peer->write({&c, 1});
  auto settings = peer->read_some();
  ASSERT_GE(settings.size(), 9u);
  EXPECT_EQ(settings[3], 4) << "a SETTINGS frame comes first";
  for (std::string method : {"POST", "PRI", "P"}) {
    auto old = RawConnection::connect(server->port());
    for (char c : method + " /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") old->write({&c, 1});
    EXPECT_THAT(old->read_to_end(), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(Http2Server, StreamsAndInterleaves) {
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {{"Content-Type", "text/event-stream"}}});
    responder->write("one");
    held.push_back(std::move(responder));
  });
  H2Client client(server->port());
  auto first = client.ask(post_request()), second = client.ask(post_request());
  ASSERT_TRUE(client.run_until(
      [&] { return client.heard(first).body == "one" && client.heard(second).body == "one"; }));
  on_loop(loop, [&] {
    held[1]->write("");
    held[1]->write("two");
    held[1]->finish(Ending::complete);
    held[1]->finish(Ending::cut);  // too late to matter
    EXPECT_FALSE(held[1]->gone());
    return 0;
  });
  ASSERT_TRUE(client.run_until_closed(second));
  EXPECT_EQ(client.heard(second).body, "onetwo");
  EXPECT_EQ(client.heard(second).error, no_error);
  EXPECT_FALSE(client.heard(first).closed);
  on_loop(loop, [&] { return held[0]->finish(Ending::complete), 0; });
  ASSERT_TRUE(client.run_until_closed(first));
  EXPECT_EQ(client.heard(first).body, "one");
}

TEST_F(Http2Server, CutResetsTheStreamAloneAfterWhatWasWritten) {
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/whole") return responder->send({200, {}, "whole"});
    if (request.target == "/refuse") return responder->finish(Ending::cut);
    responder->begin({200, {}});
    responder->write("half");
    responder->finish(Ending::cut);
  });
  H2Client client(server->port());
  auto half = client.ask(post_request()), refused = client.ask({"GET", "/refuse", {}, ""});
  ASSERT_TRUE(client.run_until_closed(half));
  ASSERT_TRUE(client.run_until_closed(refused));
  EXPECT_EQ(client.heard(half).body, "half");
  EXPECT_EQ(client.heard(half).error, internal_error);
  EXPECT_EQ(client.heard(refused).status, 0);
  EXPECT_EQ(client.heard(refused).error, internal_error);
  auto whole = client.ask({"GET", "/whole", {}, ""});
  ASSERT_TRUE(client.run_until_closed(whole));
  EXPECT_EQ(client.heard(whole).body, "whole");
}

TEST_F(Http2Server, AnswersForAResponderThatIsDropped) {
  auto server = serve([](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/begun") responder->begin({200, {}});
  });
  H2Client client(server->port());
  auto silent = client.ask(post_request()), begun = client.ask({"GET", "/begun", {}, ""});
  ASSERT_TRUE(client.run_until_closed(silent) && client.run_until_closed(begun));
  EXPECT_EQ(client.heard(silent).status, 500);
  EXPECT_EQ(client.heard(begun).error, internal_error);
}

TEST_F(Http2Server, SendsNo500HeadersOfAHandlersMakingAndNoBodyWhereNoneMayBe) {
  auto server = serve([](const Request& request, std::shared_ptr<Responder> responder) {
    Headers forged{{"A", "b\r\nForged: 1"}};
    if (request.target == "/forged") return responder->send({200, forged, "x"});
    if (request.target == "/none") return responder->send({204, {}, "body"});
    if (request.target == "/send") return responder->send({200, {}, "body"});
    responder->begin({200, {}});
    responder->write("body");
    responder->finish(Ending::complete);
  });
  H2Client client(server->port());
  auto ask = [&](std::string method, std::string target) {
    auto stream = client.ask({std::move(method), std::move(target), {}, ""});
    EXPECT_TRUE(client.run_until_closed(stream));
    return client.heard(stream);
  };
  EXPECT_EQ(ask("GET", "/forged").status, 500);
  EXPECT_EQ(ask("GET", "/none").status, 204);
  EXPECT_EQ(ask("GET", "/none").body, "");
  EXPECT_EQ(ask("HEAD", "/send").body, "");
  EXPECT_EQ(text_of(ask("HEAD", "/send"), "content-length"), "4");
  EXPECT_EQ(ask("HEAD", "/begin").body, "");
  EXPECT_EQ(ask("GET", "/begin").body, "body");
}

TEST_F(Http2Server, ServesItsStreamLimitAtOnceAndTheRestAfter) {
  constexpr std::size_t limit = 256, many = 300;
  std::atomic<std::size_t> waiting = 0, most = 0;
  bool open = false;
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write(request.body);
    held.push_back(std::move(responder));
    most = std::max<std::size_t>(most, ++waiting);
    if (waiting == limit) open = true;
    if (!open) return;
    for (auto& one : held) one->finish(Ending::complete);
    waiting -= held.size();
    held.clear();
  });
  H2Client client(server->port());
  std::vector<std::int32_t> streams;
  for (std::size_t i = 0; i < many; ++i) streams.push_back(client.ask(post_request(std::to_string(i))));
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(client.run_until_closed(streams[i]));
    EXPECT_EQ(client.heard(streams[i]).body, std::to_string(i));
  }
  EXPECT_EQ(most, limit);
}

TEST_F(Http2Server, TellsTheClientToGoOnWhenItAsks) {
  auto server = serve(echo);
  H2Client client(server->port());
  auto request = post_request("body");
  request.headers.emplace_back("expect", "100-continue");
  auto stream = client.ask(request);
  ASSERT_TRUE(client.run_until_closed(stream));
  EXPECT_EQ(client.heard(stream).informational, 1);
  EXPECT_EQ(client.heard(stream).body, "POST body");
}

TEST_F(Http2Server, NoticesACancelledStreamAndAGoneClient) {
  std::promise<void> cancelled, gone;
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    responder->on_gone(
        [&, first = request.target == "/1"] { first ? cancelled.set_value() : gone.set_value(); });
    responder->begin({200, {}});
    responder->write("half");
    held.push_back(std::move(responder));
  });
  auto client = std::make_unique<H2Client>(server->port());
  auto one = client->ask({"GET", "/1", {}, ""}), two = client->ask({"GET", "/2", {}, ""});
  ASSERT_TRUE(client->run_until(
      [&] { return client->heard(one).body == "half" && client->heard(two).body == "half"; }));
  client->cancel(one);
  ASSERT_EQ(cancelled.get_future().wait_for(patience), std::future_status::ready);
  on_loop(loop, [&] {
    EXPECT_TRUE(held[0]->gone());
    EXPECT_FALSE(held[1]->gone());
    int late = 0;
    held[0]->on_gone([&] { ++late; });
    EXPECT_EQ(late, 1);
    held[0]->write("into the void");
    held[0]->finish(Ending::complete);
    return 0;
  });
  client.reset();
  ASSERT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
}

TEST_F(Http2Server, ClosesWithGoawayWhenAskedToAndWhenIdle) {
  auto server = serve([](const Request&, std::shared_ptr<Responder> responder) {
    responder->send({200, {{"Connection", "close"}}, "last"});
  });
  H2Client client(server->port());
  auto stream = client.ask(post_request());
  EXPECT_FALSE(client.run_until([] { return false; })) << "the server closes";
  EXPECT_EQ(client.heard(stream).body, "last");
  EXPECT_EQ(client.goaway(), no_error);

  auto hasty = serve(echo, {.idle_age_max = 30ms});
  H2Client idle(hasty->port());
  EXPECT_FALSE(idle.run_until([] { return false; }));
  EXPECT_EQ(idle.goaway(), no_error);
}

// A client that is not nghttp2's own session with our callbacks: another's, if it is installed here.
TEST_F(Http2Server, AnswersNode) {
  if (std::system("node --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "node is not on PATH: HTTP/2 was tried with nghttp2's client alone";
  auto server = serve([&](const Request& request, std::shared_ptr<Responder> responder) {
    if (request.target == "/cut") return responder->finish(Ending::cut);
    responder->begin({200, {{"X-Host", *find_header(request.headers, "host")}}});
    for (char c : request.body) responder->write({&c, 1});
    responder->finish(Ending::complete);
  });
  std::string script = R"js(
    const http2 = require('http2');
    const client = http2.connect('http://127.0.0.1:' + process.argv[1]);
    const ask = (path, body) => new Promise(done => {
      const stream = client.request({':method': 'POST', ':path': path});
      let status = 0, text = '';
      stream.on('response', head => status = head[':status']);
      stream.on('data', piece => text += piece);
      stream.on('error', error => text = error.code);
      stream.on('close', () => done(status + ' ' + text + ' ' + stream.rstCode));
      stream.end(body);
    });
    const big = 'y'.repeat(200000);
    Promise.all([ask('/a', 'hello'), ask('/cut', ''), ask('/b', big)]).then(heard => {
      console.log(heard.map(text => text.replace(big, 'big')).join('|'));
      client.close();
    });
  )js";
  auto command = "timeout 20 node -e \"" + script + "\" " + std::to_string(server->port());
  auto* pipe = ::popen(command.c_str(), "r");
  char said[512] = {};
  ASSERT_NE(std::fgets(said, sizeof said, pipe), nullptr);
  EXPECT_EQ(std::string(said), "200 hello 0|0 ERR_HTTP2_STREAM_ERROR 2|200 big 0\n");
  EXPECT_EQ(::pclose(pipe), 0);
}

TEST_F(Http2Server, GoesDownWithResponsesPending) {
  std::promise<void> handling;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->on_gone([responder] { FAIL(); });
    responder->begin({200, {}});
    held.push_back(std::move(responder));
    handling.set_value();
  });
  H2Client client(server->port());
  client.ask(post_request());
  client.flush();
  handling.get_future().wait();
  server.reset();
  EXPECT_FALSE(client.run_until([] { return false; }));
  on_loop(loop, [&] {
    EXPECT_TRUE(held[0]->gone());
    held[0]->write("into the void");
    return held.clear(), 0;
  });
}

TEST(Http2ServerAndLoop, MayBeDestroyedInAnyOrder) {
  auto loop = std::make_unique<Loop>();
  std::promise<void> handling;
  auto server = Server::listen(*loop, {}, [&](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->on_gone([responder] {});
    handling.set_value();
  });
  H2Client client((*server)->port());
  client.ask(post_request());
  client.flush();
  handling.get_future().wait();
  loop.reset();
  server->reset();
  EXPECT_FALSE(client.run_until([] { return false; }));
}

}  // namespace
}  // namespace troupe::http::testing
