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

void Connection::close() {
  user.reset();
  stream.close();
}

}  // namespace troupe::http
