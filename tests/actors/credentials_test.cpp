// Requests and the credentials they wait for, against an issuer and a provider on loopback.
#include "actors/credentials.hpp"

#include "actors/attempt.hpp"
#include "actors/wiring.hpp"
#include "providers/auth/sigv4.hpp"
#include "providers/bedrock/serve.hpp"
#include "providers/simulator/server.hpp"
#include "runtime/http/server.hpp"
#include "tests/support/actor_test.hpp"

#include <fmt/format.h>

#include <atomic>
#include <ctime>
#include <future>

namespace troupe::actors::testing {
namespace {

using Responder = std::shared_ptr<http::Responder>;

/// The machine's clocks, moved by a test.
class SteppedClock final : public Clock {
 public:
  Instant now() const override { return system_clock().now() + Duration(step.load()); }
  WallTime wall() const override { return {system_clock().wall().ms + wall_step_ms.load()}; }
  std::atomic<std::int64_t> step = 0, wall_step_ms = 0;
};

/// A node's credentials and attempts; one server plays every issuer and provider, by script.
class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    auto handler = [this](const http::Request& request, Responder responder) {
      bool to_issuer = request.target.starts_with("/issuer");
      ++(to_issuer ? asked_ : called_);
      auto& script = to_issuer ? issuer_ : provider_;
      script(request, std::move(responder));
    };
    server_ = http::Server::listen(server_loop_, {}, handler).value();
    url_ = fmt::format("http://127.0.0.1:{}", server_->port());
    issue_tokens();
    provider_ = [](const http::Request&, const Responder& responder) { responder->send(answer()); };
  }
  ~CredentialsTest() override {
    on_loop([this] { attempts_.clear(); });
    loop_.stop();
    credentials_.reset();
    server_.reset();
    held_.clear();
    server_loop_.stop();
  }

  // ---- what the world does ----

  void issue_tokens(int life_seconds = 3600) {
    issuer_ = [this, life_seconds](const http::Request&, const Responder& responder) {
      responder->send(
          {200, {}, fmt::format(R"({{"access_token":"T{}","expires_in":{}}})", asked_.load(), life_seconds)});
    };
  }
  void hold_issuer() {
    issuer_ = [this](const http::Request&, const Responder& responder) { held_.push_back(responder); };
  }
  static http::Response answer() {
    return providers::bedrock::server().write_response(text_answer("Paris", 12, 3), {});
  }
  void accept_only(const std::string& token) {
    provider_ = [token](const http::Request& request, const Responder& responder) {
      const auto* header = http::find_header(request.headers, "authorization");
      bool good = header != nullptr && *header == "Bearer " + token;
      responder->send(good ? answer()
                           : http::Response{403, {{"x-amzn-ErrorType", "ExpiredTokenException"}}, "{}"});
    };
  }

  // ---- what a node does ----

  config::ProviderConfig token_provider() {
    config::ProviderConfig provider;
    provider.dialect = "bedrock";
    provider.base_url = url_;
    provider.region = "r";
    // The bedrock dialect stands for any: what matters here is whose token, and when.
    provider.auth.kind = config::AuthKind::azure;
    provider.auth.client_id = "c";
    provider.auth.client_secret = {"${PATH}"};
    provider.auth.token_url = url_ + "/issuer";
    return provider;
  }
  std::shared_ptr<const Wire> wire_to(const config::ProviderConfig& provider,
                                      const std::string& region = "r") {
    config::Config config;
    config.providers["p"] = provider;
    config::EndpointConfig endpoint;
    endpoint.id = "e";
    endpoint.provider = "p";
    endpoint.model = "m";
    endpoint.region = region;
    auto wire = make_wire(config, endpoint, {{}, credentials_.get(), &client_, metrics_});
    EXPECT_TRUE(wire) << wire.error().what;
    return *wire;
  }
  std::future<AttemptResultPtr> begin(const std::shared_ptr<const Wire>& wire, Duration time_left = 20s) {
    RunAttempt order;
    auto request = question("What is the capital of France?");
    request.stream = false;
    order.request = std::make_shared<const CompletionRequest>(std::move(request));
    order.deadline = clock_.now() + time_left;
    auto ended = std::make_shared<std::promise<AttemptResultPtr>>();
    on_loop([&] {
      attempts_.push_back(HttpAttempt::start(wire, order, loop_, client_, clock_,
                                             [ended](AttemptResultPtr result) { ended->set_value(result); }));
    });
    return ended->get_future();
  }
  AttemptResultPtr run(const std::shared_ptr<const Wire>& wire, Duration time_left = 20s) {
    return begin(wire, time_left).get();
  }
  static std::string outcome(const AttemptResultPtr& result) {
    return result->error ? to_string(result->error->code) : result->completion.text();
  }
  bool counted(const std::string& line) { return metrics_->exposition().find(line) != std::string::npos; }
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  SteppedClock clock_;
  http::Loop loop_, server_loop_;
  http::Client client_{loop_, {}};
  std::shared_ptr<telemetry::Metrics> metrics_ = std::make_shared<telemetry::Metrics>();
  std::unique_ptr<Credentials> credentials_ = std::make_unique<Credentials>(loop_, clock_, metrics_);
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::function<void(const http::Request&, const Responder&)> issuer_, provider_;
  std::vector<Responder> held_;
  std::vector<std::shared_ptr<HttpAttempt>> attempts_;
  std::atomic<int> asked_ = 0, called_ = 0;
};

