// Requests through a proxy: tunnels with TLS verified end to end, absolute-form for plain origins.
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/raw_peers.hpp"

#include "runtime/http/server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct HttpProxy : ::testing::Test {
  static void SetUpTestSuite() { authority = new TestAuthority("Troupe test authority"); }
  static void TearDownTestSuite() { delete std::exchange(authority, nullptr); }
  static TestAuthority* authority;

  Loop loop;

  std::unique_ptr<Server> serve(const std::string& names) {
    auto files = authority->issue("server", names);
    auto server = Server::listen(loop, {.certificate_file = files.certificate, .key_file = files.key},
                                 [](const Request& request, std::shared_ptr<Responder> responder) {
                                   EXPECT_FALSE(find_header(request.headers, "proxy-authorization"));
                                   responder->send({200, {}, request.target + " " + request.body});
                                 });
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  static ClientConfig through(unsigned short port, const std::string& credentials = "") {
    ClientConfig config;
    config.ca_file = authority->ca_file();
    config.proxy = fmt::format("http://{}127.0.0.1:{}", credentials, port);
    // The names of origins are for the proxy to find.
    config.resolve = [](const std::string&, Found found) { found(fail(Errc::internal, "looked up")); };
    return config;
  }
};
TestAuthority* HttpProxy::authority = nullptr;

TEST_F(HttpProxy, TunnelsToHttpsAndVerifiesTheOriginNotTheProxy) {
  auto server = serve("DNS:model.example");
  RawProxy proxy;
  Client client(loop, through(proxy.port(), "user:pass%21@"));
  std::string big(300000, 'x');
  for (int i = 0; i < 2; ++i) {
    auto asked = ask(loop, client, local(server->port(), true, "model.example"), post_request(big));
    ASSERT_TRUE(asked.sink->wait_end());
    ASSERT_TRUE(asked.sink->succeeded()) << asked.sink->error().what;
    EXPECT_EQ(asked.sink->body, "/v1/x?y=1 " + big);
    EXPECT_EQ(asked.exchange->reused_connection(), i > 0);
  }
  auto heads = proxy.heads();
  ASSERT_EQ(heads.size(), 1u);
  auto target = fmt::format("model.example:{}", server->port());
  EXPECT_EQ(heads[0], fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nProxy-Authorization: Basic "
                                  "dXNlcjpwYXNzIQ==\r\n\r\n",
                                  target));
  auto refused = ask_and_wait(loop, client, local(server->port(), true, "other.example"))->error();
  EXPECT_THAT(refused.what, HasSubstr("certificate refused"));
}

TEST_F(HttpProxy, WarmsThroughIt) {
  auto server = serve("DNS:model.example");
  RawProxy proxy;
  Client client(loop, through(proxy.port()));
  auto origin = local(server->port(), true, "model.example");
  on_loop(loop, [&] { return client.warm(origin, 2), 0; });
  ASSERT_TRUE(eventually([&] { return on_loop(loop, [&] { return client.idle(origin) == 2; }); }));
  auto asked = ask(loop, client, origin);
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_TRUE(asked.sink->succeeded());
  EXPECT_TRUE(asked.exchange->reused_connection());
}

