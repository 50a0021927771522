// Writes HTTP/1.1 heads and chunks as text. Pure; refuses what would let a header value forge another header.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// How a request is written for whoever is at the other end.
struct RequestForm {
  /// To a proxy: the target with scheme and authority before it (RFC 9112 3.2.2).
  bool absolute = false;
  /// The value of Proxy-Authorization; empty: none.
  std::string proxy_authorization;
};

/// The whole request, ready to send. Adds Host, and Content-Length where a body is expected, unless given.
/// Fails with invalid_input on malformed methods, targets or headers, a Content-Length that is not the
/// body's, and any Transfer-Encoding: requests are sent whole.
Result<std::string> request_text(const Origin& origin, const Request& request, const RequestForm& form = {});
/// "CONNECT HOST:PORT", the port always said. Fails with invalid_input when the host could not be a host.
Result<std::string> connect_text(const Origin& origin, const std::string& proxy_authorization);

/// How the body that follows a response head is delimited.
struct Framing {
  /// Absent: chunked, or by the end of the connection when `chunked` is false.
  std::optional<std::size_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
};
/// Fails with invalid_input on malformed headers or a status that is not final.
Result<void> check_response_head(const ResponseHead& head);
/// Framing headers in `head` are replaced by ours. Fails with invalid_input on malformed headers.
Result<std::string> response_head_text(const ResponseHead& head, const Framing& framing);

/// "HOST" or "HOST:PORT" as the Host header has it: without a default port, IPv6 in brackets.
std::string authority(const Origin& origin);
/// "https://HOST:PORT", for messages to people.
std::string describe(const Origin& origin);

void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace troupe::http