TEST_F(CredentialsTest, FetchesOnceForAllEndpointsOfAProviderAndRegion) {  // A2, D9
  auto one = wire_to(token_provider()), two = wire_to(token_provider());
  std::vector<std::future<AttemptResultPtr>> going;
  for (int i = 0; i < 200; ++i) going.push_back(begin(i % 2 ? one : two));
  for (auto& each : going) EXPECT_EQ(outcome(each.get()), "Paris");
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(called_, 200);
  EXPECT_EQ(outcome(run(wire_to(token_provider(), "elsewhere"), 20s)), "Paris");
  EXPECT_EQ(asked_, 2);
  EXPECT_TRUE(counted("troupe_credential_fetches_total{outcome=\"ok\",principal=\"p r\"} 1"));
}

TEST_F(CredentialsTest, FetchesBeforeAnyoneAsks) {  // D8
  std::promise<void> asked;
  issuer_ = [&](const http::Request&, const Responder& responder) {
    responder->send({200, {}, R"({"access_token":"T","expires_in":3600})"});
    asked.set_value();
  };
  auto wire = wire_to(token_provider());
  credentials_->prefetch();
  asked.get_future().wait();
  EXPECT_EQ(called_, 0);
  EXPECT_EQ(outcome(run(wire)), "Paris");
  EXPECT_EQ(asked_, 1);
}

TEST_F(CredentialsTest, RefreshesWhatExpiredAndNeverSendsIt) {  // A2
  auto wire = wire_to(token_provider());
  accept_only("T1");
  EXPECT_EQ(outcome(run(wire)), "Paris");
  accept_only("T2");
  clock_.step = std::chrono::nanoseconds(2h).count();
  EXPECT_EQ(outcome(run(wire)), "Paris");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(called_, 2);
}

TEST_F(CredentialsTest, TriesOnceMoreWithANewCredentialWhenTheFirstIsRefused) {
  accept_only("T2");
  auto wire = wire_to(token_provider());
  auto result = run(wire);
  EXPECT_EQ(outcome(result), "Paris");
  EXPECT_EQ(result->record.error, "");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(called_, 2);
  EXPECT_TRUE(counted("troupe_auth_retries_total{endpoint=\"e\"} 1"));
}

TEST_F(CredentialsTest, TriesNoMoreThanOnceMore) {
  accept_only("nobody's");
  auto wire = wire_to(token_provider());
  auto result = run(wire);
  EXPECT_EQ(outcome(result), "auth");
  EXPECT_TRUE(result->error->failover);
  EXPECT_FALSE(result->error->maybe_billed);
  EXPECT_FALSE(result->not_sent);
  EXPECT_EQ(result->record.usage, Usage{});
  EXPECT_EQ(called_, 2);
  // And not even that while the newest credential is known to be refused: the issuer is not flooded.
  for (int i = 0; i < 20; ++i) run(wire);
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(called_, 22);
}

TEST_F(CredentialsTest, SaysAuthAndSendsNothingWhileTheIssuerIsDown) {
  issuer_ = [](const http::Request&, const Responder& responder) { responder->send({500, {}, "canary"}); };
  auto wire = wire_to(token_provider());
  for (int i = 0; i < 50; ++i) {
    auto result = run(wire);
    ASSERT_EQ(outcome(result), "auth");
    EXPECT_TRUE(result->error->failover);
    EXPECT_TRUE(result->not_sent) << "going elsewhere costs no retry";
    EXPECT_EQ(result->error->what, "Microsoft Entra refused: status 500");
  }
  EXPECT_EQ(called_, 0);
  EXPECT_LE(asked_, 3 * 4);  // three tries at once, and again after a second and two
}

