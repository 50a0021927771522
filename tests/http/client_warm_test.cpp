// Connections opened before anyone needs them, and replaced when they are lost.
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/server.hpp"

#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;

const std::string ok_response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct HttpWarm : ::testing::Test {
  Loop loop;
  Client client{loop, hasty()};

  static ClientConfig hasty() { return {.warm_retry_min = 5ms, .warm_retry_max = 40ms}; }
  Client::Stats stats(Client& of) {
    return on_loop(loop, [&] { return of.stats(); });
  }
  void warm(Client& of, const Origin& origin, std::size_t count) {
    on_loop(loop, [&] { return of.warm(origin, count), 0; });
  }
  bool becomes_idle(Client& of, std::size_t count) {
    return eventually([&] { return stats(of).idle == count; });
  }
};

TEST_F(HttpWarm, TheFirstExchangesFindConnectionsReady) {
  RawServer server([](RawConnection& peer, int) {
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  warm(client, local(server.port()), 3);
  ASSERT_TRUE(becomes_idle(client, 3));
  EXPECT_EQ(on_loop(loop, [&] { return client.idle(local(server.port())); }), 3u);
  EXPECT_EQ(on_loop(loop, [&] { return client.idle(local(1)); }), 0u);
  std::vector<Asked> asked;
  for (int i = 0; i < 3; ++i) asked.push_back(ask(loop, client, local(server.port())));
  for (auto& one : asked) {
    ASSERT_TRUE(one.sink->wait_end());
    EXPECT_TRUE(one.sink->succeeded());
    EXPECT_TRUE(one.exchange->reused_connection());
  }
  EXPECT_EQ(stats(client).opened_total, 3u);
  EXPECT_EQ(server.accepted(), 3);
}

TEST_F(HttpWarm, WithoutItTheFirstExchangeOpensItsOwn) {
  RawServer server([](RawConnection& peer, int) {
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  auto cold = ask(loop, client, local(server.port()));
  ASSERT_TRUE(cold.sink->wait_end());
  EXPECT_FALSE(cold.exchange->reused_connection());
}

TEST_F(HttpWarm, TheHandshakeIsDoneBeforehand) {
  TestAuthority authority("Troupe test authority");
  auto files = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  auto server = Server::listen(loop, {.certificate_file = files.certificate, .key_file = files.key},
                               [](const Request&, std::shared_ptr<Responder> responder) {
                                 responder->send({200, {}, "ok"});
                               });
  auto config = hasty();
  config.ca_file = authority.ca_file();
  Client trusting(loop, config);
  auto origin = local((*server)->port(), true, "localhost");
  warm(trusting, origin, 2);
  ASSERT_TRUE(becomes_idle(trusting, 2));
  auto before = stats(trusting).opened_total;
  for (int i = 0; i < 3; ++i) {
    auto asked = ask(loop, trusting, origin);
    ASSERT_TRUE(asked.sink->wait_end());
    EXPECT_TRUE(asked.sink->succeeded()) << asked.sink->error().what;
    EXPECT_TRUE(asked.exchange->reused_connection());
  }
  EXPECT_EQ(stats(trusting).opened_total, before);
}

TEST_F(HttpWarm, WhatTheServerClosesIsReplaced) {
  std::promise<void> close;
  auto closing = close.get_future().share();
  RawServer server([&](RawConnection& peer, int index) {
    if (index < 2) return closing.wait(), peer.close();
    while (!peer.read_request().empty()) peer.write(ok_response);
  });
  warm(client, local(server.port()), 2);
  ASSERT_TRUE(becomes_idle(client, 2));
  close.set_value();
  ASSERT_TRUE(eventually([&] { return server.accepted() >= 4 && stats(client).idle == 2; }));
  auto asked = ask(loop, client, local(server.port()));
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_TRUE(asked.sink->succeeded());
  EXPECT_TRUE(asked.exchange->reused_connection());
}

TEST_F(HttpWarm, WhatGrowsOldIsReplaced) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  auto config = hasty();
  config.idle_age_max = 30ms;
  Client forgetful(loop, config);
  warm(forgetful, local(server.port()), 1);
  EXPECT_TRUE(eventually([&] { return server.accepted() >= 4; }));
}

TEST_F(HttpWarm, AServerThatIsDownIsTriedAgainUntilItIsUp) {
  unsigned short port = 0;
  { port = ClosedPort().port(); }
  warm(client, local(port), 1);
  ASSERT_TRUE(eventually([&] { return stats(client).opened_total >= 3; }));
  EXPECT_EQ(stats(client).idle, 0u);
  auto server = Server::listen(loop, {.port = port}, [](const Request&, std::shared_ptr<Responder>) {});
  if (!server) GTEST_SKIP() << "somebody else took the port";
  EXPECT_TRUE(becomes_idle(client, 1));
}

TEST_F(HttpWarm, AServerThatClosesAtOnceIsNotHammered) {
  RawServer server([](RawConnection& peer, int) { peer.close(); });
  auto config = hasty();
  config.warm_retry_min = 100ms;
  config.warm_retry_max = 10s;
  Client patient(loop, config);
  auto begun = std::chrono::steady_clock::now();
  warm(patient, local(server.port()), 1);
  ASSERT_TRUE(eventually([&] { return server.accepted() >= 4; }));
  // The waits were 100, 200 and 400 ms.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 700ms);
}

TEST_F(HttpWarm, ZeroEndsIt) {
  RawServer server(
      [](RawConnection& peer, int index) { index > 0 ? (void)peer.read_to_end() : peer.close(); });
  auto config = hasty();
  config.warm_retry_min = config.warm_retry_max = 1ms;
  Client brief(loop, config);
  warm(brief, local(server.port()), 1);
  ASSERT_TRUE(eventually([&] { return server.accepted() >= 2; }));
  ASSERT_TRUE(becomes_idle(brief, 1));
  auto opened = on_loop(loop, [&] {
    brief.warm(local(server.port()), 0);
    return brief.stats().opened_total;
  });
  auto asked = ask(loop, brief, local(server.port()));
  on_loop(loop, [&] { return asked.exchange->cancel(), 0; });
  std::promise<void> later;
  std::unique_ptr<Loop::Timer> timer;
  on_loop(loop, [&] {
    timer = loop.after(50ms, [&] { later.set_value(); });
    return 0;
  });
  later.get_future().wait();
  EXPECT_EQ(stats(brief).opened_total, opened);
  EXPECT_EQ(stats(brief).open, 0u);
  on_loop(loop, [&] { return timer.reset(), 0; });
}

TEST_F(HttpWarm, ItsBoundIsTheIdleOnes) {
  RawServer server([](RawConnection& peer, int) { peer.read_to_end(); });
  auto config = hasty();
  config.idle_per_origin_max = 4;
  Client narrow(loop, config);
  warm(narrow, local(server.port()), 1000);
  ASSERT_TRUE(becomes_idle(narrow, 4));
  EXPECT_EQ(stats(narrow).open, 4u);
}

TEST(HttpWarmAndLoop, MayBeDestroyedInAnyOrderWhileWarming) {
  RawServer silent([](RawConnection& peer, int) { peer.read_to_end(); });
  auto loop = std::make_unique<Loop>();
  Client client(*loop, {});
  auto brief = std::make_unique<Client>(*loop, ClientConfig{});
  on_loop(*loop, [&] {
    // One is connected, one never gets through its handshake.
    client.warm(local(silent.port()), 2);
    client.warm(local(silent.port(), true), 2);
    brief->warm(local(silent.port(), true), 2);
    return 0;
  });
  brief.reset();
  on_loop(*loop, [] { return 0; });
  loop.reset();
  EXPECT_LE(client.stats().idle, 0u);
}

}  // namespace
}  // namespace troupe::http::testing
