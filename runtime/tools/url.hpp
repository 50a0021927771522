// Web addresses, as far as tools need them.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <string>
#include <string_view>

namespace troupe::tools {

struct WebAddress {
  http::Origin origin;
  /// Path and query, percent-encoded; without a fragment. Begins with a slash.
  std::string target;
};

/// Reads an absolute http or https URL (RFC 3986), strictly: a host that is a name of letters, digits,
/// hyphens, dots and underscores, or an address in brackets; no user and password, which are how one host is
/// made to look like another. The host is in lower case, without brackets and a final dot. invalid_input
/// otherwise.
Result<WebAddress> parse_web_address(std::string_view url);
/// A redirect's Location against the address it came from.
Result<WebAddress> resolve_web_address(const WebAddress& base, std::string_view location);
std::string to_string(const WebAddress& address);

}  // namespace troupe::tools
