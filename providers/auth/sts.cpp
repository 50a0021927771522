#include "providers/auth/sts.hpp"

#include "providers/auth/sigv4.hpp"
#include "providers/auth/xml.hpp"
#include "providers/retry_hint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::providers {
namespace {

constexpr int kIdentityTriesMax = 3;
constexpr const char* kFormType = "application/x-www-form-urlencoded";

Result<Url> sts_url(const StsPlace& place) {
  if (!place.url.empty()) return parse_url(place.url);
  if (place.region.empty())
    return fail(Errc::auth, "a region is needed to find STS; give the provider one, or set AWS_REGION");
  const char* china = place.region.starts_with("cn-") ? ".cn" : "";
  return parse_url(fmt::format("https://sts.{}.amazonaws.com{}", place.region, china));
}

std::string sts_error_code(const http::Response& response) {
  auto leaves = read_xml_leaves(response.body);
  if (!leaves) return {};
  auto code = leaves->find("ErrorResponse/Error/Code");
  return code == leaves->end() ? std::string() : code->second;
}

}  // namespace

Result<IssuerCall> assume_role_call(const StsPlace& place, const RoleOrder& role) {
  auto url = sts_url(place);
  if (!url) return std::unexpected(url.error());
  std::vector<std::pair<std::string, std::string>> form{{"Action", "AssumeRole"},
                                                        {"Version", "2011-06-15"},
                                                        {"RoleArn", role.role_arn},
                                                        {"RoleSessionName", role.session_name},
                                                        {"DurationSeconds", "3600"}};
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  return form_call(*url, form, kFormType);
}

Result<IssuerCall> web_identity_call(const StsPlace& place, const RoleOrder& role, const std::string& token) {
  auto url = sts_url(place);
  if (!url) return std::unexpected(url.error());
  std::vector<std::pair<std::string, std::string>> form{{"Action", "AssumeRoleWithWebIdentity"},
                                                        {"Version", "2011-06-15"},
                                                        {"RoleArn", role.role_arn},
                                                        {"RoleSessionName", role.session_name},
                                                        {"WebIdentityToken", token}};
  return form_call(*url, form, kFormType);
}

AwsGrant read_sts_answer(std::string_view action, const http::Response& response, WallTime wall) {
  if (response.status != 200) return refused_by("STS", response.status, sts_error_code(response));
  auto leaves = read_xml_leaves(response.body);
  if (!leaves) return fail(Errc::auth, "STS answered with something that is not its XML");
  auto leaf = [&](std::string_view name) {
    auto it = leaves->find(fmt::format("{0}Response/{0}Result/Credentials/{1}", action, name));
    return it == leaves->end() ? std::string() : it->second;
  };
  AwsCredentials credentials{leaf("AccessKeyId"), leaf("SecretAccessKey"), leaf("SessionToken")};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      credentials.session_token.empty())
    return fail(Errc::auth, "STS answered without credentials");
  auto life = lifetime_until(leaf("Expiration"), response.headers, wall);
  if (!life) return std::unexpected(life.error());
  return Expiring<AwsCredentials>{std::move(credentials), *life};
}

Task<AwsGrant> assume_role(Ports& ports, StsPlace place, AwsCredentials base, RoleOrder role) {
  auto call = assume_role_call(place, role);
  if (!call) co_return std::unexpected(call.error());
  std::string region = place.region.empty() ? "us-east-1" : place.region;
  std::int64_t offset = 0;
  for (bool again : {true, false}) {
    auto wall = ports.wall();
    auto signed_call = *call;
    auto ok = sign(signed_call.request, base, {region, "sts"}, {wall.ms + offset});
    if (!ok) co_return std::unexpected(ok.error());
    auto asked = ask_issuer(ports, std::move(signed_call));
    auto answer = co_await asked;
    if (!answer) co_return fail(Errc::auth, "STS cannot be reached: " + answer.error().what);
    auto blamed = answer->status == 200 ? std::nullopt : clock_offset_of(*answer, wall);
    if (!again || !blamed) co_return read_sts_answer("AssumeRole", *answer, wall);
    offset = *blamed;
  }
  co_return fail(Errc::internal, "unreachable");
}

Task<AwsGrant> assume_role_with_web_identity(Ports& ports, StsPlace place, RoleOrder role,
                                             std::string token_file) {
  for (int tried = 1;; ++tried) {
    auto token = read_token_file(ports, token_file);
    if (!token) co_return std::unexpected(token.error());
    auto call = web_identity_call(place, role, *token);
    if (!call) co_return std::unexpected(call.error());
    auto asked = ask_issuer(ports, std::move(*call));
    auto answer = co_await asked;
    if (!answer) co_return fail(Errc::auth, "STS cannot be reached: " + answer.error().what);
    bool again = answer->status != 200 && sts_error_code(*answer) == "IDPCommunicationError";
    if (!again || tried == kIdentityTriesMax)
      co_return read_sts_answer("AssumeRoleWithWebIdentity", *answer, ports.wall());
  }
}

std::optional<std::int64_t> clock_offset_of(const http::Response& response, WallTime wall) {
  constexpr std::array words{"InvalidSignature",     "SignatureDoesNotMatch", "RequestExpired",
                             "RequestTimeTooSkewed", "Signature expired",     "Signature not yet current"};
  const auto* type = http::find_header(response.headers, "x-amzn-errortype");
  auto said = (type != nullptr ? *type + "\n" : std::string()) + response.body.substr(0, 4096);
  bool blamed = std::ranges::any_of(words, [&](const char* word) { return said.find(word) != said.npos; });
  const auto* date = http::find_header(response.headers, "date");
  auto theirs = blamed && date != nullptr ? parse_http_date(*date) : std::nullopt;
  return theirs ? std::optional(theirs->ms - wall.ms) : std::nullopt;
}

}  // namespace troupe::providers
