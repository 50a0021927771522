// Google's issuers of access tokens: the metadata server, OAuth for service accounts, impersonation.
#include "providers/simulator/control.hpp"
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kCloudScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kAccessTokenPrefix = "ya29.sim-";
constexpr std::string_view kMetadataRoot = "/computeMetadata/v1";
constexpr std::string_view kAccountsPath = "/instance/service-accounts";
constexpr std::int64_t kAssertionSecondsMax = 3600;

http::Response metadata_answer(int status, std::string type, std::string body) {
  return {status,
          {{"content-type", std::move(type)},
           {"metadata-flavor", "Google"},
           {"server", "Metadata Server for VM"}},
          std::move(body)};
}
http::Response metadata_text(std::string text) {
  return metadata_answer(200, "application/text", std::move(text));
}

Json bearer_json(const std::string& token, std::int64_t seconds) {
  return {{"access_token", token}, {"expires_in", seconds}, {"token_type", "Bearer"}};
}

std::string issue_google(std::string scope, WallTime expires, IssuerDesk& desk) {
  return desk.ledger.issue_bearer(
      kAccessTokenPrefix, {.audience = Audience::google, .scope = std::move(scope), .expires = expires});
}

http::Response metadata_token(const http::Request& request, IssuerDesk& desk) {
  auto query = FormFields::read(query_of(request.target));
  if (!query) return metadata_answer(400, "text/html", "Bad Request");
  const auto& asked = (*query)["scopes"];
  auto expires = desk.expiry();
  auto token = issue_google(asked.empty() ? kCloudScope : asked, expires, desk);
  return metadata_answer(200, "application/json", dump_json(bearer_json(token, desk.seconds_until(expires))));
}

// What is below /instance/service-accounts.
http::Response metadata_account(std::string_view rest, const http::Request& request, IssuerDesk& desk) {
  const auto& email = desk.config.google_account;
  if (rest.empty() || rest == "/") return metadata_text("default/\n" + email + "/\n");
  rest.remove_prefix(1);
  auto end = std::min(rest.find('/'), rest.size());
  auto name = percent_decode(rest.substr(0, end));
  if (name != "default" && name != email) return metadata_answer(404, "text/html", "Not Found");
  auto leaf = rest.substr(end);
  if (leaf == "/token") return metadata_token(request, desk);
  if (leaf == "/email") return metadata_text(email);
  if (leaf == "/scopes") return metadata_text(std::string(kCloudScope) + "\n");
  if (leaf.empty() || leaf == "/") return metadata_text("aliases\nemail\nidentity\nscopes\ntoken\n");
  return metadata_answer(404, "text/html", "Not Found");
}

http::Response refuse_oauth(const char* error, std::string description) {
  return json_response(400, {{"error", error}, {"error_description", std::move(description)}});
}

http::Response refuse_assertion(JwtFlaw flaw) {
  switch (flaw) {
    case JwtFlaw::malformed:
      return refuse_oauth("invalid_grant", "Bad Request: the assertion is not a valid JWT.");
    case JwtFlaw::unknown_signer: return refuse_oauth("invalid_grant", "Invalid grant: account not found");
    case JwtFlaw::bad_signature: return refuse_oauth("invalid_grant", "Invalid JWT Signature.");
    case JwtFlaw::expired: break;
  }
  return refuse_oauth(
      "invalid_grant",
      "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
      "Check your iat and exp values in the JWT claim.");
}

// "3600s": the life asked for; 0 when there is no such member, nothing when it is no length up to 12 h.
std::optional<std::int64_t> asked_lifetime(const Json& body) {
  const auto* member = find(body, "lifetime");
  if (member == nullptr) return 0;
  auto text = get_string(body, "lifetime");
  if (!text.ends_with('s')) return std::nullopt;
  auto seconds = read_digits(std::string_view(text).substr(0, text.size() - 1));
  return seconds && *seconds > 0 && *seconds <= 43'200 ? seconds : std::nullopt;
}

std::string joined_scopes(const Json& body) {
  std::string out;
  const auto* scopes = find(body, "scope");
  if (scopes == nullptr || !scopes->is_array()) return out;
  for (const auto& scope : *scopes) {
    if (scope.is_string()) out += (out.empty() ? "" : " ") + scope.get<std::string>();
  }
  return out;
}