TEST_F(HttpProxy, AsksForPlainOriginsInAbsoluteForm) {
  RawProxy proxy;
  Client client(loop, through(proxy.port(), "user:pass@"));
  auto heard = ask_and_wait(loop, client, {false, "model.example", 8080});
  ASSERT_TRUE(heard->succeeded()) << heard->error().what;
  EXPECT_EQ(heard->body, "proxied");
  ASSERT_EQ(proxy.heads().size(), 1u);
  EXPECT_THAT(proxy.heads()[0], StartsWith("POST http://model.example:8080/v1/x?y=1 HTTP/1.1\r\n"
                                           "Host: model.example:8080\r\n"));
  EXPECT_THAT(proxy.heads()[0], HasSubstr("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
}

TEST_F(HttpProxy, GoesDirectlyToWhatTheListExempts) {
  auto server = serve("IP:127.0.0.1");
  ClosedPort nobody;
  auto config = through(nobody.port());
  config.no_proxy = "127.0.0.0/8";
  Client client(loop, config);
  EXPECT_TRUE(ask_and_wait(loop, client, local(server->port(), true))->succeeded());
}

TEST_F(HttpProxy, NamesTheStatusOfARefusalAndNoCredentials) {
  struct Case {
    std::string answer, says;
    Errc code;
    bool retryable;
  };
  for (const auto& one : {
           Case{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nwho", "answered 407",
                Errc::auth, false},
           Case{"HTTP/1.1 403 Forbidden\r\n\r\n", "answered 403", Errc::transient_server, false},
           Case{"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "answered 502",
                Errc::transient_server, true},
           Case{"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP", Errc::transient_server, true},
           Case{"HTTP/1.1 200 OK\r\n\r\nunasked", "spoke before its turn", Errc::transient_server, true},
           Case{"HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x'), "not HTTP", Errc::transient_server,
                true},
       }) {
    RawProxy proxy(one.answer);
    Client client(loop, through(proxy.port(), "user:secret@"));
    auto error = ask_and_wait(loop, client, local(443, true, "model.example"))->error();
    EXPECT_EQ(error.code, one.code) << error.what;
    EXPECT_EQ(error.retryable, one.retryable) << error.what;
    EXPECT_THAT(error.what, HasSubstr(one.says));
    EXPECT_THAT(error.what, HasSubstr(fmt::format("http://127.0.0.1:{}", proxy.port())));
    EXPECT_THAT(error.what, Not(HasSubstr("secret")));
    EXPECT_FALSE(error.maybe_billed);
    EXPECT_EQ(on_loop(loop, [&] { return client.stats().open; }), 0u);
  }
}

TEST_F(HttpProxy, SaysThatTheProxyIsDownGoneOrSilent) {
  ClosedPort nobody;
  Client down(loop, through(nobody.port(), "user:secret@"));
  auto refused = ask_and_wait(loop, down, local(443, true, "model.example"))->error();
  EXPECT_THAT(refused.what,
              HasSubstr(fmt::format("cannot connect to proxy http://127.0.0.1:{}", nobody.port())));
  EXPECT_THAT(refused.what, Not(HasSubstr("secret")));

  RawServer closing([](RawConnection& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.close();
  });
  Client client(loop, through(closing.port()));
  EXPECT_THAT(ask_and_wait(loop, client, local(443, true, "model.example"))->error().what,
              HasSubstr("closed the connection during CONNECT https://model.example"));

  RawServer silent([](RawConnection& peer, int) { peer.read_to_end(); });
  Client waiting(loop, through(silent.port()));
  auto error =
      ask_and_wait(loop, waiting, local(443, true, "model.example"), post_request(), {.connect = 50ms})
          ->error();
  EXPECT_THAT(error.what, StartsWith("connect timeout"));
}

TEST_F(HttpProxy, AProxyThatCannotBeUnderstoodIsBadConfiguration) {
  Client client(loop, {.proxy = "socks5://user:secret@h:1"});
  for (bool tls : {false, true}) {
    auto error = ask_and_wait(loop, client, local(443, tls, "model.example"))->error();
    EXPECT_EQ(error.code, Errc::bad_config);
    EXPECT_THAT(error.what, Not(HasSubstr("secret")));
  }
}

TEST_F(HttpProxy, CancelWhileTheProxyThinksLeavesNothingOpen) {
  RawServer silent([](RawConnection& peer, int) { peer.read_to_end(); });
  Client client(loop, through(silent.port()));
  auto asked = ask(loop, client, local(443, true, "model.example"));
  ASSERT_TRUE(eventually([&] { return silent.accepted() == 1; }));
  on_loop(loop, [&] { return asked.exchange->cancel(), 0; });
  ASSERT_TRUE(asked.sink->wait_end());
  EXPECT_EQ(asked.sink->error().code, Errc::cancelled);
  EXPECT_EQ(on_loop(loop, [&] { return client.stats().open; }), 0u);
}

}  // namespace
}  // namespace troupe::http::testing
