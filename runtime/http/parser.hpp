// Reads HTTP/1.1 messages from bytes, piece by piece and strictly. No sockets: split the input anywhere, the
// result is the same. Beast's parser does the grammar; what it lets pass that could smuggle a request is
// refused here.
#pragma once

#include "runtime/http/message.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace troupe::http {

struct ParseLimits {
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 64 * 1024 * 1024;
};

enum class ParseProblem { none, malformed, head_too_large, body_too_large, cut_short };

/// Hears a response as it is read. Informational heads (1xx) are skipped before it.
class ResponseParts {
 public:
  virtual ~ResponseParts() = default;
  virtual void on_response_head(ResponseHead head) = 0;
  virtual void on_response_body(std::string_view bytes) = 0;
};

/// One response. Refuses Content-Length together with Transfer-Encoding, repeated Content-Lengths, codings
/// other than chunked, and 101 (we never ask to switch protocols). RFC 9112 sections 6 and 7.
class ResponseParser {
 public:
  /// `to_head`: the request was HEAD, so no body follows. `parts` must outlive the parser.
  ResponseParser(ResponseParts& parts, const ParseLimits& limits, bool to_head);
  ~ResponseParser();
  /// Gives how many bytes were taken; the rest belongs to the next call, with more behind it.
  std::size_t feed(std::string_view bytes);
  /// The peer will send no more: ends a body that is delimited by that, else is cut_short.
  void end_of_input();
  bool done() const;
  bool head_seen() const;
  /// Only then may the connection serve again: the message said where it ends, and the peer keeps the
  /// connection.
  bool keeps_connection() const;
  ParseProblem problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One request, gathered whole. Refuses besides: HTTP/1.1 without exactly one Host, Transfer-Encoding in
/// HTTP/1.0.
class RequestParser {
 public:
  explicit RequestParser(const ParseLimits& limits);
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  std::size_t feed(std::string_view bytes);
  bool done() const;
  /// True once, when the head asks for "100 Continue" and its body has yet to come.
  bool take_expectation();
  /// HTTP/1.0 peers understand no chunks.
  bool chunks_understood() const;
  bool keeps_connection() const;
  ParseProblem problem() const;
  Request take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::http
