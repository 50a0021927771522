// The simulated issuers of credentials: whom they know, and how long what they issue lives. Plain values.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::config {

/// An AWS role that may be assumed.
struct SimulatedRole {
  /// "arn:aws:iam::ACCOUNT:role/NAME".
  std::string arn;
  /// Where its sessions may call models; empty: anywhere (A2).
  std::string region;
  /// What AssumeRole must name; empty: nothing.
  std::string external_id;
};

/// Whose JWTs are believed: `issuer` is their `iss` claim (a service account's e-mail, an OIDC issuer's URL,
/// an Azure client id).
struct SimulatedSigner {
  std::string issuer;
  /// RSA, PEM ("-----BEGIN PUBLIC KEY-----").
  std::string public_key;
};

/// Nothing here is secret: it opens the simulator only. What is empty is not checked.
struct SimulatedIssuers {
  /// Of everything issued, at most; a request for less is honoured. Whole seconds.
  Duration token_lifetime = std::chrono::hours(1);
  /// Key pairs, and as many bearer tokens, remembered; beyond that the oldest are forgotten.
  std::uint32_t issued_max = 10'000;

  std::string aws_account = "123456789012";
  /// Names of the roles an instance (IMDS) and a container have without asking.
  std::string instance_role = "simulated-instance", container_role = "simulated-container";
  std::string availability_zone = "us-east-1a";
  /// What the container credentials' Authorization header must be.
  std::string container_token;
  /// Empty: any role may be assumed, unrestricted.
  std::vector<SimulatedRole> roles;

  std::string google_project = "simulated-project";
  /// The instance's own, at the metadata server.
  std::string google_account = "simulated@simulated-project.iam.gserviceaccount.com";
  /// "//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/V".
  std::string google_audience;

  std::string azure_tenant, azure_client_id, azure_client_secret;

  /// Empty: JWTs are checked for shape and time only.
  std::vector<SimulatedSigner> signers;

  /// What goes with the key pair of simulated_credentials(), for tests with captured requests. Not in files.
  std::string static_session_token;
};

}  // namespace troupe::config
