#include "runtime/http/proxy.hpp"

#include "runtime/http/asio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace troupe::http {
namespace {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// RFC 4648 4.
std::string basic_credentials(std::string_view text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "Basic ";
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= text.size() ? letters[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

// A percent sign that does not begin an escape stands for itself.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    bool escape = text[i] == '%' && i + 2 < text.size();
    if (escape) {
      auto [end, failed] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      escape = failed == std::errc{} && end == text.data() + i + 3;
    }
    out += escape ? static_cast<char>(byte) : text[i];
    if (escape) i += 2;
  }
  return out;
}

struct HostPort {
  std::string_view host, port;
};

// "HOST", "HOST:PORT", "[V6]:PORT", or a bare IPv6 address, whose colons are no port's.
HostPort split_host(std::string_view text) {
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == std::string_view::npos) return {text, {}};
    auto rest = text.substr(end + 1);
    return {text.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : std::string_view()};
  }
  auto colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string lower_host(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower.ends_with('.')) lower.pop_back();
  return lower;
}

std::vector<unsigned char> address_bytes(std::string_view text) {
  error_code ec;
  auto address = asio::ip::make_address(std::string(text), ec);
  if (ec) return {};
  auto as_vector = [](const auto& bytes) { return std::vector<unsigned char>(bytes.begin(), bytes.end()); };
  return address.is_v4() ? as_vector(address.to_v4().to_bytes()) : as_vector(address.to_v6().to_bytes());
}

bool same_network(const std::vector<unsigned char>& a, const std::vector<unsigned char>& b,
                  std::size_t bits) {
  if (a.empty() || a.size() != b.size() || bits > a.size() * 8) return false;
  for (std::size_t i = 0; i < bits; ++i)
    if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1) return false;
  return true;
}

bool entry_covers(std::string_view entry, const std::string& host, unsigned short port) {
  if (entry == "*") return true;
  auto network = address_bytes(host);
  if (auto slash = entry.find('/'); slash != std::string_view::npos) {
    auto bits = whole_number<std::size_t>(entry.substr(slash + 1));
    return bits && same_network(address_bytes(entry.substr(0, slash)), network, *bits);
  }
  auto [name, for_port] = split_host(entry);
  if (!for_port.empty() && whole_number<unsigned short>(for_port) != port) return false;
  if (!network.empty()) return address_bytes(name) == network;
  auto suffix = lower_host(name);
  if (suffix.starts_with('.')) suffix.erase(0, 1);
  if (suffix.empty()) return false;
  return host == suffix || host.ends_with("." + suffix);
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view url) {
  auto wrong = [] {
    return fail(Errc::bad_config, "the proxy is not written as http://[USER:PASSWORD@]HOST:PORT");
  };
  if (auto scheme = url.find("://"); scheme != std::string_view::npos) {
    if (!same_header_name(url.substr(0, scheme), "http"))
      return fail(Errc::bad_config, "the proxy's scheme is not http: no other is supported");
    url.remove_prefix(scheme + 3);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  Proxy proxy;
  // The last one: a password may hold another.
  if (auto at = url.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = basic_credentials(percent_decoded(url.substr(0, at)));
    url.remove_prefix(at + 1);
  }
  auto [host, port] = split_host(url);
  auto number = whole_number<unsigned short>(port);
  bool clean = std::ranges::none_of(
      host, [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '/' || c == '[' || c == '@'; });
  if (host.empty() || !clean || !number || *number == 0) return wrong();
  proxy.host = host;
  proxy.port = *number;
  return proxy;
}

std::string describe(const Proxy& proxy) {
  bool v6 = proxy.host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", proxy.host, v6 ? "]" : "", proxy.port);
}

bool bypasses_proxy(std::string_view no_proxy, const std::string& host, unsigned short port) {
  constexpr std::string_view separators = ", \t";
  auto plain = lower_host(host);
  while (!no_proxy.empty()) {
    auto end = std::min(no_proxy.find_first_of(separators), no_proxy.size());
    auto entry = no_proxy.substr(0, end);
    if (!entry.empty() && entry_covers(entry, plain, port)) return true;
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return false;
}

Result<std::optional<Proxy>> choose_proxy(const ClientConfig& config, const Origin& origin) {
  const auto& url = origin.tls ? config.proxy : config.plain_proxy.value_or(config.proxy);
  if (url.empty() || bypasses_proxy(config.no_proxy, origin.host, origin.port)) return std::nullopt;
  auto proxy = parse_proxy(url);
  if (!proxy) return std::unexpected(proxy.error());
  return std::optional(std::move(*proxy));
}

void read_proxy_environment(ClientConfig& config, const Environment& environment) {
  auto first_of = [&](const char* lower, const char* upper) {
    auto value = environment(lower);
    return value || !upper ? value : environment(upper);
  };
  bool cgi = environment("REQUEST_METHOD").has_value();
  config.proxy = first_of("https_proxy", "HTTPS_PROXY").value_or("");
  config.plain_proxy = first_of("http_proxy", cgi ? nullptr : "HTTP_PROXY").value_or("");
  config.no_proxy = first_of("no_proxy", "NO_PROXY").value_or("");
}

}  // namespace troupe::http
