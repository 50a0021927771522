#include "providers/auth/issuer.hpp"

#include "providers/classify.hpp"
#include "providers/retry_hint.hpp"
#include "providers/text.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe::providers {
namespace {

constexpr int kTriesMax = 3;
constexpr Duration kTokenLifeUnsaid = std::chrono::hours(1);
constexpr std::int64_t kTokenLifeSecondsMax = 366 * 86400;

Result<unsigned short> port_of(std::string_view digits) {
  unsigned short port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return fail(Errc::bad_config, "an URL has a bad port");
  return port;
}

Result<void> read_authority(std::string_view authority, Url& url) {
  if (authority.find_first_of("@\\") != std::string_view::npos)
    return fail(Errc::bad_config, "an URL has user information");
  url.host = authority;
  auto bracket = authority.rfind(']');
  auto colon = authority.rfind(':');
  bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) {
    auto port = port_of(authority.substr(colon + 1));
    if (!port) return std::unexpected(port.error());
    if (*port == url.origin.port) url.host = authority.substr(0, colon);
    url.origin.port = *port;
    authority = authority.substr(0, colon);
  }
  bool v6 = authority.starts_with('[') && authority.ends_with(']');
  if (v6) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || authority.find_first_of(v6 ? "[]" : "[]:") != std::string_view::npos)
    return fail(Errc::bad_config, "an URL has no host, or one with brackets or colons of its own");
  url.origin.host = authority;
  return {};
}

bool may_be_asked_again(const Result<http::Response>& answer) {
  if (answer) return answer->status >= 500;
  return answer.error().code == Errc::transient_server || answer.error().code == Errc::stream_broken;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  bool plain = std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 127; });
  if (!plain || text.find('#') != std::string_view::npos)
    return fail(Errc::bad_config, "an URL has blanks or a fragment");
  Url url;
  url.origin.tls = text.starts_with("https://");
  if (!url.origin.tls && !text.starts_with("http://"))
    return fail(Errc::bad_config, "an URL must begin with https:// or http://");
  text.remove_prefix(url.origin.tls ? 8 : 7);
  url.origin.port = url.origin.tls ? 443 : 80;
  auto end = std::min(text.find_first_of("/?"), text.size());
  if (auto read = read_authority(text.substr(0, end), url); !read) return std::unexpected(read.error());
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::string form_body(Form form) {
  std::string out;
  for (const auto& [name, value] : form)
    out += (out.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  return out;
}

IssuerCall form_call(const Url& url, Form form, std::string content_type) {
  return {
      url.origin,
      {"POST", url.target, {{"host", url.host}, {"content-type", std::move(content_type)}}, form_body(form)}};
}

Task<Result<http::Response>> ask_issuer(Ports& ports, IssuerCall call) {
  for (int tried = 1;; ++tried) {
    Callback<Result<http::Response>> answered(
        [&ports, call](std::function<void(Result<http::Response>)> done) mutable {
          ports.call(std::move(call), std::move(done));
        });
    auto answer = co_await answered;
    if (tried == kTriesMax || !may_be_asked_again(answer)) co_return answer;
  }
}

std::unexpected<Error> refused_by(std::string_view issuer, int status, std::string_view code) {
  auto word = code.empty() ? std::string() : ", " + printable_type(code);
  return fail(Errc::auth, fmt::format("{} refused: status {}{}", issuer, status, word));
}

std::string refusal_code(std::string_view body) {
  auto json = parse_json(body);
  if (!json) return {};
  const auto* error = find(*json, "error");
  if (error != nullptr && error->is_object()) return get_string(*error, "status");
  auto code = get_string(*json, "error");
  return code.empty() ? get_string(*json, "Code", get_string(*json, "code")) : code;
}

Result<Duration> lifetime_until(std::string_view expiration, const http::Headers& headers, WallTime wall) {
  auto end = parse_rfc3339(expiration);
  if (!end) return fail(Errc::auth, "an issuer gave an expiration that is no time");
  const auto* said = http::find_header(headers, "date");
  auto now = said != nullptr ? parse_http_date(*said).value_or(wall) : wall;
  if (end->ms <= now.ms) return fail(Errc::auth, "an issuer gave credentials that have expired");
  // Far futures would not fit into nanoseconds.
  return std::chrono::milliseconds(std::min(end->ms - now.ms, kTokenLifeSecondsMax * 1000));
}

Result<Expiring<BearerToken>> read_oauth_token(std::string_view issuer, const http::Response& response) {
  if (response.status != 200) return refused_by(issuer, response.status, refusal_code(response.body));
  auto json = parse_json(response.body);
  auto token = json ? get_string(*json, "access_token") : std::string();
  bool plain = std::ranges::all_of(token, [](unsigned char c) { return c > ' ' && c < 127; });
  if (token.empty() || !plain) return fail(Errc::auth, fmt::format("{} answered without a token", issuer));
  Expiring<BearerToken> out{{std::move(token)}, kTokenLifeUnsaid};
  auto life = get_int(*json, "expires_in", -1);
  auto text = get_string(*json, "expires_in");
  std::from_chars(text.data(), text.data() + text.size(), life);
  if (life == 0) return fail(Errc::auth, fmt::format("{} gave a token that has expired", issuer));
  if (life > 0) out.lifetime = std::chrono::seconds(std::min(life, kTokenLifeSecondsMax));
  return out;
}

Result<std::string> read_token_file(Ports& ports, const std::string& path) {
  auto text = ports.read_file(path);
  if (!text) return fail(Errc::auth, fmt::format("the token file {} cannot be read", path));
  auto first = text->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(Errc::auth, fmt::format("the token file {} is empty", path));
  auto token = text->substr(first, text->find_last_not_of(" \t\r\n") + 1 - first);
  bool plain = std::ranges::all_of(token, [](unsigned char c) { return c >= ' ' && c < 127; });
  if (!plain) return fail(Errc::auth, fmt::format("the token file {} holds more than one line", path));
  return token;
}

}  // namespace troupe::providers
