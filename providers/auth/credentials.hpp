// Credentials as values that cannot be printed, and AWS's from the environment.
#pragma once

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace troupe::providers {

/// Never logged, never stored: there is deliberately no to_string, and streaming one does not compile.
struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  /// Empty for long-term credentials.
  std::string session_token;
};
std::ostream& operator<<(std::ostream&, const AwsCredentials&) = delete;
std::string to_string(const AwsCredentials&) = delete;

/// An OAuth access token or an API key: what follows "Bearer ". As unprintable as the above.
struct BearerToken {
  std::string value;
};
std::ostream& operator<<(std::ostream&, const BearerToken&) = delete;
std::string to_string(const BearerToken&) = delete;

/// What proves who we are to a provider.
using Secret = std::variant<AwsCredentials, BearerToken>;

/// A credential and how long it lives, counted from the moment it was asked for by the issuer's own clock, so
/// that a wrong clock of ours does not matter. Absent: until someone changes it.
template <class T>
struct Expiring {
  T value;
  std::optional<Duration> lifetime;
};

/// Looks up an environment variable; nullptr when it is unset.
using Environment = std::function<const char*(const char* name)>;

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, when set, AWS_SESSION_TOKEN (the first step of WIRE 2.2's
/// chain). Fails with `auth`, naming the variable that is missing. Reads the process environment unless told
/// otherwise, which is safe from any thread as long as nobody changes it.
Result<AwsCredentials> credentials_from_environment(const Environment& environment = {});

/// AWS_REGION, then AWS_DEFAULT_REGION; empty when neither is set.
std::string region_from_environment(const Environment& environment = {});

}  // namespace troupe::providers
