#include "providers/auth/sigv4.hpp"

#include "providers/auth/crypto.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::providers {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kSkewMaxMs = 5 * 60 * 1000;

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// Drops empty and "." segments, resolves "..", keeps a trailing slash, then encodes what is there once more.
std::string canonical_path(std::string_view target) {
  auto path = path_of(target);
  std::vector<std::string_view> kept;
  for (auto segment : split_at(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      kept.push_back(segment);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string out;
  for (auto segment : kept) out += "/" + percent_encode(segment);
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_query(std::string_view target) {
  auto start = target.find('?');
  if (start == std::string_view::npos || start + 1 == target.size()) return {};
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto piece : split_at(target.substr(start + 1), '&')) {
    if (piece.empty()) continue;
    auto equals = std::min(piece.find('='), piece.size());
    auto value = piece.substr(std::min(equals + 1, piece.size()));
    pairs.emplace_back(percent_encode(percent_decode(piece.substr(0, equals))),
                       percent_encode(percent_decode(value)));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [key, value] : pairs) out += (out.empty() ? "" : "&") + key + "=" + value;
  return out;
}

// Runs of spaces and tabs become one space; none at the ends.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (char c : value) {
    bool blank = c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string joined_values(const http::Headers& headers, std::string_view name) {
  std::string out;
  bool first = true;
  for (const auto& [key, value] : headers) {
    if (!http::same_header_name(key, name)) continue;
    if (!std::exchange(first, false)) out += ',';
    out += canonical_value(value);
  }
  return out;
}

std::string join(std::span<const std::string> names, char separator) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += separator;
    out += name;
  }
  return out;
}

std::string scope_text(std::string_view date, const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
}

std::vector<std::string> names_to_sign(const http::Headers& headers) {
  std::vector<std::string> names;
  for (const auto& [key, value] : headers) {
    auto name = to_lower(key);
    if (name == "host" || name == "content-type" || name.starts_with("x-amz-"))
      names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void remove_header(http::Headers& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& header) { return http::same_header_name(header.first, name); });
}

// What an authorization header claims.
struct Claim {
  std::string_view access_key_id, date;
  SigningScope scope;
  std::vector<std::string> signed_names;
  std::string_view signature;
};

std::optional<Claim> read_claim(std::string_view header) {
  if (!header.starts_with(kAlgorithm)) return std::nullopt;
  header.remove_prefix(kAlgorithm.size());
  Claim claim;
  std::string_view credential;
  for (auto piece : split_at(header, ',')) {
    auto trimmed = piece.substr(std::min(piece.find_first_not_of(' '), piece.size()));
    if (trimmed.starts_with("Credential=")) credential = trimmed.substr(11);
    if (trimmed.starts_with("Signature=")) claim.signature = trimmed.substr(10);
    if (!trimmed.starts_with("SignedHeaders=")) continue;
    for (auto name : split_at(trimmed.substr(14), ';')) claim.signed_names.emplace_back(name);
  }
  auto fields = split_at(credential, '/');
  if (fields.size() != 5 || fields[4] != "aws4_request" || claim.signature.empty()) return std::nullopt;
  claim.access_key_id = fields[0];
  claim.date = fields[1];
  claim.scope = {std::string(fields[2]), std::string(fields[3])};
  return claim;
}

