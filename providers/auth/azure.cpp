#include "providers/auth/azure.hpp"

#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers {
namespace {

constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

std::string or_variable(Ports& ports, const std::string& value, const char* name) {
  return value.empty() ? ports.variable(name).value_or("") : value;
}

Result<Url> azure_url(Ports& ports, const AzureOptions& options, const std::string& tenant) {
  if (!options.token_url.empty()) return parse_url(options.token_url);
  if (tenant.empty()) return fail(Errc::auth, "no Azure tenant: give tenant_id, or set AZURE_TENANT_ID");
  auto host = ports.variable("AZURE_AUTHORITY_HOST").value_or("https://login.microsoftonline.com");
  while (host.ends_with('/')) host.pop_back();
  return parse_url(fmt::format("{}/{}/oauth2/v2.0/token", host, percent_encode(tenant)));
}

}  // namespace

Task<Result<Expiring<BearerToken>>> azure_token(Ports& ports, AzureOptions options) {
  auto client = or_variable(ports, options.client_id, "AZURE_CLIENT_ID");
  if (client.empty()) co_return fail(Errc::auth, "no Azure client: give client_id, or set AZURE_CLIENT_ID");
  auto url = azure_url(ports, options, or_variable(ports, options.tenant_id, "AZURE_TENANT_ID"));
  if (!url) co_return std::unexpected(url.error());
  Result<std::string> secret;
  if (options.client_secret) secret = options.client_secret();
  if (!secret) co_return fail(Errc::auth, secret.error().what);
  std::vector<std::pair<std::string, std::string>> form{{"client_id", client}, {"scope", options.scope}};
  if (!secret->empty()) {
    form.emplace_back("client_secret", *secret);
  } else {
    auto file = or_variable(ports, options.token_file, "AZURE_FEDERATED_TOKEN_FILE");
    if (file.empty()) co_return fail(Errc::auth, "neither client_secret nor token_file for Azure");
    auto token = read_token_file(ports, file);
    if (!token) co_return std::unexpected(token.error());
    form.emplace_back("client_assertion_type", kAssertionType);
    form.emplace_back("client_assertion", *token);
  }
  form.emplace_back("grant_type", "client_credentials");
  auto asked = ask_issuer(ports, form_call(*url, form, "application/x-www-form-urlencoded"));
  auto answer = co_await asked;
  if (!answer) co_return fail(Errc::auth, "Microsoft Entra cannot be reached: " + answer.error().what);
  co_return read_oauth_token("Microsoft Entra", *answer);
}

}  // namespace troupe::providers
