// The simulated issuers one by one: each answers the requests of its own paths. Pure; the desk brings the
// time.
#pragma once

#include "providers/simulator/issuers_wire.hpp"

namespace troupe::providers::simulator {

// Every one of these answers any request, in the words of the real service. None checks the path's first
// segments again: issuers.cpp routes.

/// AWS STS, the query protocol of version 2011-06-15: AssumeRole and GetCallerIdentity signed, AssumeRole-
/// WithWebIdentity not; the fields in the body or the query. XML (WIRE 2.2). Unlike the real one it grants a
/// shorter life than asked for rather than refusing when token_lifetime is shorter.
http::Response answer_sts(const http::Request& request, IssuerDesk& desk);
bool is_sts_request(const http::Request& request);

/// EC2's instance metadata, version 2 only: a session by PUT, then the role, its keys and the place. Each
/// asking for keys issues new ones. A request that came through a proxy (X-Forwarded-For) gets no session.
http::Response answer_instance(const http::Request& request, IssuerDesk& desk);

/// ECS (/v2/credentials/ID) and EKS Pod Identity (/v1/credentials, which needs an Authorization header).
http::Response answer_container(const http::Request& request, IssuerDesk& desk);

/// Google's metadata server: token, e-mail, scopes, project and zone, to requests with Metadata-Flavor only.
http::Response answer_metadata(const http::Request& request, IssuerDesk& desk);

/// oauth2.googleapis.com/token: a service account's signed assertion for an access token (RFC 7523).
http::Response answer_google_oauth(const http::Request& request, IssuerDesk& desk);

/// sts.googleapis.com/v1/token: an OIDC JWT, or AWS's signed but unsent GetCallerIdentity, for a federated
/// token (RFC 8693). The signature is verified with the key pair, for the audience asked for, and is good for
/// 5 minutes.
http::Response answer_google_sts(const http::Request& request, IssuerDesk& desk);

/// iamcredentials.googleapis.com generateAccessToken: a service account's token for a federated one. `caller`
/// is what check_bearer made of the request's token.
http::Response answer_google_iam(const http::Request& request, IssuerDesk& desk, const Result<void>& caller);

/// Microsoft Entra ID's client credentials grant, by secret or by a signed assertion.
http::Response answer_azure(const http::Request& request, IssuerDesk& desk);

/// Google's way to say an error: {"error": {"code", "message", "status"}}.
http::Response google_refusal(int http_status, const char* status, const std::string& message);

}  // namespace troupe::providers::simulator
