// What the simulated issuers share: forms, JWTs, times, and who signed a request.
#pragma once

#include "providers/auth/sigv4.hpp"
#include "providers/simulator/issuers_ledger.hpp"
#include "runtime/config/simulated_issuers.hpp"
#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers::simulator {

/// One request's view of the issuers.
struct IssuerDesk {
  const config::SimulatedIssuers& config;
  IssuerLedger& ledger;
  WallTime wall;

  /// In token_lifetime, or in `asked` seconds when that is sooner (0: as long as may be). A whole second, as
  /// the answers write it.
  WallTime expiry(std::int64_t asked = 0) const;
  std::int64_t seconds_until(WallTime expires) const { return (expires.ms - wall.ms) / 1000; }
};

/// The fields of application/x-www-form-urlencoded text: a body or a query.
class FormFields {
 public:
  static constexpr std::size_t fields_max = 64;
  /// invalid_input for a field twice or more than fields_max of them.
  static Result<FormFields> read(std::string_view text);
  /// Empty when absent.
  const std::string& operator[](std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};
/// What follows the '?', or nothing.
std::string_view query_of(std::string_view target);
/// "+" is a blank here.
std::string form_decode(std::string_view text);

/// Empty when absent.
const std::string& header_of(const http::Request& request, std::string_view name);
/// The JWT, key or token of "Authorization: Bearer ...", or nothing.
std::string_view bearer_of(const http::Request& request);

/// "2015-08-30T13:36:00Z"
std::string to_second_iso(WallTime time);
/// "Sun, 30 Aug 2015 12:36:00 GMT"
std::string to_http_date(WallTime time);
/// Digits only, up to 9 of them.
std::optional<std::int64_t> read_digits(std::string_view text);

/// Why a JWT is not believed.
enum class JwtFlaw {
  malformed,       ///< not RS256 in three base64url parts, JSON objects, with an `exp` in whole seconds
  expired,         ///< or not valid yet, by more than the 5 minutes clocks may differ
  unknown_signer,  ///< `iss` is none of the configured signers
  bad_signature,
};
struct Jwt {
  Json header, claims;
  std::string issuer;
  std::int64_t issued_at = 0, expires = 0;
};
/// Verified against the signers when any is configured, else shape and time only.
std::expected<Jwt, JwtFlaw> read_jwt(std::string_view text, const IssuerDesk& desk);

/// The key a request is signed with; `auth` when the signature is wrong, the session token missing or the key
/// unknown or expired, with AWS's text as vendor_text.
Result<const IssuedKey*> signed_by(const http::Request& request, const IssuerLedger& ledger, WallTime wall);
/// The scope that the Authorization header claims, unchecked.
std::optional<SigningScope> claimed_scope(const http::Request& request);
/// The names that AWS has for what signed_by refuses: STS's ("ExpiredToken", 403) as the first, those of the
/// JSON services ("ExpiredTokenException") as the second.
struct AwsErrorNames {
  const char* query = "";
  const char* json = "";
};
AwsErrorNames aws_error_names(const Error& error);

}  // namespace troupe::providers::simulator
