// ZeroMQ's C interface with owners and Results.
#include "runtime/transport/zmq_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace troupe::transport {

std::string_view ZmqFrame::view() const {
  return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
}

std::string ZmqFrame::user_id() const {
  const char* id = zmq_msg_gets(&message_, "User-Id");
  return id ? id : "";
}

ZmqSocket::ZmqSocket(void* context, int type) : socket_(zmq_socket(context, type)) { set(ZMQ_LINGER, 0); }

Result<void> ZmqSocket::set_text(int option, const std::string& value) {
  if (zmq_setsockopt(raw(), option, value.c_str(), value.size()) == 0) return {};
  return fail(Errc::bad_config, fmt::format("ZeroMQ refuses option {}: {}", option, zmq_strerror(errno)));
}

Result<void> ZmqSocket::bind(const std::string& address) {
  if (zmq_bind(raw(), address.c_str()) == 0) return {};
  return fail(Errc::bad_config, fmt::format("cannot listen on {}: {}", address, zmq_strerror(errno)));
}

Result<void> ZmqSocket::connect(const std::string& address) {
  if (zmq_connect(raw(), address.c_str()) == 0) return {};
  return fail(Errc::bad_config, fmt::format("cannot connect to {}: {}", address, zmq_strerror(errno)));
}

std::string ZmqSocket::last_endpoint() {
  char text[256] = {};
  std::size_t size = sizeof text;
  return zmq_getsockopt(raw(), ZMQ_LAST_ENDPOINT, text, &size) == 0 ? text : "";
}

bool ZmqSocket::receive(ZmqFrame& frame) { return zmq_msg_recv(frame.raw(), raw(), ZMQ_DONTWAIT) >= 0; }

std::vector<std::string> ZmqSocket::receive_parts() {
  std::vector<std::string> parts;
  ZmqFrame frame;
  while (receive(frame)) {
    parts.emplace_back(frame.view());
    if (!frame.more()) break;
  }
  return parts;
}

Sent ZmqSocket::send(std::string_view bytes, bool more) {
  auto flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  if (zmq_send(raw(), bytes.data(), bytes.size(), flags) >= 0) return Sent::done;
  return errno == EHOSTUNREACH ? Sent::unroutable : Sent::would_block;
}

}  // namespace troupe::transport