std::optional<WallTime> parse_amz_date(std::string_view text) {
  constexpr std::string_view shape = "________T______Z";
  if (text.size() != shape.size() || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  auto number = [&](std::size_t at, std::size_t length) {
    int value = -1;
    auto piece = text.substr(at, length);
    auto end = std::from_chars(piece.data(), piece.data() + length, value).ptr;
    return end == piece.data() + length ? value : -1;
  };
  int year = number(0, 4), month = number(4, 2), day = number(6, 2);
  int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  namespace chrono = std::chrono;
  auto date = chrono::year(year) / month / day;
  if (year < 0 || month < 0 || day < 0 || !date.ok() || hour < 0 || minute < 0 || second < 0)
    return std::nullopt;
  auto time =
      chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
  return WallTime{chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count()};
}

std::unexpected<Error> refuse(std::string what, std::string vendor_text) {
  auto error = make_error(Errc::auth, std::move(what));
  error.vendor_text = std::move(vendor_text);
  return std::unexpected(std::move(error));
}

Result<void> check_date(std::string_view amz_date, std::string_view scope_date, WallTime now) {
  auto signed_at = parse_amz_date(amz_date);
  if (!signed_at || amz_date.substr(0, 8) != scope_date)
    return refuse("x-amz-date is missing, malformed or not of the scope's day", "Date is not valid.");
  auto distance = now.ms - signed_at->ms;
  if (distance > kSkewMaxMs || distance < -kSkewMaxMs)
    return refuse(
        "signed more than 5 minutes away from now",
        fmt::format("Signature expired: {} is now more than 5 min. from {}", amz_date, to_amz_date(now)));
  return {};
}

Result<void> check_signed_names(const http::Request& request, const Claim& claim) {
  auto is_signed = [&](std::string_view name) {
    return std::ranges::find(claim.signed_names, name) != claim.signed_names.end();
  };
  for (const auto& name : names_to_sign(request.headers)) {
    if (name.starts_with("x-amz-") && !is_signed(name))
      return refuse("a header that must be signed is not",
                    fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", name));
  }
  if (!is_signed("host") && !is_signed(":authority"))
    return refuse("the host is not signed", "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  return {};
}

Result<void> check_token_and_body(const http::Request& request, const AwsCredentials& credentials) {
  const auto* token = http::find_header(request.headers, "x-amz-security-token");
  if ((token != nullptr ? *token : "") != credentials.session_token)
    return refuse("the session token is missing or wrong",
                  "The security token included in the request is invalid.");
  const auto* hash = http::find_header(request.headers, "x-amz-content-sha256");
  if (hash != nullptr && *hash != sha256_hex(request.body))
    return refuse("x-amz-content-sha256 is not the body's",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  return {};
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned char byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string to_amz_date(WallTime time) {
  namespace chrono = std::chrono;
  auto point = chrono::sys_time<chrono::milliseconds>(chrono::milliseconds(time.ms));
  auto day = chrono::floor<chrono::days>(point);
  chrono::year_month_day date(day);
  chrono::hh_mm_ss clock(point - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string canonical_request(const http::Request& request, std::span<const std::string> signed_names) {
  std::string out =
      request.method + "\n" + canonical_path(request.target) + "\n" + canonical_query(request.target);
  out += '\n';
  for (const auto& name : signed_names) {
    // Over HTTP/2 AWS's clients sign the pseudo-header in the host's place.
    auto value = joined_values(request.headers, name == ":authority" ? "host" : name);
    out += name + ":" + value + "\n";
  }
  return out + "\n" + join(signed_names, ';') + "\n" + sha256_hex(request.body);
}

std::string string_to_sign(std::string_view canonical, std::string_view amz_date, const SigningScope& scope) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date, scope_text(amz_date.substr(0, 8), scope),
                     sha256_hex(canonical));
}

std::string signing_key(std::string_view secret_access_key, std::string_view date,
                        const SigningScope& scope) {
  auto key = hmac_sha256("AWS4" + std::string(secret_access_key), date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  return hmac_sha256(key, "aws4_request");
}

std::string signature(std::string_view key, std::string_view text) { return to_hex(hmac_sha256(key, text)); }

const std::string& SigningKeys::of(std::string_view secret_access_key, std::string_view date,
                                   const SigningScope& scope) {
  bool same = !key_.empty() && secret_ == secret_access_key && date_ == date && region_ == scope.region &&
              service_ == scope.service;
  if (same) return key_;
  secret_ = secret_access_key;
  date_ = date;
  region_ = scope.region;
  service_ = scope.service;
  key_ = signing_key(secret_access_key, date, scope);
  return key_;
}

Result<void> sign(http::Request& request, const AwsCredentials& credentials, const SigningScope& scope,
                  WallTime now) {
  SigningKeys none_kept;
  return sign(request, credentials, scope, now, none_kept);
}

Result<void> sign(http::Request& request, const AwsCredentials& credentials, const SigningScope& scope,
                  WallTime now, SigningKeys& keys) {
  if (http::find_header(request.headers, "host") == nullptr)
    return fail(Errc::bad_request, "a request without Host cannot be signed");
  for (const auto* name : {"authorization", "x-amz-date", "x-amz-security-token"})
    remove_header(request.headers, name);
  auto amz_date = to_amz_date(now);
  request.headers.emplace_back("x-amz-date", amz_date);
  if (!credentials.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  auto names = names_to_sign(request.headers);
  auto date = std::string_view(amz_date).substr(0, 8);
  auto text = string_to_sign(canonical_request(request, names), amz_date, scope);
  auto sealed = signature(keys.of(credentials.secret_access_key, date, scope), text);
  request.headers.emplace_back(
      "authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                  credentials.access_key_id, scope_text(date, scope), join(names, ';'), sealed));
  return {};
}

Result<void> verify(const http::Request& request, const CredentialLookup& lookup, WallTime now) {
  const auto* header = http::find_header(request.headers, "authorization");
  auto claim = header != nullptr ? read_claim(*header) : std::nullopt;
  if (!claim) return refuse("not signed with " + std::string(kAlgorithm), "Missing Authentication Token");
  const auto* credentials = lookup(claim->access_key_id);
  if (credentials == nullptr)
    return refuse("unknown access key", "The security token included in the request is invalid.");
  const auto* amz_date = http::find_header(request.headers, "x-amz-date");
  std::string_view date = amz_date != nullptr ? std::string_view(*amz_date) : std::string_view();
  if (auto ok = check_date(date, claim->date, now); !ok) return ok;
  if (auto ok = check_signed_names(request, *claim); !ok) return ok;
  if (auto ok = check_token_and_body(request, *credentials); !ok) return ok;
  auto text = string_to_sign(canonical_request(request, claim->signed_names), date, claim->scope);
  auto expected = signature(signing_key(credentials->secret_access_key, claim->date, claim->scope), text);
  if (!same_in_constant_time(expected, claim->signature))
    return refuse("the signature does not match",
                  "The request signature we calculated does not match the signature you provided. Check your "
                  "AWS Secret "
                  "Access Key and signing method.");
  return {};
}

}  // namespace troupe::providers
