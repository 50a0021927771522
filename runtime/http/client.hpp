// An HTTP/1.1 client over pooled keep-alive connections, plain or TLS, direct or through a proxy, with a
// timer for each phase.
#pragma once

#include "runtime/http/loop.hpp"
#include "runtime/http/message.hpp"

#include <troupe/error.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// Hears the addresses of a host, numeric ("192.0.2.1", "2001:db8::1") and in order of preference.
using Found = std::function<void(Result<std::vector<std::string>>)>;
/// Looks a host up. Called on the loop thread; calls `found` there, once, when it likes, or never (the
/// connect timer then ends the wait).
using Resolve = std::function<void(const std::string& host, Found found)>;

struct ClientConfig {
  /// Idle connections kept per origin.
  std::size_t idle_per_origin_max = 64;
  /// Open connections per origin; further exchanges wait for one (their total timer runs).
  std::size_t open_per_origin_max = 1024;
  /// Exchanges waiting for a connection, per origin; more end with `refused`.
  std::size_t waiting_per_origin_max = 16 * 1024;
  /// An idle connection older than this is closed rather than reused.
  Duration idle_age_max = std::chrono::seconds(55);
  /// Of one response; a larger head ends the exchange with transient_server, not retryable.
  std::size_t head_bytes_max = 64 * 1024;
  /// Of one response. A larger body ends the exchange with stream_broken.
  std::size_t body_bytes_max = 64 * 1024 * 1024;
  /// PEM file of additional certificate authorities; empty: the system's. Unreadable: exchanges over TLS end
  /// with bad_config.
  std::string ca_file;
  /// Origins whose latest TLS session is kept, for the next connection to resume. Zero: none is resumed.
  std::size_t tls_sessions_max = 256;

  /// "http://[USER:PASSWORD@]HOST:PORT" or empty. https origins are reached through it with CONNECT, TLS
  /// being verified end to end; http origins are asked for in absolute-form, and what it answers is the
  /// answer (a 407 too). Malformed: exchanges end with bad_config. Its credentials appear in no message.
  std::string proxy;
  /// For http origins instead of `proxy`; empty: none; absent: as `proxy`.
  std::optional<std::string> plain_proxy;
  /// Origins reached without the proxy, as bypasses_proxy in proxy.hpp reads it. Loopback is proxied too
  /// unless it is listed, as curl does.
  std::string no_proxy;

  /// Every new connection looks its host up anew. Empty: the system's resolver, on threads of its own.
  Resolve resolve;
  /// Of one host, tried by turns of family, the first that connects wins (RFC 8305).
  std::size_t addresses_max = 16;
  /// How long one attempt may take before the next address is tried beside it; RFC 8305 5 recommends this.
  Duration attempt_delay = std::chrono::milliseconds(250);

  /// Of Client::warm: how long one connection may take to open, and the wait after a round of openings, which
  /// doubles from min to max while rounds follow one another.
  Duration warm_connect_max = std::chrono::seconds(10);
  Duration warm_retry_min = std::chrono::seconds(1), warm_retry_max = std::chrono::minutes(1);
};
/// Fails with bad_config for a proxy that cannot be understood.
Result<void> validate(const ClientConfig& config);

/// Each runs alone; the first to fire ends the exchange with `timeout` and names itself in `what`.
/// Zero means no limit. (A header-wait timeout that never fires is a known defect of peers: each has a test.)
struct Timeouts {
  /// Finding the host's addresses, TCP, the proxy's answer and the TLS handshake, together.
  Duration connect = std::chrono::seconds(5);
  /// Request written -> response head. While it is still being written: since the peer last took some of it.
  Duration header = std::chrono::seconds(30);
  Duration first_byte = std::chrono::seconds(60);  ///< as header, until the first body byte
  Duration idle = std::chrono::seconds(30);        ///< between body bytes
  Duration total = std::chrono::minutes(10);       ///< from start, waiting for a connection included
};

/// Hears one exchange, on the loop thread: on_head once, on_body any number of times, on_end exactly once and
/// last. Never called from within Client::start or Exchange::cancel. Not called any more once the loop has
/// stopped.
class ExchangeSink {
 public:
  virtual ~ExchangeSink() = default;
  virtual void on_head(const ResponseHead& head) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  /// An error: connect failures (a refused certificate included, that one not retryable; a proxy's refusal,
  /// its 407 being auth) and answers that are not HTTP are transient_server, timers are timeout, a body cut
  /// short or malformed is stream_broken, a request that cannot be written as HTTP is invalid_input.
  /// `maybe_billed` is set once request bytes may have reached the server.
  virtual void on_end(Result<void> ended) = 0;
};

/// A running exchange. Dropping the handle does not stop it.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Closes the connection; on_end(cancelled) follows unless the exchange has ended. Loop thread only.
  virtual void cancel() = 0;
  /// Back-pressure: no further read is started on the socket, so that the peer's sending comes to a halt when
  /// the kernel's buffers are full. What is being parsed at that moment is still delivered, on_end included;
  /// a read already under way is kept unparsed. The header, first_byte and idle timers stand still; `total`
  /// goes on, and so does the sending of the request. Loop thread only; pausing twice is pausing once.
  virtual void pause() = 0;
  /// Delivery goes on soon, not from within this call. Loop thread only.
  virtual void resume() = 0;
  /// True when it runs on a connection opened before it: one that had served, or was kept warm.
  virtual bool reused_connection() const = 0;
};

class ClientCore;

/// Loop thread only, except that it may be made and destroyed on any. A request that fails on a reused
/// connection before any response byte is sent again once on a fresh one (the server may have closed it while
/// idle).
class Client {
 public:
  Client(Loop& loop, ClientConfig config);
  /// Exchanges still running end with `cancelled`, soon after.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// `request.headers` need not contain Host or Content-Length unless signed; missing ones are added.
  std::shared_ptr<Exchange> start(const Origin& origin, Request request, const Timeouts& timeouts,
                                  std::shared_ptr<ExchangeSink> sink);

  /// Keeps at least `count` connections to the origin open from now on, TLS included, without sending
  /// anything: the first exchanges then find one ready. Busy ones count. One that is lost (closed by the
  /// server, too old, spent by an exchange) is replaced, at the configuration's pace; what fails is tried
  /// again for ever. At most idle_per_origin_max; zero ends it, and leaves what is open to age. Failures are
  /// told nobody: see `idle`.
  void warm(const Origin& origin, std::size_t count);
  /// Connections to this origin ready for use.
  std::size_t idle(const Origin& origin) const;

  /// `open` counts those being opened; `resumed_total` the TLS handshakes that resumed a session.
  struct Stats {
    std::size_t open = 0, idle = 0, opened_total = 0, reused_total = 0, resumed_total = 0;
  };
  Stats stats() const;

 private:
  std::shared_ptr<ClientCore> core_;
};

}  // namespace troupe::http
