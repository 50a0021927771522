// Google access tokens: a service account's key, the metadata server, a workload's identity elsewhere
// exchanged for one (WIRE 4.6), and one account acting as another.
#pragma once

#include "providers/auth/issuer.hpp"

namespace troupe::providers {

struct GoogleOptions {
  /// As gcloud and the console write them: service_account, external_account, authorized_user or
  /// impersonated_service_account. Empty: GOOGLE_APPLICATION_CREDENTIALS; without it the metadata server.
  std::string credentials_file;
  /// Instead of http://metadata.google.internal (GCE_METADATA_HOST says another host).
  std::string metadata_url;
  /// Instead of the file's token_uri or token_url.
  std::string token_url;
  std::string scope = "https://www.googleapis.com/auth/cloud-platform";
};

using TokenGrant = Result<Expiring<BearerToken>>;

/// Fails with `auth`, saying which step. The file is read at each call, so that it may be replaced. Not
/// supported, and said: external accounts by executable or certificate.
Task<TokenGrant> google_token(Ports& ports, GoogleOptions options);

}  // namespace troupe::providers
