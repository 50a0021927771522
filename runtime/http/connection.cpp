#include "runtime/http/connection.hpp"

namespace troupe::http {

void Connection::read() {
  if (reading_) return;
  reading_ = true;
  stream.read_some(input.room(), [self = shared_from_this()](error_code ec, std::size_t n) {
    self->reading_ = false;
    self->input.filled(n);
    if (auto hearing = self->user.lock()) hearing->on_input(*self, ec);
  });
}

// Bytes without a request are the peer's goodbye (a 408, a TLS close_notify) or a protocol error; but over
// TLS 1.3 the first are tickets, sent after the handshake and perhaps not read yet.
bool Connection::usable() {
  auto pending = stream.pending();
  if (pending == Stream::Pending::bytes) return stream.tls() && !served;
  return pending == Stream::Pending::nothing;
}

void Connection::close() {
  user.reset();
  stream.close();
}

}  // namespace troupe::http
