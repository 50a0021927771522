// An HTTP/1.1 server, plain or TLS, for the simulator and (later) the gateway.
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
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 32 * 1024 * 1024;
  std::size_t connections_max = 8192;
  Duration idle_age_max = std::chrono::minutes(2);
  /// Both or neither: PEM files for TLS.
  std::string certificate_file, key_file;
};

/// How a response ends.
enum class Ending {
  complete,  ///< final chunk, connection kept alive
  cut,       ///< the connection is reset without a final chunk
};

/// Writes one response. Loop thread only; calls after the client has gone do nothing.
class Responder {
 public:
  virtual ~Responder() = default;
  /// A whole response with Content-Length.
  virtual void send(const Response& response) = 0;
  /// A chunked response: head, then chunks, then finish.
  virtual void begin(const ResponseHead& head) = 0;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish(Ending ending) = 0;
  /// The client closed or was reset.
  virtual bool gone() const = 0;
  /// Called once, on the loop, when the client goes before the response is finished.
  virtual void on_gone(std::function<void()> hook) = 0;
};

using RequestHandler = std::function<void(const Request& request, std::shared_ptr<Responder> responder)>;

/// Construct and destroy on any thread but the loop's. The handler runs on the loop thread.
class Server {
 public:
  /// Fails with bad_config when the address cannot be bound.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, ServerConfig config, RequestHandler handler);
  ~Server();
  unsigned short port() const;

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::http
