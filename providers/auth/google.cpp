#include "providers/auth/google.hpp"

#include "providers/auth/crypto.hpp"
#include "providers/auth/google_flows.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers {
namespace {

constexpr const char* kGoogleFormType = "application/x-www-form-urlencoded;charset=UTF-8";
constexpr const char* kGoogleTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::int64_t kAssertionSeconds = 3600;

Task<TokenGrant> ask_for_token(Ports& ports, std::string issuer, IssuerCall call) {
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, issuer + " cannot be reached: " + answer.error().what);
  co_return read_oauth_token(issuer, *answer);
}

// gcloud's own login, for development: RFC 6749 section 6.
Task<TokenGrant> google_user(Ports& ports, Json user, GoogleOptions options) {
  auto url = parse_url(options.token_url.empty() ? kGoogleTokenUrl : options.token_url);
  if (!url) co_return std::unexpected(url.error());
  std::vector<std::pair<std::string, std::string>> form{{"grant_type", "refresh_token"},
                                                        {"client_id", get_string(user, "client_id")},
                                                        {"client_secret", get_string(user, "client_secret")},
                                                        {"refresh_token", get_string(user, "refresh_token")}};
  auto asking = ask_for_token(ports, "Google's token endpoint", form_call(*url, form, kGoogleFormType));
  co_return co_await asking;
}

Task<TokenGrant> by_type(Ports& ports, Json file, GoogleOptions options);

Task<TokenGrant> google_impersonated(Ports& ports, Json file, GoogleOptions options) {
  auto source = find(file, "source_credentials");
  // One level; chains are refused below and here rather than half obeyed.
  if (source == nullptr || get_string(*source, "type") == "impersonated_service_account")
    co_return fail(Errc::auth, "the impersonated account's source_credentials are missing or nested");
  if (const auto* delegates = find(file, "delegates"); delegates != nullptr && !delegates->empty())
    co_return fail(Errc::auth, "an impersonated account through delegates is not supported");
  auto asking = by_type(ports, *source, options);
  auto base = co_await asking;
  if (!base) co_return base;
  auto url = get_string(file, "service_account_impersonation_url");
  auto acting = google_impersonate(ports, std::move(url), base->value, options.scope);
  co_return co_await acting;
}

Task<TokenGrant> by_type(Ports& ports, Json file, GoogleOptions options) {
  auto type = get_string(file, "type");
  if (type == "service_account") {
    auto asking = google_service_account(ports, std::move(file), std::move(options));
    co_return co_await asking;
  }
  if (type == "external_account") {
    auto asking = google_external_account(ports, std::move(file), std::move(options));
    co_return co_await asking;
  }
  if (type == "authorized_user") {
    auto asking = google_user(ports, std::move(file), std::move(options));
    co_return co_await asking;
  }
  if (type == "impersonated_service_account") {
    auto asking = google_impersonated(ports, std::move(file), std::move(options));
    co_return co_await asking;
  }
  co_return fail(Errc::auth, "Google's credentials file is of a type we do not read");
}

// The JWT without its signature. The members' order is that of Google's own library.
std::string assertion_of(const Json& key, const GoogleOptions& options, std::int64_t now_s) {
  Json header, claims;
  header["alg"] = "RS256";
  if (auto id = get_string(key, "private_key_id"); !id.empty()) {
    header["typ"] = "JWT";
    header["kid"] = id;
  }
  claims["iss"] = get_string(key, "client_email");
  claims["scope"] = options.scope;
  claims["aud"] = get_string(key, "token_uri", kGoogleTokenUrl);
  claims["exp"] = now_s + kAssertionSeconds;
  claims["iat"] = now_s;
  return base64url(dump_json(header)) + "." + base64url(dump_json(claims));
}

}  // namespace

Task<TokenGrant> google_service_account(Ports& ports, Json key, GoogleOptions options) {
  auto own = get_string(key, "token_uri", kGoogleTokenUrl);
  auto url = parse_url(options.token_url.empty() ? own : options.token_url);
  if (!url) co_return std::unexpected(url.error());
  auto assertion = assertion_of(key, options, ports.wall().ms / 1000);
  auto signature = rs256(get_string(key, "private_key"), assertion);
  if (!signature) co_return std::unexpected(signature.error());
  std::vector<std::pair<std::string, std::string>> form{
      {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
      {"assertion", assertion + "." + base64url(*signature)}};
  auto call = form_call(*url, form, kGoogleFormType);
  call.request.headers.emplace_back("accept", "application/json");
  auto asking = ask_for_token(ports, "Google's token endpoint", std::move(call));
  co_return co_await asking;
}

Task<TokenGrant> google_metadata(Ports& ports, GoogleOptions options) {
  auto base = options.metadata_url;
  if (base.empty())
    base = "http://" + ports.variable("GCE_METADATA_HOST").value_or("metadata.google.internal");
  auto url = parse_url(base + "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" +
                       percent_encode(options.scope));
  if (!url) co_return std::unexpected(url.error());
  IssuerCall call{url->origin,
                  {"GET", url->target, {{"host", url->host}, {"metadata-flavor", "Google"}}, ""},
                  std::chrono::seconds(3)};
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer)
    co_return fail(Errc::auth, "Google's metadata server cannot be reached: " + answer.error().what);
  const auto* flavor = http::find_header(answer->headers, "metadata-flavor");
  if (flavor == nullptr || *flavor != "Google")
    co_return fail(Errc::auth, "what answered is not Google's metadata server");
  co_return read_oauth_token("Google's metadata server", *answer);
}

Task<TokenGrant> google_impersonate(Ports& ports, std::string url_text, BearerToken base, std::string scope) {
  auto url = parse_url(url_text);
  if (!url) co_return std::unexpected(url.error());
  Json body;
  body["scope"] = Json::array({scope});
  body["lifetime"] = "3600s";
  http::Request request{"POST", url->target, {{"host", url->host}}, dump_json(body)};
  request.headers.emplace_back("accept", "application/json");
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("authorization", "Bearer " + base.value);
  IssuerCall call{url->origin, std::move(request)};
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, "iamcredentials cannot be reached: " + answer.error().what);
  if (answer->status != 200)
    co_return refused_by("iamcredentials", answer->status, refusal_code(answer->body));
  auto json = parse_json(answer->body);
  auto token = json ? get_string(*json, "accessToken") : std::string();
  if (token.empty()) co_return fail(Errc::auth, "iamcredentials answered without a token");
  auto life = lifetime_until(get_string(*json, "expireTime"), answer->headers, ports.wall());
  if (!life) co_return std::unexpected(life.error());
  co_return Expiring<BearerToken>{{std::move(token)}, *life};
}

Task<TokenGrant> google_token(Ports& ports, GoogleOptions options) {
  if (options.credentials_file.empty())
    options.credentials_file = ports.variable("GOOGLE_APPLICATION_CREDENTIALS").value_or("");
  if (options.credentials_file.empty()) {
    auto asking = google_metadata(ports, std::move(options));
    co_return co_await asking;
  }
  auto text = ports.read_file(options.credentials_file);
  if (!text)
    co_return fail(Errc::auth,
                   fmt::format("Google's credentials file {} cannot be read", options.credentials_file));
  auto file = parse_json(*text);
  if (!file || !file->is_object())
    co_return fail(Errc::auth,
                   fmt::format("Google's credentials file {} is not JSON", options.credentials_file));
  auto asking = by_type(ports, std::move(*file), std::move(options));
  co_return co_await asking;
}

}  // namespace troupe::providers
