// TLS sessions resumed: by the same origin only, and never instead of verification.
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"

#include "runtime/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::http::testing {
namespace {

using ::testing::HasSubstr;

struct HttpTlsSessions : ::testing::Test {
  static void SetUpTestSuite() { authority = new TestAuthority("Troupe test authority"); }
  static void TearDownTestSuite() { delete std::exchange(authority, nullptr); }
  static TestAuthority* authority;

  Loop loop;

  // Every exchange needs a connection of its own.
  std::unique_ptr<Server> serve(const std::string& names) {
    auto files = authority->issue("server", names);
    auto server = Server::listen(loop, {.certificate_file = files.certificate, .key_file = files.key},
                                 [](const Request&, std::shared_ptr<Responder> responder) {
                                   responder->send({200, {{"Connection", "close"}}, "ok"});
                                 });
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  static ClientConfig trusting() {
    ClientConfig config;
    config.ca_file = authority->ca_file();
    // Whatever the name, the address is ours.
    config.resolve = [](const std::string&, Found found) { found(std::vector<std::string>{"127.0.0.1"}); };
    return config;
  }
  Client::Stats stats(Client& of) {
    return on_loop(loop, [&] { return of.stats(); });
  }
};
TestAuthority* HttpTlsSessions::authority = nullptr;

TEST_F(HttpTlsSessions, TheSecondConnectionResumesTheFirstOnes) {
  auto server = serve("DNS:one.example");
  Client client(loop, trusting());
  for (std::size_t i = 0; i < 4; ++i) {
    auto heard = ask_and_wait(loop, client, local(server->port(), true, "one.example"));
    ASSERT_TRUE(heard->succeeded()) << heard->error().what;
    EXPECT_EQ(heard->body, "ok");
    EXPECT_EQ(stats(client).opened_total, i + 1);
    EXPECT_EQ(stats(client).resumed_total, i);
  }
}

TEST_F(HttpTlsSessions, NoneIsResumedWhenNoneIsKept) {
  auto server = serve("DNS:one.example");
  auto config = trusting();
  config.tls_sessions_max = 0;
  Client client(loop, config);
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(ask_and_wait(loop, client, local(server->port(), true, "one.example"))->succeeded());
  EXPECT_EQ(stats(client).resumed_total, 0u);
}

TEST_F(HttpTlsSessions, AnotherHostNeverGetsThisHostsSession) {
  // One server for both names, so that it would take either's session.
  auto server = serve("DNS:one.example,DNS:two.example");
  Client client(loop, trusting());
  for (std::string host : {"one.example", "two.example"})
    ASSERT_TRUE(ask_and_wait(loop, client, local(server->port(), true, host))->succeeded());
  EXPECT_EQ(stats(client).resumed_total, 0u);
  ASSERT_TRUE(ask_and_wait(loop, client, local(server->port(), true, "two.example"))->succeeded());
  EXPECT_EQ(stats(client).resumed_total, 1u);
}

TEST_F(HttpTlsSessions, AHostThatIsNotTheCertificatesIsRefusedWhateverWasResumedBefore) {
  auto server = serve("DNS:one.example");
  Client client(loop, trusting());
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(ask_and_wait(loop, client, local(server->port(), true, "one.example"))->succeeded());
  for (int i = 0; i < 2; ++i) {
    auto error = ask_and_wait(loop, client, local(server->port(), true, "two.example"))->error();
    EXPECT_THAT(error.what, HasSubstr("certificate refused"));
  }
  EXPECT_EQ(stats(client).resumed_total, 1u);
}

TEST_F(HttpTlsSessions, AServerThatForgotIsVerifiedAnew) {
  auto config = trusting();
  Client client(loop, config);
  auto first = serve("DNS:one.example");
  auto port = first->port();
  ASSERT_TRUE(ask_and_wait(loop, client, local(port, true, "one.example"))->succeeded());
  first.reset();
  // The same port, other keys, and a name that is not the one the session was for.
  auto files = authority->issue("server", "DNS:two.example");
  auto second =
      Server::listen(loop, {.port = port, .certificate_file = files.certificate, .key_file = files.key},
                     [](const Request&, std::shared_ptr<Responder> responder) {
                       responder->send({200, {}, "forged"});
                     });
  if (!second) GTEST_SKIP() << "somebody else took the port";
  auto error = ask_and_wait(loop, client, local(port, true, "one.example"))->error();
  EXPECT_THAT(error.what, HasSubstr("certificate refused"));
  EXPECT_EQ(stats(client).resumed_total, 0u);
}

TEST_F(HttpTlsSessions, TheLongestUnusedMakesWay) {
  auto server = serve("DNS:one.example,DNS:two.example,DNS:three.example");
  auto config = trusting();
  config.tls_sessions_max = 2;
  Client client(loop, config);
  auto resumed_by = [&](const std::string& host) {
    auto before = stats(client).resumed_total;
    EXPECT_TRUE(ask_and_wait(loop, client, local(server->port(), true, host))->succeeded());
    return stats(client).resumed_total - before;
  };
  resumed_by("one.example");
  resumed_by("two.example");
  resumed_by("three.example");
  EXPECT_EQ(resumed_by("two.example"), 1u);
  EXPECT_EQ(resumed_by("three.example"), 1u);
  EXPECT_EQ(resumed_by("one.example"), 0u);
}

}  // namespace
}  // namespace troupe::http::testing
