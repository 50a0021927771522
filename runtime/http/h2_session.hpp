// The server's side of one HTTP/2 connection as bytes in and bytes out (RFC 9113). No sockets, no clock:
// split the input anywhere, the same requests come of it. Only whether a malformed head costs its stream
// (RST_STREAM) or the connection (GOAWAY) may depend on where it was cut. nghttp2 does frames, header
// compression and flow control.
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/http/server.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// What a client that knows beforehand that we speak HTTP/2 says first (RFC 9113 3.4).
inline constexpr std::string_view h2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct H2Limits {
  std::size_t head_bytes_max = 64 * 1024;         ///< of one request; more is answered 431
  std::size_t body_bytes_max = 32 * 1024 * 1024;  ///< of one request; more is answered 413
  std::uint32_t streams_max = 256;                ///< at once; more are refused with REFUSED_STREAM
};

struct H2Event {
  enum class Kind {
    request,  ///< whole, to be answered
    closed,   ///< the stream is over: answered, or reset by either side
  };
  Kind kind;
  std::int32_t stream;
  Request request;
};

/// Streams are named by their numbers, which are never used twice on a connection. Calls about a stream that
/// is over do nothing.
class H2Session {
 public:
  explicit H2Session(const H2Limits& limits);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  /// Takes all of it. False when the peer broke the rules beyond repair: what `pull` then gives ends with a
  /// GOAWAY, after which the connection is to be closed.
  bool feed(std::string_view bytes);
  /// What has happened since it was last asked. Feeding, pulling and resetting make events.
  std::vector<H2Event> take_events();
  /// Appends frames that can be sent now, until `out` holds `bytes_max` or a little more. False as feed.
  bool pull(std::string& out, std::size_t bytes_max);
  /// Neither side has anything to say any more: after a GOAWAY, when the last stream is over.
  bool over() const;

  /// Submits the head, once per stream. `content_length` is said when given; without `body` the stream ends
  /// here. The head must have passed check_response_head.
  void begin(std::int32_t stream, const ResponseHead& head, std::optional<std::size_t> content_length,
             bool body);
  void write(std::int32_t stream, std::string_view bytes);
  /// After what was written: the end of the body, or RST_STREAM with INTERNAL_ERROR.
  void finish(std::int32_t stream, Ending ending);
  /// RST_STREAM with INTERNAL_ERROR now; what was written and not sent is lost.
  void reset(std::int32_t stream);
  /// Takes no new streams (GOAWAY); those open go on.
  void shut();
  /// Written to streams and not yet pulled.
  std::size_t unsent_bytes() const;
  bool has_streams() const;
  /// To be called at an interval: resets the streams whose client has for a whole interval taken nothing of
  /// what is written, or not ended its request.
  void reset_stalled();

 private:
  struct Impl;
  struct Callbacks;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::http
