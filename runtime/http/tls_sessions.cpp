#include "runtime/http/tls_sessions.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace troupe::http {

// What a connection's SSL carries, and frees with itself: whose session the next one will be.
struct TlsSessions::Listener {
  std::weak_ptr<TlsSessions> sessions;
  Origin origin;

  static int slot() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free);
    return index;
  }
  static void free(void*, void* listener, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Listener*>(listener);
  }
  // Zero: OpenSSL keeps its reference to itself.
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto* listener = static_cast<Listener*>(SSL_get_ex_data(ssl, slot()));
    auto sessions = listener ? listener->sessions.lock() : nullptr;
    if (sessions && SSL_SESSION_is_resumable(session)) sessions->keep(listener->origin, session);
    return 0;
  }
};

void TlsSessions::Free::operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }

void TlsSessions::listen(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, Listener::on_session);
}

// Copies in and out: OpenSSL spoils the very session of a connection that ends without TLS's goodbye, and
// ours often do.
void TlsSessions::attach(SSL* ssl, const Origin& origin) {
  if (sessions_max_ == 0) return;
  auto* listener = new Listener{weak_from_this(), origin};
  if (SSL_set_ex_data(ssl, Listener::slot(), listener) != 1) return delete listener;
  auto found = kept_.find(origin);
  if (found == kept_.end()) return;
  found->second.used = ++uses_;
  Session copy(SSL_SESSION_dup(found->second.session.get()));
  if (copy) SSL_set_session(ssl, copy.get());
}

void TlsSessions::keep(const Origin& origin, const SSL_SESSION* session) {
  Session copy(SSL_SESSION_dup(session));
  if (!copy) return;
  kept_.insert_or_assign(origin, Kept{std::move(copy), ++uses_});
  if (kept_.size() <= sessions_max_) return;
  kept_.erase(std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.used; }));
}

bool tls_resumed(SSL* ssl) { return SSL_session_reused(ssl) == 1; }

}  // namespace troupe::http
