// Workload identity federation: an identity elsewhere becomes a Google token, with no secret of Google's
// kept.
#include "providers/auth/aws_chain.hpp"
#include "providers/auth/google_flows.hpp"
#include "providers/auth/sigv4.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::providers {
namespace {

// What Google's own libraries ask IMDS for.
constexpr int kGoogleImdsSeconds = 300;

std::string replace_region(std::string text, const std::string& region) {
  constexpr std::string_view hole = "{region}";
  auto at = text.find(hole);
  return at == std::string::npos ? text : text.replace(at, hole.size(), region);
}

// "http://169.254.169.254/latest/meta-data/..." in its base and the rest.
Result<std::pair<std::string, std::string>> split_url(const std::string& text) {
  auto url = parse_url(text);
  if (!url) return std::unexpected(url.error());
  return std::pair((url->origin.tls ? "https://" : "http://") + url->host, url->target);
}

Task<Result<std::string>> aws_region(Ports& ports, Json source) {
  if (auto region = ports.variable("AWS_REGION")) co_return *region;
  if (auto region = ports.variable("AWS_DEFAULT_REGION")) co_return *region;
  auto place = split_url(get_string(source, "region_url"));
  if (!place)
    co_return fail(Errc::auth, "AWS's region is not known: set AWS_REGION, or region_url in the file");
  Imds imds(ports, place->first, kGoogleImdsSeconds);
  auto asking = imds.get(place->second);
  auto zone = co_await asking;
  if (!zone) co_return std::unexpected(zone.error());
  // us-east-1b is a zone of us-east-1.
  auto region = zone->body.substr(0, zone->body.find_last_not_of(" \r\n"));
  if (region.empty()) co_return fail(Errc::auth, "IMDS names no zone");
  co_return region;
}

// Keys of the environment first, then our own chain where a container or web identity is set up, then IMDS at
// the address the file gives.
Task<AwsGrant> aws_identity(Ports& ports, Json source) {
  bool chained = ports.variable("AWS_ACCESS_KEY_ID") || ports.variable("AWS_WEB_IDENTITY_TOKEN_FILE") ||
                 has_container_credentials(ports);
  auto place = split_url(get_string(source, "url"));
  if (chained || !place) {
    auto asking = aws_credentials(ports, {});
    co_return co_await asking;
  }
  Imds imds(ports, place->first, kGoogleImdsSeconds);
  auto asking = imds.credentials(place->second);
  co_return co_await asking;
}

// The text itself, or one member of it when the file says format {type: json}.
Result<std::string> token_in(const std::string& text, const Json& source) {
  const auto* format = find(source, "format");
  std::string token = text;
  if (format != nullptr && get_string(*format, "type") == "json") {
    auto json = parse_json(text);
    if (!json) return fail(Errc::auth, "the subject token's JSON cannot be read");
    token = get_string(*json, get_string(*format, "subject_token_field_name"));
  }
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  if (token.empty()) return fail(Errc::auth, "the subject token is empty");
  return token;
}

Task<Result<std::string>> subject_from_url(Ports& ports, Json source) {
  auto url = parse_url(get_string(source, "url"));
  if (!url) co_return std::unexpected(url.error());
  http::Request request{"GET", url->target, {{"host", url->host}}, ""};
  const auto* headers = find(source, "headers");
  if (headers != nullptr && headers->is_object())
    for (const auto& [name, value] : headers->items())
      if (value.is_string()) request.headers.emplace_back(name, value.get<std::string>());
  IssuerCall call{url->origin, std::move(request)};
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer)
    co_return fail(Errc::auth, "the subject token's URL cannot be reached: " + answer.error().what);
  if (answer->status != 200) co_return refused_by("the subject token's URL", answer->status);
  co_return token_in(answer->body, source);
}

Task<Result<std::string>> subject_token(Ports& ports, Json account) {
  const auto* found = find(account, "credential_source");
  Json source = found != nullptr ? *found : Json::object();
  if (get_string(source, "environment_id").starts_with("aws")) {
    auto asking = google_aws_subject(ports, account);
    co_return co_await asking;
  }
  if (auto path = get_string(source, "file"); !path.empty()) {
    auto text = ports.read_file(path);
    if (!text) co_return fail(Errc::auth, fmt::format("the subject token's file {} cannot be read", path));
    co_return token_in(*text, source);
  }
  if (!get_string(source, "url").empty()) {
    auto asking = subject_from_url(ports, source);
    co_return co_await asking;
  }
  co_return fail(Errc::auth, "an external account's credential_source must be aws1, a file or a url");
}

}  // namespace

Task<Result<std::string>> google_aws_subject(Ports& ports, Json account) {
  auto source = account["credential_source"];
  auto locating = aws_region(ports, source);
  auto region = co_await locating;
  if (!region) co_return std::unexpected(region.error());
  auto identifying = aws_identity(ports, source);
  auto identity = co_await identifying;
  if (!identity) co_return std::unexpected(identity.error());
  auto where = replace_region(get_string(source, "regional_cred_verification_url"), *region);
  auto url = parse_url(where);
  if (!url) co_return std::unexpected(url.error());
  http::Request request{"POST", url->target, {{"host", url->host}}, ""};
  auto signed_ok = sign(request, identity->value, {*region, "sts"}, ports.wall());
  if (!signed_ok) co_return std::unexpected(signed_ok.error());
  // Not signed, as Google's own libraries leave it; it ties the token to one pool.
  request.headers.emplace_back("x-goog-cloud-target-resource", get_string(account, "audience"));
  std::ranges::sort(request.headers);
  Json subject;
  subject["url"] = where;
  subject["method"] = "POST";
  subject["headers"] = Json::array();
  for (const auto& [name, value] : request.headers)
    subject["headers"].push_back(Json{{"key", name}, {"value", value}});
  co_return percent_encode(dump_json(subject));
}

Task<TokenGrant> google_external_account(Ports& ports, Json account, GoogleOptions options) {
  auto given = options.token_url.empty() ? get_string(account, "token_url") : options.token_url;
  auto url = parse_url(given);
  if (!url) co_return std::unexpected(url.error());
  auto proving = subject_token(ports, account);
  auto subject = co_await proving;
  if (!subject) co_return std::unexpected(subject.error());
  std::vector<std::pair<std::string, std::string>> form{
      {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
      {"audience", get_string(account, "audience")},
      {"scope", options.scope},
      {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
      {"subject_token", *subject},
      {"subject_token_type", get_string(account, "subject_token_type")}};
  auto call = form_call(*url, form, "application/x-www-form-urlencoded;charset=UTF-8");
  call.request.headers.emplace_back("accept", "application/json");
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, "Google's STS cannot be reached: " + answer.error().what);
  auto federated = read_oauth_token("Google's STS", *answer);
  auto acting_as = get_string(account, "service_account_impersonation_url");
  if (!federated || acting_as.empty()) co_return federated;
  auto acting = google_impersonate(ports, std::move(acting_as), federated->value, options.scope);
  co_return co_await acting;
}

}  // namespace troupe::providers
