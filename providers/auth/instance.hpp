// Credentials a machine or container gets from the address beside it: EC2's IMDSv2, ECS and EKS Pod Identity.
#pragma once

#include "providers/auth/sts.hpp"

namespace troupe::providers {

/// EC2's metadata service, version 2 only: falling back to version 1 would give up its protection against
/// forged requests [WIRE 2.2].
class Imds {
 public:
  /// `url` empty: AWS_EC2_METADATA_SERVICE_ENDPOINT, else http://169.254.169.254. Requests time out after a
  /// second: off EC2 nobody answers.
  explicit Imds(Ports& ports, std::string url = {}, int token_seconds = 21600)
      : ports_(ports), url_(std::move(url)), token_seconds_(token_seconds) {}

  /// What is at `target`, with status 200. Gets a session token first, and a new one once when this one is
  /// refused (401). Fails with `auth`, also when AWS_EC2_METADATA_DISABLED is "true".
  Task<Result<http::Response>> get(std::string target);
  /// The instance role's credentials. `roles` is where the role's name is.
  Task<AwsGrant> credentials(std::string roles = "/latest/meta-data/iam/security-credentials/");

 private:
  Task<Result<std::string>> new_token();
  Task<Result<http::Response>> get_once(std::string target);
  Result<Url> url_for(const std::string& target);

  Ports& ports_;
  std::string url_;
  int token_seconds_;
  std::string token_;
};

/// ECS or EKS Pod Identity, from AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (which wins) or _FULL_URI and
/// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (which wins) or _TOKEN. Plain http only to loopback and the four
/// known link-local addresses.
Task<AwsGrant> container_credentials(Ports& ports);
bool has_container_credentials(Ports& ports);

/// Reads {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, as IMDS and containers answer.
AwsGrant read_instance_answer(std::string_view issuer, const http::Response& response, WallTime wall);

}  // namespace troupe::providers
