// AWS credentials as a value that cannot be printed, and where they come from.
#pragma once

#include <troupe/error.hpp>

#include <functional>
#include <iosfwd>
#include <string>

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

/// Looks up an environment variable; nullptr when it is unset.
using Environment = std::function<const char*(const char* name)>;

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, when set, AWS_SESSION_TOKEN (the first step of WIRE 2.2's
/// chain). Fails with `auth`, naming the variable that is missing. Reads the process environment unless told
/// otherwise, which is safe from any thread as long as nobody changes it.
Result<AwsCredentials> credentials_from_environment(const Environment& environment = {});

/// AWS_REGION, then AWS_DEFAULT_REGION; empty when neither is set.
std::string region_from_environment(const Environment& environment = {});

}  // namespace troupe::providers
