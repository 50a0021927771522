// TLS sessions a client may resume: the latest of each origin, so that its next connection need not prove
// everything again.
#pragma once

#include "runtime/http/asio.hpp"
#include "runtime/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace troupe::http {

/// Keyed by origin, so that no host is ever offered another's. A resumed session was verified for this host
/// and by these authorities when it began; OpenSSL does not ask for the certificate again (RFC 8446 2.2).
/// Loop thread only, but for its construction.
class TlsSessions : public std::enable_shared_from_this<TlsSessions> {
 public:
  /// Beyond `sessions_max` the one longest unused is forgotten. Zero: nothing is resumed.
  explicit TlsSessions(std::size_t sessions_max) : sessions_max_(sessions_max) {}
  /// Makes this context's connections hand us the sessions they are given. Once per context, before its first
  /// connection.
  static void listen(SSL_CTX* context);
  /// Before the handshake: offers the origin's latest session, and keeps those the server gives (TLS 1.3: as
  /// tickets, read after the handshake).
  void attach(SSL* ssl, const Origin& origin);
  std::size_t size() const { return kept_.size(); }

 private:
  struct Free {
    void operator()(SSL_SESSION* session) const;
  };
  using Session = std::unique_ptr<SSL_SESSION, Free>;
  struct Kept {
    Session session;
    std::uint64_t used = 0;
  };
  struct Listener;
  void keep(const Origin& origin, const SSL_SESSION* session);

  const std::size_t sessions_max_;
  std::uint64_t uses_ = 0;
  std::map<Origin, Kept> kept_;
};

/// After the handshake: it resumed an earlier session.
bool tls_resumed(SSL* ssl);

}  // namespace troupe::http
