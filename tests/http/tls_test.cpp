// TLS: whom the client trusts, and whom it does not.
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace troupe::http::testing {
namespace {

using ::testing::HasSubstr;

struct HttpTls : ::testing::Test {
  // Shared: making keys takes longer than the tests.
  static void SetUpTestSuite() { authority = new TestAuthority("Troupe test authority"); }
  static void TearDownTestSuite() { delete std::exchange(authority, nullptr); }
  static TestAuthority* authority;

  Loop loop;
  Client trusting{loop, {.ca_file = authority->ca_file()}};

  std::unique_ptr<Server> serve(const std::string& names, RequestHandler handler = {}) {
    auto files = authority->issue("server", names);
    if (!handler)
      handler = [](const Request& request, std::shared_ptr<Responder> responder) {
        responder->begin({200, {}});
        responder->write(request.body);
        responder->finish(Ending::complete);
      };
    ServerConfig config{.certificate_file = files.certificate, .key_file = files.key};
    auto server = Server::listen(loop, config, std::move(handler));
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  Error refusal(Client& client, const Origin& origin) { return ask_and_wait(loop, client, origin)->error(); }
};
TestAuthority* HttpTls::authority = nullptr;

TEST_F(HttpTls, TrustsTheRightNameAndTheRightAddress) {
  auto server = serve("DNS:localhost,IP:127.0.0.1");
  std::string big(300000, 'x');
  for (std::string host : {"localhost", "127.0.0.1"}) {
    for (int i = 0; i < 2; ++i) {
      auto asked = ask(loop, trusting, local(server->port(), true, host), post_request(big));
      ASSERT_TRUE(asked.sink->wait_end());
      ASSERT_TRUE(asked.sink->succeeded()) << asked.sink->error().what;
      EXPECT_EQ(asked.sink->body, big);
      EXPECT_EQ(asked.exchange->reused_connection(), i > 0);
    }
  }
}

TEST_F(HttpTls, RefusesACertificateForAnotherHost) {
  auto server = serve("DNS:other.example,IP:127.0.0.2");
  for (std::string host : {"localhost", "127.0.0.1"}) {
    auto error = refusal(trusting, local(server->port(), true, host));
    EXPECT_EQ(error.code, Errc::transient_server);
    EXPECT_THAT(error.what, HasSubstr("certificate refused"));
    EXPECT_THAT(error.what, HasSubstr("mismatch"));
    EXPECT_FALSE(error.retryable);
    EXPECT_FALSE(error.maybe_billed);
  }
}

TEST_F(HttpTls, RefusesAnAuthorityItDoesNotKnow) {
  auto server = serve("DNS:localhost,IP:127.0.0.1");
  TestAuthority stranger("Another authority");
  Client suspicious(loop, {.ca_file = stranger.ca_file()}), plain(loop, {});
  for (auto* client : {&suspicious, &plain}) {
    auto error = refusal(*client, local(server->port(), true, "localhost"));
    EXPECT_THAT(error.what, HasSubstr("certificate refused"));
    EXPECT_FALSE(error.retryable);
  }
}

TEST_F(HttpTls, SaysThatTheAuthoritiesCannotBeRead) {
  Client broken(loop, {.ca_file = "/nowhere/ca.pem"});
  auto server = serve("IP:127.0.0.1");
  auto error = refusal(broken, local(server->port(), true));
  EXPECT_EQ(error.code, Errc::bad_config);
  EXPECT_THAT(error.what, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(HttpTls, FailsClearlyAgainstAPlainServer) {
  RawServer plain([](RawConnection& peer, int) {
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.read_to_end();
  });
  auto error = refusal(trusting, local(plain.port(), true));
  EXPECT_EQ(error.code, Errc::transient_server);
  EXPECT_THAT(error.what, HasSubstr("TLS with https://127.0.0.1"));
  EXPECT_FALSE(error.maybe_billed);
}

TEST_F(HttpTls, ShrugsOffAPlainClient) {
  auto server = serve("IP:127.0.0.1");
  auto peer = RawConnection::connect(server->port());
  peer->write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(peer->read_to_end().find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(HttpTls, CutIsAnErrorOverTlsToo) {
  auto server = serve("IP:127.0.0.1", [](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write("half");
    responder->finish(Ending::cut);
  });
  auto heard = ask_and_wait(loop, trusting, local(server->port(), true));
  EXPECT_FALSE(heard->succeeded());
  EXPECT_TRUE(heard->error().maybe_billed);
}

TEST_F(HttpTls, RefusesAKeyThatIsNotTheCertificates) {
  auto one = authority->issue("one", "DNS:one"), two = authority->issue("two", "DNS:two");
  auto server = Server::listen(loop, {.certificate_file = one.certificate, .key_file = two.key},
                               [](const Request&, std::shared_ptr<Responder>) {});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::bad_config);
}

TEST_F(HttpTls, MayStopMidHandshakeAndMidStream) {
  auto stopping = std::make_unique<Loop>();
  Client client(*stopping, {.ca_file = authority->ca_file()});
  RawServer silent([](RawConnection& peer, int) { peer.read_to_end(); });
  auto server = serve("IP:127.0.0.1", [](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin({200, {}});
    responder->write("half");
    responder->on_gone([responder] {});
  });
  auto shaking = ask(*stopping, client, local(silent.port(), true));
  auto streaming = ask(*stopping, client, local(server->port(), true));
  ASSERT_TRUE(streaming.sink->wait_body(4));
  stopping.reset();
  EXPECT_EQ(shaking.sink.use_count(), 1);
  EXPECT_EQ(streaming.sink.use_count(), 1);
}

}  // namespace
}  // namespace troupe::http::testing
