#include "providers/auth/instance.hpp"

#include "providers/text.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::providers {
namespace {

constexpr Duration kInstanceTimeout = std::chrono::seconds(1);
constexpr const char* kImdsUrl = "http://169.254.169.254";
constexpr const char* kRelativeUri = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFullUri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

bool may_be_plain(const std::string& host) {
  constexpr std::array known{"localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  // A dotted quad beginning with 127: not a name like 127.example.com.
  bool loopback = host.starts_with("127.") &&
                  std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return loopback || std::ranges::find(known, host) != known.end();
}

Result<Url> container_url(Ports& ports) {
  if (auto relative = ports.variable(kRelativeUri)) {
    if (!relative->starts_with('/'))
      return fail(Errc::auth, std::string(kRelativeUri) + " must begin with /");
    return parse_url("http://169.254.170.2" + *relative);
  }
  auto url = parse_url(ports.variable(kFullUri).value_or(""));
  if (url && !url->origin.tls && !may_be_plain(url->origin.host))
    return fail(Errc::auth, std::string(kFullUri) + " may be plain http only to this machine");
  return url;
}

Result<std::string> container_token(Ports& ports) {
  if (auto file = ports.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    return read_token_file(ports, *file);
  auto token = ports.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (token.find_first_of("\r\n") != std::string::npos)
    return fail(Errc::auth, "AWS_CONTAINER_AUTHORIZATION_TOKEN holds more than one line");
  return token;
}

}  // namespace

AwsGrant read_instance_answer(std::string_view issuer, const http::Response& response, WallTime wall) {
  if (response.status != 200) return refused_by(issuer, response.status, refusal_code(response.body));
  auto json = parse_json(response.body);
  auto code = json ? get_string(*json, "Code", "Success") : std::string();
  if (code != "Success") return refused_by(issuer, response.status, code);
  AwsCredentials found{get_string(*json, "AccessKeyId"), get_string(*json, "SecretAccessKey"),
                       get_string(*json, "Token")};
  if (found.access_key_id.empty() || found.secret_access_key.empty())
    return fail(Errc::auth, fmt::format("{} answered without credentials", issuer));
  auto life = lifetime_until(get_string(*json, "Expiration"), response.headers, wall);
  if (!life) return std::unexpected(life.error());
  return Expiring<AwsCredentials>{std::move(found), *life};
}

Result<Url> Imds::url_for(const std::string& target) {
  auto base = !url_.empty() ? url_ : ports_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(kImdsUrl);
  while (base.ends_with('/')) base.pop_back();
  return parse_url(base + target);
}

Task<Result<std::string>> Imds::new_token() {
  auto url = url_for("/latest/api/token");
  if (!url) co_return std::unexpected(url.error());
  http::Request request{"PUT", url->target, {{"host", url->host}}, ""};
  request.headers.emplace_back("x-aws-ec2-metadata-token-ttl-seconds", std::to_string(token_seconds_));
  IssuerCall call{url->origin, std::move(request), kInstanceTimeout};
  auto asked = ask_issuer(ports_, std::move(call));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, "IMDS cannot be reached: " + answer.error().what);
  if (answer->status != 200 || answer->body.empty() || answer->body.size() > 4096)
    co_return refused_by("IMDSv2", answer->status, "no session token");
  co_return answer->body;
}

Task<Result<http::Response>> Imds::get_once(std::string target) {
  if (token_.empty()) {
    auto asking = new_token();
    auto token = co_await asking;
    if (!token) co_return std::unexpected(token.error());
    token_ = *token;
  }
  auto url = url_for(target);
  if (!url) co_return std::unexpected(url.error());
  http::Request request{"GET", url->target, {{"host", url->host}, {"x-aws-ec2-metadata-token", token_}}, ""};
  IssuerCall call{url->origin, std::move(request), kInstanceTimeout};
  auto asked = ask_issuer(ports_, std::move(call));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, "IMDS cannot be reached: " + answer.error().what);
  co_return answer;
}

Task<Result<http::Response>> Imds::get(std::string target) {
  if (to_lower(ports_.variable("AWS_EC2_METADATA_DISABLED").value_or("")) == "true")
    co_return fail(Errc::auth, "IMDS is switched off (AWS_EC2_METADATA_DISABLED)");
  auto asking = get_once(target);
  auto answer = co_await asking;
  if (answer && answer->status == 401) {
    token_.clear();
    auto again = get_once(target);
    answer = co_await again;
  }
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != 200) co_return refused_by("IMDS", answer->status, refusal_code(answer->body));
  co_return answer;
}

Task<AwsGrant> Imds::credentials(std::string roles) {
  auto asking = get(roles);
  auto role = co_await asking;
  if (!role) co_return std::unexpected(role.error());
  auto name = role->body.substr(0, role->body.find_first_of("\r\n"));
  if (name.empty() || name.size() > 256) co_return fail(Errc::auth, "IMDS names no role of this instance");
  auto target = roles + (roles.ends_with('/') ? "" : "/") + percent_encode(name);
  auto reading = get(std::move(target));
  auto answer = co_await reading;
  if (!answer) co_return std::unexpected(answer.error());
  co_return read_instance_answer("IMDS", *answer, ports_.wall());
}

bool has_container_credentials(Ports& ports) {
  return ports.variable(kRelativeUri) || ports.variable(kFullUri);
}

Task<AwsGrant> container_credentials(Ports& ports) {
  auto url = container_url(ports);
  if (!url) co_return std::unexpected(url.error());
  auto token = container_token(ports);
  if (!token) co_return std::unexpected(token.error());
  http::Request request{"GET", url->target, {{"host", url->host}}, ""};
  if (!token->empty()) request.headers.emplace_back("authorization", *token);
  IssuerCall call{url->origin, std::move(request), kInstanceTimeout};
  auto asked = ask_issuer(ports, std::move(call));
  auto answer = co_await asked;
  if (!answer)
    co_return fail(Errc::auth, "the container's credentials cannot be reached: " + answer.error().what);
  co_return read_instance_answer("the container's credentials", *answer, ports.wall());
}

}  // namespace troupe::providers
