// Microsoft Entra access tokens for Azure OpenAI (WIRE 5.5): an application's secret, or a workload's
// identity.
#pragma once

#include "providers/auth/issuer.hpp"

namespace troupe::providers {

/// Empty ids and token_file: AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE, as Azure's
/// workload identity sets them in a pod.
struct AzureOptions {
  std::string tenant_id, client_id;
  /// Reads the application's secret when it is needed; gives "" when there is none.
  std::function<Result<std::string>()> client_secret;
  /// A token of another issuer that the application trusts, read at each call. Used when there is no secret.
  std::string token_file;
  std::string scope = "https://cognitiveservices.azure.com/.default";
  /// Instead of https://login.microsoftonline.com/TENANT/oauth2/v2.0/token.
  std::string token_url;
};

/// Client credentials (RFC 6749 4.4), with the secret or with a client assertion (RFC 7523 2.2).
Task<Result<Expiring<BearerToken>>> azure_token(Ports& ports, AzureOptions options);

}  // namespace troupe::providers
