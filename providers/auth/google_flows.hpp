// The steps of google_token, for itself and for tests.
#pragma once

#include "providers/auth/google.hpp"
#include "runtime/json/json.hpp"

namespace troupe::providers {

/// JWT bearer (RFC 7523): iat is `ports.wall()`, exp an hour later. `key` is a service_account file.
Task<TokenGrant> google_service_account(Ports& ports, Json key, GoogleOptions options);
/// Answers must carry Metadata-Flavor: Google, or it is not Google's server that answered.
Task<TokenGrant> google_metadata(Ports& ports, GoogleOptions options);
/// Subject token -> Google's STS -> the account to impersonate, if the file names one.
Task<TokenGrant> google_external_account(Ports& ports, Json account, GoogleOptions options);
/// generateAccessToken at `url` with `base`; `url` is the file's service_account_impersonation_url.
Task<TokenGrant> google_impersonate(Ports& ports, std::string url, BearerToken base, std::string scope);

/// The subject token an external account of AWS is known by: a signed GetCallerIdentity that Google will send
/// (WIRE 4.6, step 2 and 3), as percent-encoded JSON. Signed at `ports.wall()`.
Task<Result<std::string>> google_aws_subject(Ports& ports, Json account);

}  // namespace troupe::providers
