// The connection a node keeps to a peer's address.
#include "runtime/transport/dealer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace troupe::transport {
namespace {

int milliseconds_of(Duration d) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

constexpr int kRefusalEvents = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

}  // namespace

void set_wire_options(ZmqSocket& socket, const GatewayConfig& config) {
  // Frames; a last guard only, credit is the flow control. Low, so that a backlog gathers in our queues,
  // where control can overtake it and messages share frames.
  socket.set(ZMQ_SNDHWM, 256);
  socket.set(ZMQ_RCVHWM, 256);
  // A frame is one message and up to a batch of others before it.
  socket.set_wide(ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(config.frame_bytes_max + (128u << 10)));
  socket.set(ZMQ_HANDSHAKE_IVL, 5000);
  socket.set(ZMQ_HEARTBEAT_IVL, milliseconds_of(config.heartbeat_interval));
  // Whether a peer is up our own hellos decide. ZeroMQ's beats only end dead connections, and must be
  // patient: it counts whole messages as signs of life, so a large one on a slow line would have its
  // connection cut under it for ever.
  socket.set(ZMQ_HEARTBEAT_TIMEOUT, milliseconds_of(5 * config.heartbeat_timeout));
  socket.set(ZMQ_HEARTBEAT_TTL, milliseconds_of(5 * config.heartbeat_timeout));
}

Dealer::Dealer(void* context, const GatewayConfig& config, const PeerConfig& peer, std::size_t number)
    : context_(context), config_(config), peer_(peer), number_(number) {}

Result<void> Dealer::open() {
  socket_ = ZmqSocket(context_, ZMQ_DEALER);
  set_wire_options(socket_, config_);
  // No queueing to a connection that is not there: what ZeroMQ holds is lost with it, and arrives late if it
  // is not.
  socket_.set(ZMQ_IMMEDIATE, 1);
  socket_.set(ZMQ_RECONNECT_IVL, 50);
  socket_.set(ZMQ_RECONNECT_IVL_MAX, 1000);
  for (auto [option, value] : {std::pair{ZMQ_CURVE_SERVERKEY, peer_.public_key},
                               std::pair{ZMQ_CURVE_PUBLICKEY, config_.keys.public_key},
                               std::pair{ZMQ_CURVE_SECRETKEY, config_.keys.secret_key}}) {
    if (auto set = socket_.set_text(option, value); !set) return set;
  }
  int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | kRefusalEvents;
  // A name of its own each time: the closed socket's lingers a while.
  auto monitor_address = fmt::format("inproc://monitor-{}-{}", number_, ++openings_);
  zmq_socket_monitor(socket_.raw(), monitor_address.c_str(), events);
  monitor_ = ZmqSocket(context_, ZMQ_PAIR);
  if (auto heard = monitor_.connect(monitor_address); !heard) return heard;
  return socket_.connect(peer_.address);
}

DealerNews Dealer::read_event(int event, Instant now) {
  if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
    refusals_ = 0;
    return DealerNews::connected;
  }
  if (event == ZMQ_EVENT_DISCONNECTED) return DealerNews::lost;
  if (event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return DealerNews::none;
  socket_.close();
  monitor_.close();
  refusals_ = std::min(refusals_ + 1, 6);
  reopen_due_ = now + std::chrono::milliseconds(100) * (1 << refusals_);
  return DealerNews::refused;
}

DealerNews Dealer::news(Instant now) {
  auto news = DealerNews::none;
  while (monitor_) {
    auto parts = monitor_.receive_parts();
    if (parts.empty()) break;
    // First part: 16-bit event number, 32-bit value (zmq_socket_monitor(3)).
    std::uint16_t event = 0;
    if (parts[0].size() >= sizeof event) std::memcpy(&event, parts[0].data(), sizeof event);
    auto latest = read_event(event, now);
    if (latest != DealerNews::none) news = latest;
  }
  return news;
}

void Dealer::reopen(Instant now) {
  if (socket_ || now < reopen_due_) return;
  // The address and the keys were good when the gateway started, so this does not fail.
  std::ignore = open();
}

}  // namespace troupe::transport