// EMAIL of /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken; empty for anything else.
std::string impersonated(std::string_view target) {
  auto path = percent_decode(path_of(target));
  constexpr std::string_view start = "/v1/projects/-/serviceAccounts/", end = ":generateAccessToken";
  if (!path.starts_with(start) || !path.ends_with(end) || path.size() <= start.size() + end.size()) return {};
  auto email = path.substr(start.size(), path.size() - start.size() - end.size());
  return email.find('/') == std::string::npos ? email : std::string();
}

}  // namespace

http::Response google_refusal(int http_status, const char* status, const std::string& message) {
  return json_response(http_status,
                       {{"error", {{"code", http_status}, {"message", message}, {"status", status}}}});
}

http::Response answer_metadata(const http::Request& request, IssuerDesk& desk) {
  bool proxied = http::find_header(request.headers, "x-forwarded-for") != nullptr;
  if (proxied || header_of(request, "metadata-flavor") != "Google")
    return metadata_answer(403, "text/html", "Your client does not have permission to get this URL.");
  if (request.method != "GET") return metadata_answer(405, "text/html", "Method Not Allowed");
  auto path = path_of(request.target);
  // The root is what clients ask to find out whether they run on Google's machines.
  if (path == "/") return metadata_text("computeMetadata/\n");
  path.remove_prefix(kMetadataRoot.size());
  if (path.starts_with(kAccountsPath))
    return metadata_account(path.substr(kAccountsPath.size()), request, desk);
  if (path == "/project/project-id") return metadata_text(desk.config.google_project);
  if (path == "/project/numeric-project-id") return metadata_text("123456789");
  if (path == "/instance/zone") return metadata_text("projects/123456789/zones/us-central1-a");
  if (path == "/universe/universe-domain") return metadata_text("googleapis.com");
  bool folder = path.empty() || path == "/" || path == "/instance" || path == "/instance/";
  return folder ? metadata_text("service-accounts/\nzone\n") : metadata_answer(404, "text/html", "Not Found");
}

http::Response answer_google_oauth(const http::Request& request, IssuerDesk& desk) {
  if (request.method != "POST") return refuse_oauth("invalid_request", "Use POST.");
  auto form = FormFields::read(request.body);
  if (!form) return refuse_oauth("invalid_request", "The form is malformed.");
  if ((*form)["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer")
    return refuse_oauth("unsupported_grant_type", "Invalid grant_type: " + (*form)["grant_type"]);
  auto jwt = read_jwt((*form)["assertion"], desk);
  if (!jwt) return refuse_assertion(jwt.error());
  bool long_lived = jwt->expires > jwt->issued_at + kAssertionSecondsMax;
  if (long_lived || find(jwt->claims, "iat") == nullptr) return refuse_assertion(JwtFlaw::expired);
  if (jwt->issuer.empty()) return refuse_oauth("invalid_grant", "Invalid grant: account not found");
  // Ours has many addresses, the real one a single one: what matters is that it was meant for a token
  // endpoint.
  if (!get_string(jwt->claims, "aud").ends_with("/token"))
    return refuse_oauth("invalid_grant", "Invalid JWT: Failed audience check.");
  auto scope = get_string(jwt->claims, "scope");
  if (scope.empty())
    return refuse_oauth("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  auto expires = desk.expiry();
  return json_response(200, bearer_json(issue_google(scope, expires, desk), desk.seconds_until(expires)));
}

http::Response answer_google_iam(const http::Request& request, IssuerDesk& desk, const Result<void>& caller) {
  auto email = impersonated(request.target);
  if (email.empty() || request.method != "POST") return google_refusal(404, "NOT_FOUND", "Method not found.");
  if (!caller) return google_refusal(401, "UNAUTHENTICATED", caller.error().vendor_text);
  auto body = parse_json(request.body);
  if (!body || !body->is_object())
    return google_refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
  auto scope = joined_scopes(*body);
  if (scope.empty()) return google_refusal(400, "INVALID_ARGUMENT", "Scope required.");
  auto asked = asked_lifetime(*body);
  if (!asked) return google_refusal(400, "INVALID_ARGUMENT", "The access token lifetime is not valid.");
  auto expires = desk.expiry(*asked);
  return json_response(
      200, {{"accessToken", issue_google(scope, expires, desk)}, {"expireTime", to_second_iso(expires)}});
}

}  // namespace troupe::providers::simulator
