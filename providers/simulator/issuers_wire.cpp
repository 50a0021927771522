#include "providers/simulator/issuers_wire.hpp"

#include "providers/auth/rs256_check.hpp"
#include "providers/text.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace troupe::providers::simulator {
namespace {

constexpr std::int64_t kJwtSkewSeconds = 5 * 60;
constexpr const char* kExpiredText = "The security token included in the request is expired";

// The first part of a dotted text, taken off its front.
std::string_view take_part(std::string_view& text) {
  auto end = std::min(text.find('.'), text.size());
  auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  auto bytes = base64_decode(plain);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

std::optional<Json> decode_part(std::string_view part) {
  auto text = decode_base64url(part);
  if (!text) return std::nullopt;
  auto value = parse_json(*text);
  return value && value->is_object() ? std::optional(std::move(*value)) : std::nullopt;
}

bool has_second(const Json& claims, std::string_view name) {
  const auto* value = find(claims, name);
  return value != nullptr && value->is_number_integer();
}

std::optional<JwtFlaw> check_signer(const Jwt& jwt, std::string_view text, std::string_view signature,
                                    const config::SimulatedIssuers& config) {
  if (config.signers.empty()) return std::nullopt;
  auto signer = std::ranges::find(config.signers, jwt.issuer, &config::SimulatedSigner::issuer);
  if (signer == config.signers.end()) return JwtFlaw::unknown_signer;
  auto bytes = decode_base64url(signature);
  if (!bytes || !check_rs256(signer->public_key, text, *bytes)) return JwtFlaw::bad_signature;
  return std::nullopt;
}

std::string_view claimed_credential(const http::Request& request) {
  std::string_view header = header_of(request, "authorization");
  constexpr std::string_view label = "Credential=";
  auto start = header.find(label);
  if (start == std::string_view::npos) return {};
  header.remove_prefix(start + label.size());
  return header.substr(0, header.find(','));
}

}  // namespace

WallTime IssuerDesk::expiry(std::int64_t asked) const {
  auto life = std::chrono::duration_cast<std::chrono::seconds>(config.token_lifetime).count();
  if (asked > 0) life = std::min(life, asked);
  return {(wall.ms / 1000 + life) * 1000};
}

Result<FormFields> FormFields::read(std::string_view text) {
  FormFields form;
  while (!text.empty()) {
    auto end = std::min(text.find('&'), text.size());
    auto piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto equals = std::min(piece.find('='), piece.size());
    auto value = form_decode(piece.substr(std::min(equals + 1, piece.size())));
    auto added = form.fields_.emplace(form_decode(piece.substr(0, equals)), std::move(value)).second;
    if (!added || form.fields_.size() > fields_max)
      return fail(Errc::invalid_input, "a form field is there twice, or there are too many");
  }
  return form;
}

const std::string& FormFields::operator[](std::string_view name) const {
  static const std::string nothing;
  auto it = fields_.find(name);
  return it == fields_.end() ? nothing : it->second;
}

std::string_view query_of(std::string_view target) {
  auto start = target.find('?');
  return start == std::string_view::npos ? std::string_view() : target.substr(start + 1);
}

std::string form_decode(std::string_view text) {
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  return percent_decode(blanks);
}

const std::string& header_of(const http::Request& request, std::string_view name) {
  static const std::string nothing;
  const auto* value = http::find_header(request.headers, name);
  return value == nullptr ? nothing : *value;
}

std::string_view bearer_of(const http::Request& request) {
  std::string_view header = header_of(request, "authorization");
  constexpr std::string_view scheme = "bearer ";
  if (to_lower(header.substr(0, scheme.size())) != scheme) return {};
  return header.substr(scheme.size());
}

std::string to_second_iso(WallTime time) {
  auto text = to_iso8601(time);
  // Without the fraction of a second.
  if (auto dot = text.find('.'); dot != std::string::npos) text.erase(dot, text.size() - 1 - dot);
  return text;
}

std::string to_http_date(WallTime time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(static_cast<std::time_t>(time.ms / 1000)));
}

std::optional<std::int64_t> read_digits(std::string_view text) {
  std::int64_t value = 0;
  bool sound = !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == text.npos;
  if (sound) std::from_chars(text.data(), text.data() + text.size(), value);
  return sound ? std::optional(value) : std::nullopt;
}

std::expected<Jwt, JwtFlaw> read_jwt(std::string_view text, const IssuerDesk& desk) {
  auto signature_at = text.rfind('.');
  if (std::ranges::count(text, '.') != 2 || signature_at + 1 == text.size())
    return std::unexpected(JwtFlaw::malformed);
  auto rest = text;
  auto header = decode_part(take_part(rest));
  auto claims = decode_part(take_part(rest));
  if (!header || !claims || get_string(*header, "alg") != "RS256" || !has_second(*claims, "exp"))
    return std::unexpected(JwtFlaw::malformed);
  Jwt jwt{.header = std::move(*header), .claims = std::move(*claims)};
  jwt.issuer = get_string(jwt.claims, "iss");
  jwt.expires = get_int(jwt.claims, "exp");
  auto now = desk.wall.ms / 1000;
  jwt.issued_at = has_second(jwt.claims, "iat") ? get_int(jwt.claims, "iat") : now;
  auto starts = std::max(jwt.issued_at, get_int(jwt.claims, "nbf", jwt.issued_at));
  if (jwt.expires <= now || starts > now + kJwtSkewSeconds) return std::unexpected(JwtFlaw::expired);
  auto flaw = check_signer(jwt, text.substr(0, signature_at), text.substr(signature_at + 1), desk.config);
  if (flaw) return std::unexpected(*flaw);
  return jwt;
}

Result<const IssuedKey*> signed_by(const http::Request& request, const IssuerLedger& ledger, WallTime wall) {
  const IssuedKey* key = nullptr;
  auto lookup = [&](std::string_view id) {
    key = ledger.find_key(id);
    return key == nullptr ? nullptr : &key->credentials;
  };
  if (auto ok = verify(request, lookup, wall); !ok) return std::unexpected(ok.error());
  if (wall < key->expires) return key;
  auto error = make_error(Errc::auth, "the session token has expired");
  error.vendor_text = kExpiredText;
  return std::unexpected(std::move(error));
}

std::optional<SigningScope> claimed_scope(const http::Request& request) {
  auto credential = claimed_credential(request);
  std::array<std::string_view, 5> fields;
  for (auto& field : fields) {
    auto end = std::min(credential.find('/'), credential.size());
    field = credential.substr(0, end);
    credential.remove_prefix(std::min(end + 1, credential.size()));
  }
  if (fields[4].empty()) return std::nullopt;
  return SigningScope{std::string(fields[2]), std::string(fields[3])};
}

AwsErrorNames aws_error_names(const Error& error) {
  if (error.code == Errc::permission) return {"AccessDenied", "AccessDeniedException"};
  if (error.vendor_text == kExpiredText) return {"ExpiredToken", "ExpiredTokenException"};
  if (error.vendor_text.starts_with("The security token")) {
    return {"InvalidClientTokenId", "UnrecognizedClientException"};
  }
  if (error.vendor_text.starts_with("Missing Authentication"))
    return {"MissingAuthenticationToken", "MissingAuthenticationTokenException"};
  bool incomplete = error.vendor_text.find("must be a 'SignedHeader'") != std::string::npos ||
                    error.vendor_text.starts_with("Date is not valid");
  if (incomplete) return {"IncompleteSignature", "IncompleteSignatureException"};
  return {"SignatureDoesNotMatch", "InvalidSignatureException"};
}

}  // namespace troupe::providers::simulator
