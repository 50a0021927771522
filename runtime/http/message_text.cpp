#include "runtime/http/message_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace troupe::http {
namespace {

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  auto token_char = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, token_char);
}

// Anything but control characters; a tab is allowed (RFC 9110 5.5). A line break would start another header.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
}

Result<void> check_headers(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) return fail(Errc::invalid_input, "a header's name is not an HTTP token");
    // The value may be a secret: it is not shown.
    if (!is_field_value(value))
      return fail(Errc::invalid_input, fmt::format("header {} holds a control character", name));
  }
  return {};
}

Result<void> check_request(const Request& request) {
  if (!is_token(request.method))
    return fail(Errc::invalid_input, "the request's method is not an HTTP token");
  if (!is_target(request.target))
    return fail(Errc::invalid_input, "the request's target is empty or holds a space or control character");
  if (find_header(request.headers, "transfer-encoding"))
    return fail(Errc::invalid_input, "requests are sent whole: Transfer-Encoding is not supported");
  const auto* length = find_header(request.headers, "content-length");
  if (length && *length != std::to_string(request.body.size()))
    return fail(Errc::invalid_input, "the request's Content-Length is not its body's length");
  return check_headers(request.headers);
}

bool names_framing(std::string_view name) {
  return same_header_name(name, "content-length") || same_header_name(name, "transfer-encoding") ||
         same_header_name(name, "connection");
}

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr std::array reasons{
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{413, "Content Too Large"},
    Reason{424, "Failed Dependency"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
};

// May be empty (RFC 9112 4).
std::string_view reason_phrase(int status) {
  for (const auto& reason : reasons)
    if (reason.status == status) return reason.phrase;
  return "";
}

}  // namespace

std::string authority(const Origin& origin) {
  bool v6 = origin.host.find(':') != std::string::npos;
  auto host = v6 ? "[" + origin.host + "]" : origin.host;
  auto default_port = origin.tls ? 443 : 80;
  return origin.port == default_port ? host : fmt::format("{}:{}", host, origin.port);
}

std::string describe(const Origin& origin) {
  return fmt::format("{}://{}", origin.tls ? "https" : "http", authority(origin));
}

Result<std::string> connect_text(const Origin& origin, const std::string& proxy_authorization) {
  bool v6 = origin.host.find(':') != std::string::npos;
  auto target = fmt::format("{}{}{}:{}", v6 ? "[" : "", origin.host, v6 ? "]" : "", origin.port);
  if (origin.host.empty() || !is_target(target))
    return fail(Errc::invalid_input, "the origin's host is empty or holds a space or control character");
  auto credentials =
      proxy_authorization.empty() ? "" : fmt::format("Proxy-Authorization: {}\r\n", proxy_authorization);
  return fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, credentials);
}

Result<std::string> request_text(const Origin& origin, const Request& request, const RequestForm& form) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  auto where = form.absolute && request.target.starts_with('/') ? describe(origin) : std::string();
  if (!where.empty() && !is_target(where))
    return fail(Errc::invalid_input, "the origin's host holds a space or control character");
  std::string out;
  out.reserve(512 + request.body.size());
  auto at = std::back_inserter(out);
  fmt::format_to(at, "{} {}{} HTTP/1.1\r\n", request.method, where, request.target);
  if (!find_header(request.headers, "host")) {
    auto host = authority(origin);
    if (!is_field_value(host))
      return fail(Errc::invalid_input, "the origin's host holds a control character");
    fmt::format_to(at, "Host: {}\r\n", host);
  }
  for (const auto& [name, value] : request.headers) fmt::format_to(at, "{}: {}\r\n", name, value);
  if (!form.proxy_authorization.empty())
    fmt::format_to(at, "Proxy-Authorization: {}\r\n", form.proxy_authorization);
  // RFC 9110 8.6: absent a body, only methods that define one say its length.
  bool says_length = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
  if (says_length && !find_header(request.headers, "content-length"))
    fmt::format_to(at, "Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  out += request.body;
  return out;
}

Result<void> check_response_head(const ResponseHead& head) {
  if (head.status < 200 || head.status > 999) return fail(Errc::invalid_input, "not a final response status");
  return check_headers(head.headers);
}

Result<std::string> response_head_text(const ResponseHead& head, const Framing& framing) {
  if (auto ok = check_response_head(head); !ok) return std::unexpected(ok.error());
  std::string out;
  auto at = std::back_inserter(out);
  fmt::format_to(at, "HTTP/1.1 {} {}\r\n", head.status, reason_phrase(head.status));
  for (const auto& [name, value] : head.headers)
    if (!names_framing(name)) fmt::format_to(at, "{}: {}\r\n", name, value);
  if (framing.content_length) fmt::format_to(at, "Content-Length: {}\r\n", *framing.content_length);
  if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (!framing.keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

void append_chunk(std::string& out, std::string_view bytes) {
  // An empty chunk would end the body.
  if (bytes.empty()) return;
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out += bytes;
  out += "\r\n";
}

}  // namespace troupe::http
