#include "providers/simulator/access.hpp"

#include "providers/auth/sigv4.hpp"

#include <fmt/format.h>

#include <string>

namespace troupe::providers::simulator {
namespace {

std::unexpected<Error> denied(std::string what) {
  return std::unexpected(make_error(Errc::auth, std::move(what)));
}

bool is_aws_dialect(std::string_view dialect) {
  return dialect.starts_with("bedrock") || dialect.starts_with("sagemaker");
}

std::string_view header_or_empty(const http::Request& request, std::string_view name) {
  const auto* value = http::find_header(request.headers, name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

// Where the dialect's API key may be besides the authorization header.
std::string_view key_header(std::string_view dialect) {
  if (dialect == "azure_openai") return "api-key";
  if (dialect == "anthropic") return "x-api-key";
  return dialect == "vertex_gemini" ? "x-goog-api-key" : std::string_view();
}

// The signing name of what the endpoint stands for (WIRE 1.1, 3).
std::string_view service_of(const config::SimulatedEndpoint& endpoint) {
  if (endpoint.dialect.starts_with("sagemaker")) return "sagemaker";
  return endpoint.host.starts_with("bedrock-mantle") ? "bedrock-mantle" : "bedrock";
}

Result<void> check_signature(const config::SimulatedEndpoint& endpoint, const http::Request& request,
                             const TokenAuthority* authority, WallTime wall) {
  const auto& known = endpoint.credentials;
  auto given = header_or_empty(request, "authorization");
  if (known.access_key_id.empty() && authority == nullptr) return denied("the api key is missing or wrong");
  // A signature for another region or service is a signature for another cloud.
  auto scope = fmt::format("/{}/{}/aws4_request", endpoint.region, service_of(endpoint));
  if (!given.empty() && given.find(scope) == std::string_view::npos)
    return denied("signed for another region or service");
  bool is_static = given.find("Credential=" + known.access_key_id + "/") != std::string_view::npos;
  if (!is_static && authority != nullptr) return authority->check_signed(request, endpoint.region, wall);
  AwsCredentials credentials{.access_key_id = known.access_key_id,
                             .secret_access_key = known.secret_access_key};
  auto lookup = [&](std::string_view id) { return id == known.access_key_id ? &credentials : nullptr; };
  return verify(request, lookup, wall);
}

}  // namespace

Result<void> check_access(const config::SimulatedEndpoint& endpoint, const http::Request& request,
                          const TokenAuthority* authority, WallTime wall) {
  const auto& known = endpoint.credentials;
  if (!known.verify) return {};
  auto given = header_or_empty(request, "authorization");
  bool bearer = given.starts_with("Bearer ");
  bool aws = is_aws_dialect(endpoint.dialect);
  if (aws && !bearer) return check_signature(endpoint, request, authority, wall);
  auto key = bearer ? given.substr(7) : std::string_view();
  if (auto name = key_header(endpoint.dialect); !name.empty() && !header_or_empty(request, name).empty())
    key = header_or_empty(request, name);
  bool takes_keys = !endpoint.dialect.starts_with("sagemaker");
  if (takes_keys && !known.api_key.empty() && key == known.api_key) return {};
  if (bearer && authority != nullptr) return authority->check_bearer(key, endpoint.dialect, wall);
  return denied("the api key is missing or wrong");
}

}  // namespace troupe::providers::simulator
