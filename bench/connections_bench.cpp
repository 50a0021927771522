// What a call after an idle hour waits for: the time from asking to the first event of the answer, over TLS
// on loopback, with a connection kept warm, with a TLS session to resume, and with neither; and with the
// credential fetched beforehand or not. ./dev bench connections
//
// The idle hour is modelled, not waited for: the server closes every connection after its answer, so that
// each call finds what the client has prepared and nothing else. `cold` keeps no TLS session either, as after
// an hour in which the server's tickets have expired. Names are not looked up, and loopback has no distance:
// each of TCP, TLS and a fetched credential costs a round trip or more besides on a real network.
#include "bench/figures.hpp"
#include "bench/typical_call.hpp"

#include "actors/attempt.hpp"
#include "actors/credentials.hpp"
#include "providers/serve.hpp"
#include "runtime/http/server.hpp"
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"

#include <cstdlib>

namespace troupe::bench {
namespace {

using http::testing::eventually;
using http::testing::on_loop;

constexpr std::size_t kRepetitions = 250, kUncounted = 10;
constexpr auto kIssuerTakes = std::chrono::milliseconds(50);
constexpr const char* kDialect = "azure_openai";
constexpr const char* kTokenAnswer = R"({"access_token":"token","token_type":"Bearer","expires_in":3600})";

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "connections: {}\n", what);
  std::exit(1);
}

std::string short_answer() {
  auto writer = providers::find_dialect_server(kDialect)->stream_writer({});
  auto bytes = writer->write(StreamStarted{"model-1"}) + writer->write(TextDelta{"Yes."});
  return bytes + writer->write(StreamStopped{StopReason::stop, {}}) + writer->finish();
}

// The provider, over TLS, and beside it the issuer of its credentials, slow and in plain HTTP.
class Clouds {
 public:
  explicit Clouds(const http::testing::TestAuthority& authority) {
    auto files = authority.issue("server", "DNS:localhost");
    http::ServerConfig secure;
    secure.certificate_file = files.certificate;
    secure.key_file = files.key;
    auto head = providers::find_dialect_server(kDialect)->stream_head({});
    head.headers.emplace_back("Connection", "close");
    auto answer = [head, bytes = short_answer()](const http::Request&, std::shared_ptr<http::Responder> to) {
      to->begin(head);
      to->write(bytes);
      to->finish(http::Ending::complete);
    };
    auto issue = [this](const http::Request&, std::shared_ptr<http::Responder> to) {
      timers_.push_back(loop_.after(kIssuerTakes, [to] {
        to->send({200, {{"Content-Type", "application/json"}}, kTokenAnswer});
      }));
    };
    auto provider = http::Server::listen(loop_, secure, answer),
         issuer = http::Server::listen(loop_, {}, issue);
    if (!provider || !issuer) give_up("no server");
    provider_ = std::move(*provider);
    issuer_ = std::move(*issuer);
  }
  ~Clouds() {
    on_loop(loop_, [this] { return timers_.clear(), 0; });
  }
  http::Origin origin() const { return {true, "localhost", provider_->port()}; }
  std::string token_url() const { return fmt::format("http://127.0.0.1:{}/token", issuer_->port()); }

 private:
  http::Loop loop_;
  std::vector<std::unique_ptr<http::Loop::Timer>> timers_;
  std::unique_ptr<http::Server> provider_, issuer_;
};

// Notes when the first event came.
struct FirstEvent final : actors::StreamSink {
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent>) override {
    if (at == Instant{}) at = system_clock().now();
  }
  Instant at{};
};

enum class Credential { none, fetched_before, fetched_when_asked };

struct Case {
  const char* name;
  http::Client* client;
  Credential credential = Credential::none;
  std::vector<double> us = {};
};

class Bench {
 public:
  Bench() {
    config_.ca_file = authority_.ca_file();
    config_.resolve = [](const std::string&, http::Found found) {
      found(std::vector<std::string>{"127.0.0.1"});
    };
    // Only so that two calls need not lie a second apart.
    config_.warm_retry_min = config_.warm_retry_max = std::chrono::milliseconds(1);
    resuming_.emplace(loop_, config_);
    config_.tls_sessions_max = 0;
    cold_.emplace(loop_, config_);
    warm_.emplace(loop_, config_);
    on_loop(loop_, [this] { return warm_->warm(clouds_.origin(), 1), 0; });
    provider_.dialect = kDialect;
    provider_.auth.kind = config::AuthKind::azure;
    provider_.auth.tenant_id = provider_.auth.client_id = "bench";
    provider_.auth.client_secret.reference = "${TROUPE_BENCH_SECRET}";
    provider_.auth.token_url = clouds_.token_url();
  }
  // Credentials outlive what their loop does.
  ~Bench() { loop_.stop(); }

