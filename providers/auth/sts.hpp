// AWS's Security Token Service: roles assumed with keys (signed) or with a web identity (not signed).
#pragma once

#include "providers/auth/issuer.hpp"

namespace troupe::providers {

/// Which STS. `url` empty: https://sts.REGION.amazonaws.com, so that a region's principal needs only its own
/// region (A2).
struct StsPlace {
  std::string region;
  std::string url;
};

struct RoleOrder {
  std::string role_arn;
  std::string session_name = "troupe";
  /// Empty: none.
  std::string external_id;
};

using AwsGrant = Result<Expiring<AwsCredentials>>;

/// The unsigned requests (WIRE 2.2). An hour is asked for with keys; with a web identity the role's default.
Result<IssuerCall> assume_role_call(const StsPlace& place, const RoleOrder& role);
Result<IssuerCall> web_identity_call(const StsPlace& place, const RoleOrder& role, const std::string& token);

/// Reads the answer to either: `action` is "AssumeRole" or "AssumeRoleWithWebIdentity".
AwsGrant read_sts_answer(std::string_view action, const http::Response& response, WallTime wall);

/// Signs with `base`. An answer that blames the clock corrects it from its Date, once.
Task<AwsGrant> assume_role(Ports& ports, StsPlace place, AwsCredentials base, RoleOrder role);
/// Reads the token file at each call: Kubernetes replaces it. IDPCommunicationError is tried three times.
Task<AwsGrant> assume_role_with_web_identity(Ports& ports, StsPlace place, RoleOrder role,
                                             std::string token_file);

/// An answer that rejects a signature for its time, by type or code in header or body, and has a Date: by how
/// many milliseconds our clock is behind (negative: ahead). Absent for any other answer.
std::optional<std::int64_t> clock_offset_of(const http::Response& response, WallTime wall);

}  // namespace troupe::providers
