#include "runtime/tools/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kUrlBytesMax = 4096;

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

bool host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<unsigned short> port_of(std::string_view text, bool tls) {
  if (text.empty()) return static_cast<unsigned short>(tls ? 443 : 80);
  unsigned port = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
    return fail(Errc::invalid_input, "the address has no usable port");
  return static_cast<unsigned short>(port);
}

/// "HOST[:PORT]".
Result<http::Origin> origin_of(std::string_view authority, bool tls) {
  bool bracketed = authority.starts_with('[');
  auto host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos)
    return fail(Errc::invalid_input, "the address has no host");
  auto host = lowered(
      authority.substr(bracketed, host_end == std::string_view::npos ? host_end : host_end - bracketed));
  auto rest = host_end == std::string_view::npos ? "" : authority.substr(host_end + bracketed);
  if (!rest.empty() && !rest.starts_with(':'))
    return fail(Errc::invalid_input, "the address has no usable port");
  if (host.ends_with('.')) host.pop_back();
  auto fits = [&](char c) { return host_byte(c) || (bracketed && c == ':'); };
  if (host.empty() || host.size() > 253 || !std::ranges::all_of(host, fits))
    return fail(Errc::invalid_input, "the address has no usable host");
  auto port = port_of(rest.empty() ? rest : rest.substr(1), tls);
  if (!port) return std::unexpected(std::move(port.error()));
  return http::Origin{tls, std::move(host), *port};
}

}  // namespace

Result<WebAddress> parse_web_address(std::string_view url) {
  if (url.size() > kUrlBytesMax || !visible(url) || url.find('\\') != std::string_view::npos)
    return fail(Errc::invalid_input, "this is no web address");
  auto scheme = lowered(url.substr(0, url.find("://")));
  if (scheme != "http" && scheme != "https")
    return fail(Errc::invalid_input, "only http:// and https:// addresses can be used");
  url.remove_prefix(scheme.size() + 3);
  auto authority = url.substr(0, url.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return fail(Errc::invalid_input, "an address with a user name in it is not used");
  auto origin = origin_of(authority, scheme == "https");
  if (!origin) return std::unexpected(std::move(origin.error()));
  std::string target(url.substr(authority.size(), url.find('#') - authority.size()));
  if (!target.starts_with('/')) target.insert(0, "/");
  return WebAddress{std::move(*origin), std::move(target)};
}

Result<WebAddress> resolve_web_address(const WebAddress& base, std::string_view location) {
  location = location.substr(0, location.find('#'));
  auto colon = location.find(':'), slash = location.find_first_of("/?");
  if (colon != std::string_view::npos && colon < slash) return parse_web_address(location);
  auto root = to_string({base.origin, ""});
  if (location.starts_with("//"))
    return parse_web_address(fmt::format("{}:{}", base.origin.tls ? "https" : "http", location));
  if (location.starts_with('/')) return parse_web_address(fmt::format("{}{}", root, location));
  auto path = base.target.substr(0, base.target.find('?'));
  if (!location.starts_with('?')) path.resize(path.rfind('/') + 1);
  return parse_web_address(fmt::format("{}{}{}", root, path, location));
}

std::string to_string(const WebAddress& address) {
  const auto& [tls, host, port] = address.origin;
  bool bracketed = host.find(':') != std::string::npos, usual = port == (tls ? 443 : 80);
  return fmt::format("{}://{}{}{}{}{}", tls ? "https" : "http", bracketed ? "[" : "", host,
                     bracketed ? "]" : "", usual ? "" : fmt::format(":{}", port), address.target);
}

}  // namespace troupe::tools
