// An HTTP/2 client with prior knowledge over one blocking socket, built on nghttp2's client side.
#pragma once

#include "runtime/http/message.hpp"
#include "tests/http/support/raw_peers.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::http::testing {

struct H2Heard {
  int status = 0;
  int informational = 0;
  Headers headers;
  std::string body;
  bool closed = false;
  std::uint32_t error = 0;  ///< of RST_STREAM; meaningful once closed
};

/// One thread at a time.
class H2Client {
 public:
  /// `window_bytes`: what it lets the server send unread; it gives more only through `take_more`. Zero:
  /// nghttp2 gives more by itself.
  explicit H2Client(unsigned short port, std::uint32_t window_bytes = 0);
  ~H2Client();

  /// Gives the stream's number. The body is sent as the server allows.
  std::int32_t ask(const Request& request);
  /// Any pseudo-headers and fields, in this order.
  std::int32_t ask_raw(const Headers& fields, std::string body = {});
  /// Sends and reads until `met`; false when the connection ended or nothing came for some seconds.
  bool run_until(const std::function<bool()>& met);
  bool run_until_closed(std::int32_t stream);
  void cancel(std::int32_t stream);
  /// Allows the server that much more, on the stream and the connection.
  void take_more(std::int32_t stream, std::int32_t bytes);
  /// Sends what is waiting, without reading.
  void flush();
  H2Heard& heard(std::int32_t stream);
  /// The server's GOAWAY code, once it came.
  std::optional<std::uint32_t> goaway() const;
  RawConnection& raw();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::http::testing
