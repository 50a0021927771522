// Where AWS credentials come from when nobody says: the order every AWS tool tries (WIRE 2.2).
#pragma once

#include "providers/auth/instance.hpp"

namespace troupe::providers {

/// What a principal may be told. All empty: the chain alone.
struct AwsOptions {
  std::string region;
  /// A profile of the shared files; then the environment's keys are not looked at. Empty: AWS_PROFILE, which
  /// means the same, else "default".
  std::string profile;
  /// Assumed with whatever the chain found (A2).
  std::string role_arn;
  std::string external_id;
  /// Instead of https://sts.REGION.amazonaws.com, and of IMDS's own address.
  std::string sts_url, imds_url;
};

/// Environment -> profile -> web identity (IRSA) -> container (ECS, EKS) -> IMDSv2; the first step that has
/// anything to say is the answer, its failure included. A profile says static keys, role_arn with
/// source_profile or credential_source, web_identity_token_file, or credential_process. Fails with `auth`
/// naming the step. Not read: sso_* profiles, which need a person.
Task<AwsGrant> aws_credentials(Ports& ports, AwsOptions options);

}  // namespace troupe::providers
