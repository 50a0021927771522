// An HTTP server for the simulator and (later) the gateway: HTTP/1.1, plain or TLS, and on the same plain
// port HTTP/2 for clients that begin with it.
#pragma once

#include "runtime/http/loop.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <functional>
#include <memory>
#include <string>

namespace troupe::http {

struct ServerConfig {
  std::string host = "127.0.0.1";
  /// 0: any free port, see Server::port.
  unsigned short port = 0;
  /// Of one request.
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 32 * 1024 * 1024;
  /// Of one connection, written but not yet taken by the client; one that reads slower than this allows is
  /// reset (over HTTP/2: the stream whose response is written when the limit is reached).
  std::size_t unsent_bytes_max = 64 * 1024 * 1024;
  /// More wait in the kernel's backlog until one closes.
  std::size_t connections_max = 8192;
  /// How long a connection may take from one response to the end of the next request (TLS handshake
  /// included), and how long a client may take nothing of a response. Then it is closed; over HTTP/2, where
  /// this is looked at once an interval and so takes up to twice as long, a stream is reset.
  Duration idle_age_max = std::chrono::minutes(2);
  /// Requests at once on an HTTP/2 connection; more are refused. Each may hold body_bytes_max.
  unsigned streams_per_connection_max = 256;
  /// Both or neither: PEM files for TLS.
  std::string certificate_file, key_file;
};

/// How a response ends.
enum class Ending {
  /// Final chunk, connection kept alive.
  complete,
  /// The connection is reset without a final chunk; over HTTP/2 the stream alone, with INTERNAL_ERROR. What
  /// was written before goes out first.
  cut,
};

/// Writes one response. Loop thread only, destruction included; calls after the client has gone, or after the
/// response is finished, do nothing. Dropping it unfinished answers 500, or cuts the response already begun.
/// Content-Length, Transfer-Encoding and Connection are ours to write; "Connection: close" among the headers
/// closes afterwards; over HTTP/2 the connection then takes no new requests and is closed after the last.
class Responder {
 public:
  virtual ~Responder() = default;
  /// A whole response with Content-Length. Headers that are not HTTP make it a 500.
  virtual void send(const Response& response) = 0;
  /// A streamed response: head, then pieces (HTTP/1.1's chunks, HTTP/2's DATA), then finish.
  virtual void begin(const ResponseHead& head) = 0;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish(Ending ending) = 0;
  /// The client closed or was reset, or it reset this stream. One that shuts only its sending side counts as
  /// gone.
  virtual bool gone() const = 0;
  /// Called once, on the loop, when the client goes before the response is finished.
  virtual void on_gone(std::function<void()> hook) = 0;
};

class ServerCore;
using RequestHandler = std::function<void(const Request& request, std::shared_ptr<Responder> responder)>;

/// Construct and destroy on any thread but the loop's. The handler runs on the loop thread; one request of an
/// HTTP/1.1 connection at a time, what a client pipelines waits for its turn. A plain connection that begins
/// with HTTP/2's preface is HTTP/2 with prior knowledge (RFC 9113 3.3): `host` is filled from :authority and
/// Request::target from :path; a peer that breaks the protocol gets GOAWAY and is closed. Requests that are
/// not HTTP/1.x, or could be read in two ways, are answered 400 and too large ones 413 or 431, without the
/// handler, and the connection is closed (RFC 9112 11.2; HTTP/2: the stream).
class Server {
 public:
  /// Fails with bad_config when the address cannot be bound or the TLS files are not usable.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, ServerConfig config, RequestHandler handler);
  /// Closes every connection, without on_gone. When it returns the handler neither runs nor will.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  unsigned short port() const;

 private:
  explicit Server(std::shared_ptr<ServerCore> core);
  std::shared_ptr<ServerCore> core_;
};

}  // namespace troupe::http
