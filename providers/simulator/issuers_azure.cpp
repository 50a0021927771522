// Microsoft Entra ID: an application's token, by its secret or by an assertion it signed.
#include "providers/auth/crypto.hpp"
#include "providers/simulator/control.hpp"
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct EntraRefusal {
  int status = 400;
  const char* error = "invalid_request";
  int number = 900144;
  std::string message;
};
using Entra = std::expected<void, EntraRefusal>;

std::unexpected<EntraRefusal> refuse_entra(int status, const char* error, int number, std::string message) {
  return std::unexpected(EntraRefusal{status, error, number, std::move(message)});
}

http::Response write_entra_refusal(const EntraRefusal& refusal, IssuerDesk& desk) {
  auto trace = desk.ledger.uuid(), correlation = desk.ledger.uuid();
  auto timestamp = to_second_iso(desk.wall);
  std::ranges::replace(timestamp, 'T', ' ');
  auto text = fmt::format("AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}", refusal.number,
                          refusal.message, trace, correlation, timestamp);
  return json_response(refusal.status, {{"error", refusal.error},
                                        {"error_description", text},
                                        {"error_codes", Json::array({refusal.number})},
                                        {"timestamp", timestamp},
                                        {"trace_id", trace},
                                        {"correlation_id", correlation}});
}

// TENANT of /TENANT/oauth2/v2.0/token.
std::string_view tenant_of(std::string_view target) {
  auto path = path_of(target).substr(1);
  return path.substr(0, path.find('/'));
}

Entra check_assertion(const FormFields& form, const IssuerDesk& desk) {
  if (form["client_assertion_type"] != kAssertionType)
    return refuse_entra(400, "invalid_request", 900144,
                        "The 'client_assertion_type' parameter is not valid.");
  auto jwt = read_jwt(form["client_assertion"], desk);
  if (jwt) {
    // An assertion of its own names the application itself; one of a trusted issuer only its subject.
    bool whole = !jwt->issuer.empty() && !get_string(jwt->claims, "sub").empty();
    if (whole) return {};
    return refuse_entra(401, "invalid_client", 700027, "The client assertion lacks 'iss' or 'sub'.");
  }
  switch (jwt.error()) {
    case JwtFlaw::malformed:
      return refuse_entra(401, "invalid_client", 50027, "JWT token is invalid or malformed.");
    case JwtFlaw::expired:
      return refuse_entra(401, "invalid_client", 700024,
                          "Client assertion is not within its valid time range.");
    case JwtFlaw::unknown_signer:
      return refuse_entra(401, "invalid_client", 70021,
                          "No matching federated identity record found for presented assertion.");
    case JwtFlaw::bad_signature: break;
  }
  return refuse_entra(401, "invalid_client", 700027, "Client assertion failed signature validation.");
}

Entra check_client(const FormFields& form, const IssuerDesk& desk) {
  const auto& id = form["client_id"];
  const auto& known = desk.config;
  if (id.empty() || (!known.azure_client_id.empty() && id != known.azure_client_id))
    return refuse_entra(400, "unauthorized_client", 700016, "Application was not found in the directory.");
  if (!form["client_assertion"].empty()) return check_assertion(form, desk);
  const auto& secret = form["client_secret"];
  if (secret.empty())
    return refuse_entra(401, "invalid_client", 7000218,
                        "The request body must contain the following parameter: 'client_assertion' or "
                        "'client_secret'.");
  if (!known.azure_client_secret.empty() && !same_in_constant_time(secret, known.azure_client_secret))
    return refuse_entra(401, "invalid_client", 7000215, "Invalid client secret provided.");
  return {};
}

Entra check_grant(std::string_view tenant, const FormFields& form, const IssuerDesk& desk) {
  if (!desk.config.azure_tenant.empty() && tenant != desk.config.azure_tenant)
    return refuse_entra(400, "invalid_request", 90002, "Tenant not found.");
  if (form["grant_type"] != "client_credentials")
    return refuse_entra(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
  if (form["scope"].empty())
    return refuse_entra(400, "invalid_request", 900144,
                        "The request body must contain the following parameter: 'scope'.");
  if (!form["scope"].ends_with("/.default"))
    return refuse_entra(
        400, "invalid_scope", 1002012,
        "The provided value for scope is not valid. Client credential flows must have a scope "
        "value with /.default suffixed to the resource identifier.");
  return check_client(form, desk);
}

// Clients take it as opaque, but the real one is a JWT, and some look inside.
std::string token_head(std::string_view tenant, const FormFields& form, WallTime expires,
                       const IssuerDesk& desk) {
  const auto& scope = form["scope"];
  Json claims{{"aud", scope.substr(0, scope.size() - std::string_view("/.default").size())},
              {"iss", fmt::format("https://sts.windows.net/{}/", tenant)},
              {"iat", desk.wall.ms / 1000},
              {"exp", expires.ms / 1000},
              {"appid", form["client_id"]},
              {"tid", std::string(tenant)}};
  return base64url(R"({"typ":"JWT","alg":"RS256"})") + "." + base64url(dump_json(claims)) + ".";
}

}  // namespace

http::Response answer_azure(const http::Request& request, IssuerDesk& desk) {
  auto form = FormFields::read(request.body);
  if (request.method != "POST" || !form)
    return write_entra_refusal({400, "invalid_request", 900561, "The endpoint only accepts POST of a form."},
                               desk);
  auto tenant = tenant_of(request.target);
  if (auto granted = check_grant(tenant, *form, desk); !granted)
    return write_entra_refusal(granted.error(), desk);
  auto expires = desk.expiry();
  auto token =
      desk.ledger.issue_bearer(token_head(tenant, *form, expires, desk),
                               {.audience = Audience::azure, .scope = (*form)["scope"], .expires = expires});
  auto seconds = desk.seconds_until(expires);
  return json_response(200, {{"token_type", "Bearer"},
                             {"expires_in", seconds},
                             {"ext_expires_in", seconds},
                             {"access_token", token}});
}

}  // namespace troupe::providers::simulator
