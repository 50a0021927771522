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

Stream::Pending Stream::pending() {
  error_code ec;
  char byte = 0;
  socket_.non_blocking(true, ec);
  if (ec) return Pending::end;
  socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, ec);
  if (!ec) return Pending::bytes;
  return ec == asio::error::would_block || ec == asio::error::try_again ? Pending::nothing : Pending::end;
}

}  // namespace troupe::http