TEST_F(CredentialsTest, WaitsForACredentialNoLongerThanItsDeadline) {
  hold_issuer();
  auto result = run(wire_to(token_provider()), 150ms);
  EXPECT_EQ(outcome(result), "deadline_exceeded");
  EXPECT_FALSE(result->error->maybe_billed);
  EXPECT_EQ(result->record.usage, Usage{});
  EXPECT_EQ(called_, 0);
}

TEST_F(CredentialsTest, StopsWaitingWhenCancelled) {
  hold_issuer();
  auto ended = begin(wire_to(token_provider()));
  on_loop([this] {
    attempts_.back()->cancel();
    attempts_.back()->cancel();
  });
  auto result = ended.get();
  EXPECT_EQ(outcome(result), "cancelled");
  EXPECT_FALSE(result->error->maybe_billed);
}

TEST_F(CredentialsTest, WhatWasOnlyTriedLeavesNothingBehind) {  // C13: a dry run, a reload that fails
  auto one = token_provider(), other = token_provider();
  other.auth.client_id = "another";
  auto can_have = [&](const config::ProviderConfig& provider) {
    return credentials_->authorizer({"p", &provider, "r", providers::find_dialect("bedrock"), &client_})
        .has_value();
  };
  EXPECT_TRUE(can_have(one));
  EXPECT_FALSE(can_have(other));
  credentials_->drop_new();
  EXPECT_TRUE(can_have(other)) << "nobody has used the name";
  credentials_->keep_new();
  credentials_->drop_new();
  EXPECT_FALSE(can_have(one)) << "now it is in use";
}

// ---- signatures ----

config::ProviderConfig signed_provider(const std::string& url) {
  config::ProviderConfig provider;
  provider.dialect = "bedrock";
  provider.base_url = url;
  provider.auth.kind = config::AuthKind::simulated;
  return provider;
}

std::string http_date(WallTime time) {
  auto seconds = static_cast<std::time_t>(time.ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

TEST_F(CredentialsTest, CorrectsItsClockByTheProvidersDateAndSignsAgain) {  // D9
  clock_.wall_step_ms = -3'600'000;
  provider_ = [](const http::Request& request, const Responder& responder) {
    auto keys = config::simulated_credentials();
    providers::AwsCredentials known{keys.access_key_id, keys.secret_access_key, {}};
    auto wall = system_clock().wall();
    if (providers::verify(
            request, [&](auto) { return &known; }, wall))
      return responder->send(answer());
    responder->send({403,
                     {{"x-amzn-ErrorType", "InvalidSignatureException"}, {"Date", http_date(wall)}},
                     R"({"message":"Signature expired"})"});
  };
  auto wire = wire_to(signed_provider(url_));
  EXPECT_EQ(outcome(run(wire)), "Paris");
  EXPECT_EQ(called_, 2);
  EXPECT_EQ(outcome(run(wire)), "Paris");
  EXPECT_EQ(called_, 3) << "it has learnt";
}

TEST_F(CredentialsTest, AreRefusedInAnotherRegion) {  // A2
  config::SimulatorConfig simulated;
  simulated.scale = 0;
  for (const char* region : {"us-east-1", "eu-west-1"}) {
    config::SimulatedEndpoint endpoint;
    endpoint.name = region;
    endpoint.dialect = "bedrock";
    endpoint.region = region;
    endpoint.credentials = config::simulated_credentials();
    simulated.endpoints.push_back(endpoint);
  }
  auto simulator = providers::simulator::SimulatorServer::start(server_loop_, clock_, simulated);
  ASSERT_TRUE(simulator) << simulator.error().what;
  auto to = [&](const std::string& region) {
    return signed_provider(fmt::format("http://127.0.0.1:{}/{}", (*simulator)->port(), region));
  };
  EXPECT_FALSE(run(wire_to(to("us-east-1"), "us-east-1"))->error);
  EXPECT_FALSE(run(wire_to(to("eu-west-1"), "eu-west-1"))->error);
  EXPECT_EQ(outcome(run(wire_to(to("eu-west-1"), "us-east-1"))), "auth");
}

}  // namespace
}  // namespace troupe::actors::testing
