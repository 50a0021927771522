// HTTP requests and responses as plain values. No sockets, no Boost: providers build and read these.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// In wire order; names compare case-insensitively.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The first value of `name`, or nullptr.
const std::string* find_header(const Headers& headers, std::string_view name);
/// Replaces the first `name` or appends it.
void set_header(Headers& headers, std::string_view name, std::string value);
bool same_header_name(std::string_view a, std::string_view b);

struct Request {
  std::string method = "POST";
  /// The exact request-target: path and query, already percent-encoded.
  std::string target = "/";
  Headers headers;
  std::string body;
};

struct ResponseHead {
  int status = 0;
  Headers headers;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

/// Where requests go: one connection pool per origin.
struct Origin {
  bool tls = false;
  std::string host;
  unsigned short port = 0;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

}  // namespace troupe::http
