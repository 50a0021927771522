// Hosts with several addresses: looked up anew for each connection, tried without waiting for the slow.
#include "runtime/http/dial.hpp"

#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Texts = std::vector<std::string>;

Endpoints endpoints_of(const Texts& addresses) {
  Endpoints endpoints;
  for (const auto& text : addresses) endpoints.emplace_back(asio::ip::make_address(text), 1);
  return endpoints;
}
Texts order_of(const Texts& addresses, std::size_t max = 16) {
  Texts order;
  for (const auto& endpoint : interleaved(endpoints_of(addresses), max))
    order.push_back(endpoint.address().to_string());
  return order;
}

TEST(Interleaved, FamiliesTakeTurnsBeginningWithTheFirst) {
  EXPECT_EQ(order_of({"::1", "::2", "::3", "1.1.1.1", "1.1.1.2"}),
            (Texts{"::1", "1.1.1.1", "::2", "1.1.1.2", "::3"}));
  EXPECT_EQ(order_of({"1.1.1.1", "::1", "::2"}), (Texts{"1.1.1.1", "::1", "::2"}));
  EXPECT_EQ(order_of({"1.1.1.2", "1.1.1.1"}), (Texts{"1.1.1.2", "1.1.1.1"}));
  EXPECT_EQ(order_of({}), Texts{});
  EXPECT_EQ(order_of({"::1", "::2", "1.1.1.1"}, 2), (Texts{"::1", "1.1.1.1"}));
}

struct HttpDial : ::testing::Test {
  Loop loop;
  std::atomic<int> look_ups = 0;

  // Loopback is a whole network: 127.0.0.2 listens, and 127.0.0.1 may do otherwise on the same port.
  std::unique_ptr<Server> serve(unsigned short port = 0, std::string host = "127.0.0.2") {
    auto server = Server::listen(loop, {.host = host, .port = port},
                                 [](const Request&, std::shared_ptr<Responder> responder) {
                                   responder->send({200, {{"Connection", "close"}}, "ok"});
                                 });
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  ClientConfig finding(Texts addresses, Duration attempt_delay) {
    ClientConfig config;
    config.attempt_delay = attempt_delay;
    config.resolve = [this, addresses](const std::string& host, Found found) {
      EXPECT_EQ(host, "model.example");
      ++look_ups;
      found(addresses);
    };
    return config;
  }
  std::shared_ptr<Recorder> get(const ClientConfig& config, unsigned short port, Duration connect = 5s) {
    Client client(loop, config);
    return ask_and_wait(loop, client, {false, "model.example", port}, post_request(), {.connect = connect});
  }
};

TEST_F(HttpDial, ARefusedAddressIsPassedOverAtOnce) {
  auto server = serve();
  // Were it to wait, the connect timer would end it.
  auto heard = get(finding({"127.0.0.1", "127.0.0.3", "127.0.0.2"}, 60s), server->port());
  EXPECT_TRUE(heard->succeeded()) << heard->error().what;
}

TEST_F(HttpDial, ASilentAddressIsOvertakenAfterTheDelay) {
  FullBacklog silent;
  auto server = serve(silent.port());
  auto heard = get(finding({"127.0.0.1", "127.0.0.2"}, 30ms), silent.port());
  EXPECT_TRUE(heard->succeeded()) << heard->error().what;
  // Without: the silent one is all there is until the connect timer fires.
  auto waiting = get(finding({"127.0.0.1", "127.0.0.2"}, 60s), silent.port(), 300ms);
  EXPECT_THAT(waiting->error().what, StartsWith("connect timeout"));
}

TEST_F(HttpDial, AnotherFamilyIsTriedWhenTheFirstFails) {
  auto server = serve(0, "127.0.0.1");
  auto heard = get(finding({"::1", "127.0.0.1"}, 60s), server->port());
  EXPECT_TRUE(heard->succeeded()) << heard->error().what;
}

TEST_F(HttpDial, TheConnectTimerBoundsAllAttemptsTogether) {
  FullBacklog silent;
  auto heard = get(finding({"127.0.0.1", "127.0.0.1", "127.0.0.1"}, 20ms), silent.port(), 100ms);
  EXPECT_THAT(heard->error().what, StartsWith("connect timeout"));
  EXPECT_FALSE(heard->error().maybe_billed);
}

TEST_F(HttpDial, OneThatFailsLateStillLeavesTheOthers) {
  FullBacklog silent;
  // The refusal of 127.0.0.3 comes while 127.0.0.1 is still waited for.
  auto heard = get(finding({"127.0.0.1", "127.0.0.3"}, 10ms), silent.port(), 200ms);
  EXPECT_THAT(heard->error().what, StartsWith("connect timeout"));
}

TEST_F(HttpDial, SaysWhyNoAddressWorked) {
  ClosedPort nobody;
  auto refused = get(finding({"127.0.0.1", "127.0.0.2"}, 1s), nobody.port())->error();
  EXPECT_EQ(refused.code, Errc::transient_server);
  EXPECT_THAT(refused.what, HasSubstr("cannot connect to http://model.example"));
  for (Texts none : {Texts{}, Texts{"not an address"}})
    EXPECT_THAT(get(finding(none, 1s), nobody.port())->error().what, HasSubstr("cannot connect"));
}

TEST_F(HttpDial, EveryNewConnectionAsksAnew) {
  auto server = serve();
  std::atomic<int> asked = 0;
  ClientConfig config;
  // The host moves: the first address is right only from the second look-up on.
  config.resolve = [&](const std::string&, Found found) {
    found(Texts{asked++ == 0 ? "127.0.0.3" : "127.0.0.2"});
  };
  Client client(loop, config);
  Origin origin{false, "model.example", server->port()};
  EXPECT_FALSE(ask_and_wait(loop, client, origin)->succeeded());
  EXPECT_TRUE(ask_and_wait(loop, client, origin)->succeeded());
  EXPECT_TRUE(ask_and_wait(loop, client, origin)->succeeded());
  EXPECT_EQ(asked, 3);
}

TEST_F(HttpDial, AResolverMayFailAnswerLateOrNever) {
  auto server = serve();
  ClientConfig config;
  config.resolve = [](const std::string&, Found found) {
    found(fail(Errc::transient_server, "no such host"));
  };
  EXPECT_EQ(get(config, server->port())->error().what, "no such host");
  config.resolve = [this](const std::string&, Found found) {
    loop.post([found] { found(Texts{"127.0.0.2"}); });
  };
  EXPECT_TRUE(get(config, server->port())->succeeded());
  config.resolve = [](const std::string&, const Found&) {};
  EXPECT_THAT(get(config, server->port(), 50ms)->error().what, StartsWith("connect timeout"));
}

TEST_F(HttpDial, AnAddressIsNotLookedUp) {
  auto server = serve();
  Client client(loop, finding({}, 1s));
  EXPECT_TRUE(ask_and_wait(loop, client, {false, "127.0.0.2", server->port()})->succeeded());
  EXPECT_EQ(look_ups, 0);
}

TEST_F(HttpDial, ABurstSharesTheSystemsLookUp) {
  auto server = serve(0, "127.0.0.1");
  Client client(loop, {});
  std::vector<Asked> asked;
  for (int i = 0; i < 50; ++i) asked.push_back(ask(loop, client, {false, "localhost", server->port()}));
  for (auto& one : asked) {
    ASSERT_TRUE(one.sink->wait_end());
    EXPECT_TRUE(one.sink->succeeded()) << one.sink->error().what;
  }
}

}  // namespace
}  // namespace troupe::http::testing
