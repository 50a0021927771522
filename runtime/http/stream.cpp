#include "runtime/http/stream.hpp"

namespace troupe::http {

void Stream::send_at_once() {
  error_code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Stream::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

bool Stream::quiet() {
  error_code ec;
  char byte = 0;
  socket_.non_blocking(true, ec);
  if (ec) return false;
  socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, ec);
  // Bytes without a request are the peer's goodbye (a 408, a TLS close_notify) or a protocol error.
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

}  // namespace troupe::http
