// HTTP/2 clients that send too much, take too little, or do not speak it at all.
#include "tests/http/support/h2_fixture.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/h2_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Http2Limits : Http2Test {
  // That the server still serves, on a connection of its own.
  void expect_alive(const Server& server) {
    H2Client client(server.port());
    auto stream = client.ask(post_request("alive"));
    EXPECT_TRUE(client.run_until_closed(stream));
    EXPECT_EQ(client.heard(stream).body, "POST alive");
  }
};

TEST_F(Http2Limits, HonoursTheClientsWindows) {
  const std::size_t size = 1 << 20;
  auto server = serve([&](const Request&, std::shared_ptr<Responder> responder) {
    responder->send({200, {}, std::string(size, 'x')});
  });
  H2Client client(server->port(), 10000);
  auto stream = client.ask(post_request());
  ASSERT_TRUE(client.run_until([&] { return client.heard(stream).body.size() == 10000; }));
  // What is beyond the window would come before the answer to this.
  auto other = client.ask({"GET", "/", {}, ""});
  ASSERT_TRUE(client.run_until([&] { return client.heard(other).body.size() == 10000; }));
  EXPECT_EQ(client.heard(stream).body.size(), 10000u);
  while (!client.heard(stream).closed) {
    auto before = client.heard(stream).body.size();
    client.take_more(stream, 50000);
    auto wanted = std::min(before + 50000, size);
    ASSERT_TRUE(client.run_until([&] { return client.heard(stream).body.size() >= wanted; }));
    EXPECT_EQ(client.heard(stream).body.size(), wanted);
    if (wanted == size) break;
  }
  EXPECT_TRUE(client.run_until_closed(stream));
}

TEST_F(Http2Limits, ResetsTheStreamThatIsNotTaken) {
  std::promise<void> gone;
  auto server = serve(
      [&](const Request& request, std::shared_ptr<Responder> responder) {
        if (request.target == "/other") return responder->send({200, {}, "fine"});
        responder->on_gone([&] { gone.set_value(); });
        responder->begin({200, {}});
        std::string piece(64 << 10, 'x');
        for (int i = 0; i < 64 && !responder->gone(); ++i) responder->write(piece);
        EXPECT_TRUE(responder->gone());
        held.push_back(std::move(responder));
      },
      {.unsent_bytes_max = 1 << 20});
  H2Client client(server->port(), 10000);
  auto stream = client.ask(post_request());
  ASSERT_TRUE(client.run_until_closed(stream));
  EXPECT_EQ(client.heard(stream).error, internal_error);
  EXPECT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
  auto other = client.ask({"GET", "/other", {}, ""});
  ASSERT_TRUE(client.run_until_closed(other));
  EXPECT_EQ(client.heard(other).body, "fine");
}

TEST_F(Http2Limits, RefusesWhatIsTooLargeAndGoesOn) {
  auto server = serve(echo, {.head_bytes_max = 1024, .body_bytes_max = 100 * 1024});
  H2Client client(server->port());
  auto fits = client.ask(post_request(std::string(100 * 1024, 'x')));
  auto body = client.ask(post_request(std::string(100 * 1024 + 1, 'x')));
  ASSERT_TRUE(client.run_until_closed(fits) && client.run_until_closed(body));
  EXPECT_EQ(client.heard(fits).status, 200);
  EXPECT_EQ(client.heard(body).status, 413);
  auto head = client.ask({"GET", "/", {{"x", std::string(2000, 'x')}}, ""});
  ASSERT_TRUE(client.run_until_closed(head));
  EXPECT_EQ(client.heard(head).status, 431);
  auto after = client.ask({"GET", "/", {}, ""});
  ASSERT_TRUE(client.run_until_closed(after));
  EXPECT_EQ(client.heard(after).status, 200);
}

TEST_F(Http2Limits, ResetsARequestThatDoesNotEndAndAResponseThatIsNotTaken) {
  std::promise<void> gone;
  auto server = serve(
      [&](const Request&, std::shared_ptr<Responder> responder) {
        responder->on_gone([&] { gone.set_value(); });
        responder->begin({200, {}});
        responder->write(std::string(50000, 'x'));
        held.push_back(std::move(responder));
      },
      {.idle_age_max = 50ms});
  H2Client client(server->port(), 1000);
  auto stream = client.ask(post_request());
  ASSERT_TRUE(client.run_until_closed(stream));
  EXPECT_EQ(client.heard(stream).error, cancel);
  EXPECT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);

  auto peer = RawConnection::connect(server->port());
  peer->write(std::string(h2_preface) + std::string("\0\0\0\x4\0\0\0\0\0", 9));
  // HEADERS of stream 1 that neither end the stream nor ever go on.
  peer->write(std::string("\0\0\x6\x1\x4\0\0\0\x1\x83\x86\x84\x41\x1", 14) + "h");
  EXPECT_THAT(peer->read_to_end(), HasSubstr(std::string("\x3\0\0\0\0\x1\0\0\0\x8", 10)));
}

TEST_F(Http2Limits, HostileFramesEndTheirStreamOrTheirConnectionOnly) {
  auto server = serve(echo);
  std::string hello = std::string(h2_preface) + std::string("\0\0\0\x4\0\0\0\0\0", 9);
  for (std::string bytes : {std::string(1000, '\xff'), std::string("\0\0\x1\0\0\0\0\0\x5x", 10),
                            std::string("\0\0\x3\x1\x4\0\0\0\x1\x7f\xff\xff", 12),
                            std::string("\0\0\x5\x4\0\0\0\0\0xxxxx", 14)}) {
    auto peer = RawConnection::connect(server->port());
    peer->write(hello + bytes);
    EXPECT_THAT(peer->read_to_end(), HasSubstr(std::string("\x7\0\0\0\0\0", 6))) << "a GOAWAY";
    EXPECT_FALSE(peer->was_reset());
  }
  H2Client client(server->port());
  auto connect = client.ask_raw({{":method", "CONNECT"}, {":authority", "h:1"}});
  auto no_path = client.ask_raw({{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}});
  auto nobody = client.ask_raw({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}});
  auto smuggler = client.ask_raw({{":method", "GET"},
                                  {":scheme", "http"},
                                  {":authority", "h"},
                                  {":path", "/"},
                                  {"transfer-encoding", "chunked"}});
  for (auto stream : {connect, no_path, nobody, smuggler}) {
    ASSERT_TRUE(client.run_until_closed(stream));
    EXPECT_NE(client.heard(stream).status, 200);
  }
  EXPECT_EQ(client.heard(connect).status, 400);
  auto good = client.ask(post_request("good"));
  ASSERT_TRUE(client.run_until_closed(good));
  EXPECT_EQ(client.heard(good).body, "POST good");
  expect_alive(*server);
}

TEST_F(Http2Limits, SurvivesAFloodThatNobodyReadsTheAnswersTo) {
  auto server = serve(echo);
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += std::string("\0\0\x8\x6\0\0\0\0\0", 9) + "12345678";
  auto peer = RawConnection::connect(server->port());
  peer->write(std::string(h2_preface) + std::string("\0\0\0\x4\0\0\0\0\0", 9));
  // It stops reading us, or closes: either way we cannot go on for ever.
  std::size_t taken = 0, wanted = 0;
  for (int i = 0; i < 4000 && taken == wanted; ++i) {
    wanted += pings.size();
    taken += peer->write_until_stalled(pings, 500ms);
  }
  EXPECT_LT(taken, 4000 * pings.size());
  expect_alive(*server);
}

}  // namespace
}  // namespace troupe::http::testing
