// Google's token exchange: someone else's proof of identity for a Google token.
#include "providers/simulator/control.hpp"
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr const char* kAccessTokenType = "urn:ietf:params:oauth:token-type:access_token";
constexpr const char* kAwsRequestType = "urn:ietf:params:aws:token-type:aws4_request";
constexpr const char* kJwtType = "urn:ietf:params:oauth:token-type:jwt";
constexpr const char* kIdTokenType = "urn:ietf:params:oauth:token-type:id_token";
constexpr const char* kTargetResource = "x-goog-cloud-target-resource";

struct ExchangeRefusal {
  const char* error = "invalid_request";
  std::string description;
};
using Exchange = std::expected<void, ExchangeRefusal>;

std::unexpected<ExchangeRefusal> refuse_exchange(const char* error, std::string description) {
  return std::unexpected(ExchangeRefusal{error, std::move(description)});
}

bool is_provider_resource(std::string_view audience) {
  return audience.starts_with("//iam.googleapis.com/projects/") &&
         audience.find("/workloadIdentityPools/") != std::string_view::npos &&
         audience.find("/providers/") != std::string_view::npos;
}

Exchange check_envelope(const FormFields& form, const IssuerDesk& desk) {
  if (form["grant_type"] != kTokenExchange)
    return refuse_exchange("unsupported_grant_type", "Invalid value for \"grant_type\".");
  if (form["requested_token_type"] != kAccessTokenType)
    return refuse_exchange("invalid_request", "Invalid value for \"requested_token_type\".");
  const auto& wanted = desk.config.google_audience;
  const auto& audience = form["audience"];
  if (!is_provider_resource(audience) || (!wanted.empty() && audience != wanted))
    return refuse_exchange("invalid_request", "Invalid value for \"audience\".");
  if (form["scope"].empty()) return refuse_exchange("invalid_scope", "Missing required field: \"scope\".");
  return {};
}

// "https://sts.REGION.amazonaws.com?Action=..." to host and target; both empty for anything else.
std::pair<std::string, std::string> split_sts_url(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  if (!url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  auto end = std::min(url.find_first_of("/?"), url.size());
  auto host = url.substr(0, end);
  auto target = std::string(url.substr(end));
  bool ours = host == "sts.amazonaws.com" || (host.starts_with("sts.") && host.ends_with(".amazonaws.com"));
  if (!ours) return {};
  return {std::string(host), target.starts_with('/') ? target : "/" + target};
}

// The request that AWS would get if Google passed it on.
std::optional<http::Request> signed_request(const Json& token) {
  auto [host, target] = split_sts_url(get_string(token, "url"));
  const auto* headers = find(token, "headers");
  auto query = FormFields::read(query_of(target));
  if (host.empty() || headers == nullptr || !headers->is_array() || headers->size() > 32) return std::nullopt;
  if (get_string(token, "method") != "POST" || !query || (*query)["Action"] != "GetCallerIdentity")
    return std::nullopt;
  http::Request request{.method = "POST", .target = target, .headers = {}, .body = {}};
  for (const auto& header : *headers)
    request.headers.emplace_back(get_string(header, "key"), get_string(header, "value"));
  return header_of(request, "host") == host ? std::optional(std::move(request)) : std::nullopt;
}

Exchange check_aws_token(const FormFields& form, const IssuerDesk& desk) {
  // Encoded on its own before the form was (WIRE 4.6).
  auto token = parse_json(percent_decode(form["subject_token"]));
  auto request = token ? signed_request(*token) : std::nullopt;
  if (!request) return refuse_exchange("invalid_request", "Invalid value for \"subject_token\".");
  if (header_of(*request, kTargetResource) != form["audience"]) {
    return refuse_exchange(
        "invalid_grant",
        fmt::format("The value of the {} header does not match the audience.", kTargetResource));
  }
  auto scope = claimed_scope(*request);
  auto caller = signed_by(*request, desk.ledger, desk.wall);
  if (caller && scope && scope->service == "sts") return {};
  auto name = caller ? "SignatureDoesNotMatch" : aws_error_names(caller.error()).query;
  return refuse_exchange("invalid_grant",
                         fmt::format("Received invalid AWS response of type {} with error message: {}", name,
                                     caller ? "Credential should be scoped to correct service: 'sts'."
                                            : caller.error().vendor_text));
}

Exchange check_jwt_token(const FormFields& form, const IssuerDesk& desk) {
  auto jwt = read_jwt(form["subject_token"], desk);
  if (!jwt) {
    switch (jwt.error()) {
      case JwtFlaw::malformed: return refuse_exchange("invalid_request", "Unable to parse the ID Token.");
      case JwtFlaw::expired:
        return refuse_exchange("invalid_grant",
                               "ID Token issued in the future, or its expiration has passed.");
      default: return refuse_exchange("invalid_grant", "Error verifying the ID Token's signature.");
    }
  }
  bool whole = !jwt->issuer.empty() && !get_string(jwt->claims, "sub").empty();
  if (!whole) return refuse_exchange("invalid_grant", "The ID Token lacks \"iss\" or \"sub\".");
  return {};
}

Exchange check_subject(const FormFields& form, const IssuerDesk& desk) {
  const auto& type = form["subject_token_type"];
  if (type == kAwsRequestType) return check_aws_token(form, desk);
  if (type == kJwtType || type == kIdTokenType) return check_jwt_token(form, desk);
  return refuse_exchange("invalid_request", "Invalid value for \"subject_token_type\".");
}

http::Response write_exchange_refusal(const ExchangeRefusal& refusal) {
  return json_response(400, {{"error", refusal.error}, {"error_description", refusal.description}});
}

}  // namespace

http::Response answer_google_sts(const http::Request& request, IssuerDesk& desk) {
  auto form = FormFields::read(request.body);
  if (request.method != "POST" || !form)
    return write_exchange_refusal({"invalid_request", "A POST of a form is expected."});
  if (auto sound = check_envelope(*form, desk); !sound) return write_exchange_refusal(sound.error());
  if (auto known = check_subject(*form, desk); !known) return write_exchange_refusal(known.error());
  auto expires = desk.expiry();
  auto token = desk.ledger.issue_bearer(
      "ya29.d.sim-", {.audience = Audience::google, .scope = (*form)["scope"], .expires = expires});
  return json_response(200, {{"access_token", token},
                             {"issued_token_type", kAccessTokenType},
                             {"token_type", "Bearer"},
                             {"expires_in", desk.seconds_until(expires)}});
}

}  // namespace troupe::providers::simulator