  void run() {
    using enum Credential;
    std::vector<Case> cases{{"warm", &*warm_},
                            {"resumed", &*resuming_},
                            {"cold", &*cold_},
                            {"warm_credential_ready", &*warm_, fetched_before},
                            {"cold_credential_missing", &*cold_, fetched_when_asked}};
    for (std::size_t i = 0; i < kRepetitions + kUncounted; ++i)
      for (auto& each : cases) {
        auto us = first_event_us(each);
        if (i >= kUncounted) each.us.push_back(us);
      }
    for (const auto& each : cases)
      print_spread(fmt::format("connections.{}", each.name), each.us, {0.1, 0.9}, "us");
    print_ratios(cases);
    auto resumed = on_loop(loop_, [this] { return resuming_->stats().resumed_total; });
    print("connections.sessions_resumed", static_cast<double>(resumed), "1");
  }

 private:
  // Of the calls of one round, which lie milliseconds apart.
  static void print_ratios(const std::vector<Case>& cases) {
    auto ratio = [&](const char* name, const Case& of, const Case& to) {
      std::vector<double> ratios;
      for (std::size_t i = 0; i < of.us.size(); ++i) ratios.push_back(of.us[i] / to.us[i]);
      print_spread(fmt::format("connections.ratio.{}", name), ratios, {0.1, 0.9}, "x");
    };
    ratio("cold_to_warm", cases[2], cases[0]);
    ratio("resumed_to_warm", cases[1], cases[0]);
    ratio("cold_to_resumed", cases[2], cases[1]);
    ratio("cold_credential_missing_to_warm_ready", cases[4], cases[3]);
  }

  std::shared_ptr<actors::Authorizer> authorizer(Credential credential) {
    if (credential == Credential::none) return nullptr;
    credentials_.push_back(std::make_unique<actors::Credentials>(loop_, system_clock(), nullptr));
    actors::Credentials::Place place{"bench", &provider_, "", providers::find_dialect(kDialect), &*cold_};
    auto made = credentials_.back()->authorizer(place);
    if (!made) give_up(made.error().what);
    if (credential == Credential::fetched_when_asked) return *made;
    credentials_.back()->prefetch();
    eventually([&] { return on_loop(loop_, [&] { return (*made)->ready(); }); });
    return *made;
  }

  // Nothing is being opened or closed any more.
  void settle() {
    bool quiet = eventually([this] {
      return on_loop(loop_, [this] {
        auto warm = warm_->stats();
        return warm.idle == 1 && warm.open == 1 && resuming_->stats().open == 0 && cold_->stats().open == 0;
      });
    });
    if (!quiet) give_up("connections do not come to rest");
  }

  double first_event_us(const Case& each) {
    auto wire = std::make_shared<actors::Wire>();
    wire->endpoint = "bench";
    wire->dialect = providers::find_dialect(kDialect);
    wire->target = typical_target(kDialect);
    wire->origin = clouds_.origin();
    wire->authorizer = authorizer(each.credential);
    settle();
    auto sink = std::make_shared<FirstEvent>();
    actors::RunAttempt order;
    order.request = request_;
    order.sink = sink;
    std::promise<actors::AttemptResultPtr> ended;
    Instant began;
    auto attempt = on_loop(loop_, [&] {
      began = system_clock().now();
      order.deadline = began + std::chrono::seconds(20);
      return actors::HttpAttempt::start(wire, order, loop_, *each.client, system_clock(),
                                        [&](actors::AttemptResultPtr result) { ended.set_value(result); });
    });
    auto result = ended.get_future().get();
    if (result->error) give_up(result->error->what);
    on_loop(loop_, [&] { return attempt.reset(), 0; });
    return seconds(sink->at - began) * 1e6;
  }

  http::testing::TestAuthority authority_{"Troupe bench authority"};
  Clouds clouds_{authority_};
  http::ClientConfig config_;
  config::ProviderConfig provider_;
  std::vector<std::unique_ptr<actors::Credentials>> credentials_;
  std::optional<http::Client> warm_, resuming_, cold_;
  std::shared_ptr<const CompletionRequest> request_ =
      std::make_shared<const CompletionRequest>(typical_request());
  http::Loop loop_;
};

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "connections")) return 0;
  ::setenv("TROUPE_BENCH_SECRET", "not a secret", 1);
  troupe::bench::Bench().run();
}
