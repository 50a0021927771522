// HTTP proxies: whether an origin is reached through one, and what it is told. Pure.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

struct Proxy {
  std::string host;
  unsigned short port = 0;
  /// The value of Proxy-Authorization; empty: none. A secret.
  std::string authorization;
};

/// Reads "http://[USER:PASSWORD@]HOST:PORT"; "http://" may be left out, USER and PASSWORD may be
/// percent-encoded. Fails with bad_config, without quoting it, for anything else: proxies spoken to over TLS
/// or SOCKS are not supported.
Result<Proxy> parse_proxy(std::string_view url);
/// "http://HOST:PORT", without credentials, for messages to people.
std::string describe(const Proxy& proxy);

/// Whether NO_PROXY's list names the origin. Entries are separated by commas or spaces and compared without
/// case, as curl does: `*` is everything; a name is that host and everything beneath it, with or without a
/// dot before it; an address is that address; ADDRESS/BITS is that network. An entry with `:PORT` is for that
/// port only (an IPv6 address then in brackets). Loopback is not exempt unless listed.
bool bypasses_proxy(std::string_view no_proxy, const std::string& host, unsigned short port);

/// How `origin` is reached under this configuration: no proxy, or this one. Fails with bad_config.
Result<std::optional<Proxy>> choose_proxy(const ClientConfig& config, const Origin& origin);

/// The value of an environment variable; absent when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
/// Sets `proxy` from HTTPS_PROXY, `plain_proxy` from HTTP_PROXY and `no_proxy` from NO_PROXY, lower-case
/// spellings first. HTTP_PROXY in capitals is not believed where REQUEST_METHOD is set: in a CGI program a
/// client's header `Proxy:` would be read from it (as Go does; curl never believes it).
void read_proxy_environment(ClientConfig& config, const Environment& environment);

}  // namespace troupe::http
