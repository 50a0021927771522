// What every flow shares: addresses, asking an issuer, forms, times, and refusals told without secrets.
#pragma once

#include "providers/auth/ports.hpp"
#include "providers/rfc3339.hpp"

#include <troupe/task.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::providers {

/// "https://HOST[:PORT][/PATH][?QUERY]", in parts. `target` begins with '/'; `host` is the Host header.
struct Url {
  http::Origin origin;
  std::string target;
  std::string host;
};
/// Fails with bad_config for anything else: user information, fragments, blanks, control characters, bad
/// ports.
Result<Url> parse_url(std::string_view text);

using Form = std::span<const std::pair<std::string, std::string>>;
/// application/x-www-form-urlencoded, in the order given.
std::string form_body(Form form);

/// A POST of a form to `url`. `content_type` since issuers differ in writing its charset.
IssuerCall form_call(const Url& url, Form form, std::string content_type);

/// Asks, and asks again at once up to twice when a 5xx comes back or the connection breaks (WIRE 2.2). Not
/// after a timeout: who waits has a deadline. Any answer that is not 5xx is given as it is.
Task<Result<http::Response>> ask_issuer(Ports& ports, IssuerCall call);

/// `auth`: who refused, the status, and the issuer's error code when it is a plain word. The issuer's prose
/// is dropped: it may echo the token it refused.
std::unexpected<Error> refused_by(std::string_view issuer, int status, std::string_view code = {});
/// The code of {"error": "invalid_grant"}, {"error": {"status": ...}} and {"Code": ...}; empty without one.
std::string refusal_code(std::string_view body);

/// From the issuer's `Date`, or `wall` when it sent none, to `expiration`. Fails with `auth` when it cannot
/// be read or has passed.
Result<Duration> lifetime_until(std::string_view expiration, const http::Headers& headers, WallTime wall);

/// The {"access_token", "expires_in"} of an OAuth issuer (RFC 6749 5.1). `expires_in` may be a string, as
/// Azure's older endpoints write it; without it an hour is assumed. Fails with `auth`.
Result<Expiring<BearerToken>> read_oauth_token(std::string_view issuer, const http::Response& response);

/// The file's content without blanks and line ends around it; `auth` when it cannot be read, is empty or has
/// control characters (a header made of it could be split).
Result<std::string> read_token_file(Ports& ports, const std::string& path);

}  // namespace troupe::providers
