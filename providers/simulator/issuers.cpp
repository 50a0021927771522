#include "providers/simulator/issuers.hpp"

#include "providers/auth/crypto.hpp"
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/simulator_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::providers::simulator {
namespace {

constexpr std::array kServiceNames = {"aws_sts",      "aws_instance", "aws_container", "google_metadata",
                                      "google_oauth", "google_sts",   "google_iam",    "azure"};
constexpr const char* kGoogleUnauthenticated =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
constexpr const char* kAzureUnauthenticated =
    "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired.";

IssuedKey static_key(const config::SimulatedIssuers& config) {
  auto known = config::simulated_credentials();
  IssuedKey key;
  key.credentials = {known.access_key_id, known.secret_access_key, config.static_session_token};
  key.arn = fmt::format("arn:aws:iam::{}:user/simulated", config.aws_account);
  key.user_id = "AIDASIMULATEDEXAMPLE1";
  key.expires = {std::numeric_limits<std::int64_t>::max()};
  return key;
}

std::unexpected<Error> refuse_call(Errc code, std::string what, std::string vendor_text) {
  auto error = make_error(code, std::move(what));
  error.vendor_text = std::move(vendor_text);
  return std::unexpected(std::move(error));
}

bool is_azure_path(std::string_view path) {
  constexpr std::string_view end = "/oauth2/v2.0/token";
  auto tenant = path.substr(1, path.size() - std::min(path.size(), end.size() + 1));
  return path.ends_with(end) && !tenant.empty() && tenant.find('/') == std::string_view::npos;
}

bool is_container_path(std::string_view path) {
  constexpr std::string_view ecs = "/v2/credentials/";
  return path == "/v1/credentials" || (path.starts_with(ecs) && path.size() > ecs.size());
}

}  // namespace

Issuers::Issuers(config::SimulatedIssuers config, std::uint64_t seed)
    : config_(std::move(config)), ledger_(seed, std::max<std::size_t>(config_.issued_max, 1)) {
  ledger_.set_static_key(static_key(config_));
}

std::optional<Issuers::Service> Issuers::find_service(const http::Request& request) {
  auto path = path_of(request.target);
  if (!path.starts_with('/')) return std::nullopt;
  if (path == "/") {
    if (is_sts_request(request)) return Service::sts;
    bool asks_flavor = http::find_header(request.headers, "metadata-flavor") != nullptr;
    return asks_flavor ? std::optional(Service::metadata) : std::nullopt;
  }
  if (path == "/token") return Service::oauth;
  if (path == "/v1/token") return Service::google_sts;
  if (path == "/latest/api/token" || path.starts_with("/latest/meta-data/") ||
      path.starts_with("/latest/dynamic/"))
    return Service::instance;
  if (is_container_path(path)) return Service::container;
  if (path == "/computeMetadata/v1" || path.starts_with("/computeMetadata/v1/")) return Service::metadata;
  if (path.starts_with("/v1/projects/-/serviceAccounts/")) return Service::google_iam;
  return is_azure_path(path) ? std::optional(Service::azure) : std::nullopt;
}

http::Response Issuers::answer(Service service, const http::Request& request, WallTime wall) {
  IssuerDesk desk{config_, ledger_, wall};
  switch (service) {
    case Service::sts: return answer_sts(request, desk);
    case Service::instance: return answer_instance(request, desk);
    case Service::container: return answer_container(request, desk);
    case Service::metadata: return answer_metadata(request, desk);
    case Service::oauth: return answer_google_oauth(request, desk);
    case Service::google_sts: return answer_google_sts(request, desk);
    case Service::google_iam:
      return answer_google_iam(request, desk, check_bearer(bearer_of(request), Audience::google, wall));
    case Service::azure: break;
  }
  return answer_azure(request, desk);
}

std::optional<http::Response> Issuers::respond(const http::Request& request, WallTime wall) {
  auto service = find_service(request);
  if (!service) return std::nullopt;
  http::Response response;
  if (down_) {
    response = {503, {{"content-type", "text/plain"}}, "Service Unavailable"};
  } else if (request.body.size() > body_bytes_max) {
    response = {413, {{"content-type", "text/plain"}}, "Payload Too Large"};
  } else {
    response = answer(*service, request, wall);
  }
  // Clients correct their clocks by it (WIRE 2.1).
  http::set_header(response.headers, "date", to_http_date(wall));
  auto& count = counts_[static_cast<std::size_t>(*service)];
  ++(response.status < 400 ? count.granted : count.refused);
  return response;
}

Result<void> Issuers::check_bearer(std::string_view token, Audience audience, WallTime wall) const {
  bool google = audience == Audience::google;
  const char* text = google ? kGoogleUnauthenticated : kAzureUnauthenticated;
  static const auto api_key = config::simulated_credentials().api_key;
  if (same_in_constant_time(token, api_key)) return {};
  const auto* known = ledger_.find_bearer(token);
  if (known == nullptr || known->audience != audience)
    return refuse_call(Errc::auth, "not a token issued for this cloud", text);
  if (wall >= known->expires) return refuse_call(Errc::auth, "the token has expired", text);
  bool for_models = google || known->scope.starts_with("https://cognitiveservices.azure.com/") ||
                    known->scope.starts_with("https://ai.azure.com/");
  if (!for_models) return refuse_call(Errc::auth, "the token is for another service", text);
  return {};
}

Result<void> Issuers::check_signed(const http::Request& request, const SigningScope& scope,
                                   WallTime wall) const {
  auto claimed = claimed_scope(request);
  if (claimed && !scope.service.empty() && claimed->service != scope.service)
    return refuse_call(Errc::auth, "signed for another service",
                       fmt::format("Credential should be scoped to correct service: '{}'.", scope.service));
  if (claimed && claimed->region != scope.region)
    return refuse_call(
        Errc::auth, "signed for another region",
        fmt::format("Credential should be scoped to a valid region, not '{}'.", claimed->region));
  auto key = signed_by(request, ledger_, wall);
  if (!key) return std::unexpected(key.error());
  if ((*key)->region.empty() || (*key)->region == scope.region) return {};
  return refuse_call(
      Errc::permission, "the role may not call in this region",
      fmt::format("User: {} is not authorized to perform this action in {} with an explicit deny "
                  "in a service control policy",
                  (*key)->arn, scope.region));
}

CredentialLookup Issuers::lookup() const {
  return [this](std::string_view id) {
    const auto* key = ledger_.find_key(id);
    return key == nullptr ? nullptr : &key->credentials;
  };
}

Json Issuers::stats() const {
  Json services = Json::object();
  for (std::size_t i = 0; i < service_count; ++i) {
    const auto& count = counts_[i];
    services[kServiceNames[i]] = {
        {"requests", count.granted + count.refused}, {"granted", count.granted}, {"refused", count.refused}};
  }
  return {{"down", down_},
          {"delay_s", seconds(delay_)},
          {"keys", ledger_.keys()},
          {"bearers", ledger_.bearers()},
          {"services", std::move(services)}};
}

}  // namespace troupe::providers::simulator
