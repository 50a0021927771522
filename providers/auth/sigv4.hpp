// AWS Signature Version 4: signing a request, and checking a signed one. Pure; the caller brings the time.
#pragma once

#include "providers/auth/credentials.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::providers {

/// E.g. {"us-east-1", "bedrock"}: the signing name of bedrock-runtime is `bedrock` (WIRE 1.1).
struct SigningScope {
  std::string region;
  std::string service;
};

/// Adds x-amz-date, x-amz-security-token (with a session token) and authorization, replacing those of an
/// earlier signing. Signs content-type, host and every x-amz-* header present, so nothing of these may change
/// afterwards, nor target or body. Fails with bad_request when there is no Host header.
Result<void> sign(http::Request& request, const AwsCredentials& credentials, const SigningScope& scope,
                  WallTime now);

/// The signing key derived last. It is the same for all requests of a day, region, service and secret, so
/// that who signs with one credential derives it once a day. Holds that secret; not thread-safe.
class SigningKeys {
 public:
  /// As signing_key. Valid until the next call.
  const std::string& of(std::string_view secret_access_key, std::string_view date, const SigningScope& scope);

 private:
  std::string secret_, date_, region_, service_, key_;
};
/// As above, with a key kept from one request to the next. The signature is the same.
Result<void> sign(http::Request& request, const AwsCredentials& credentials, const SigningScope& scope,
                  WallTime now, SigningKeys& keys);

/// The credentials of an access key id; nullptr when unknown. The pointer is used only within verify.
using CredentialLookup = std::function<const AwsCredentials*(std::string_view access_key_id)>;

/// Is the request signed, by a key we know, within 5 minutes of `now`, over host, every x-amz-* header and
/// this very body? The scope is taken as claimed. Fails with `auth`; the Error's vendor_text is what AWS
/// would answer. The comparison takes the same time wherever the signatures differ.
Result<void> verify(const http::Request& request, const CredentialLookup& lookup, WallTime now);

// The steps, for tests and diagnosis (WIRE 2.1; checked against @smithy/signature-v4).

/// `signed_names` in lower case, sorted. Headers of the same name are joined by commas.
std::string canonical_request(const http::Request& request, std::span<const std::string> signed_names);
/// `amz_date` is yyyymmddThhmmssZ.
std::string string_to_sign(std::string_view canonical, std::string_view amz_date, const SigningScope& scope);
/// 32 bytes. `date` is yyyymmdd.
std::string signing_key(std::string_view secret_access_key, std::string_view date, const SigningScope& scope);
/// 64 lower-case hex digits.
std::string signature(std::string_view key, std::string_view text);
std::string to_amz_date(WallTime time);
std::string sha256_hex(std::string_view bytes);
std::string to_hex(std::string_view bytes);

}  // namespace troupe::providers
