// The connection a node keeps to a peer's address: connects, notices refusals, starts over.
#pragma once

#include "runtime/transport/zap.hpp"

namespace troupe::transport {

/// Sets what every socket of ours that speaks to other nodes has in common (STACK 4).
void set_wire_options(ZmqSocket& socket, const GatewayConfig& config);

enum class DealerNews { none, connected, refused, lost };

/// libzmq stops reconnecting once its key was refused, so a refused DEALER is made anew, with growing pauses:
/// the key may be listed later. One thread only.
class Dealer {
 public:
  Dealer(void* context, const GatewayConfig& config, const PeerConfig& peer, std::size_t number);

  /// Makes the socket and connects; bad_config for a bad address or key.
  Result<void> open();
  /// Reads what happened to the connection. After `refused` the socket is closed until `reopen_due`.
  DealerNews news(Instant now);
  /// Opens again when the pause after a refusal is over.
  void reopen(Instant now);
  Instant reopen_due() const { return socket_ ? Instant::max() : reopen_due_; }

  /// False when it cannot go now; without a live connection nothing can.
  bool send(std::string_view frame) { return socket_ && socket_.send(frame) == Sent::done; }
  bool receive(ZmqFrame& frame) { return socket_ && socket_.receive(frame); }
  ZmqSocket& socket() { return socket_; }
  ZmqSocket& monitor() { return monitor_; }
  const std::string& peer() const { return peer_.id; }

 private:
  DealerNews read_event(int event, Instant now);

  void* context_;
  const GatewayConfig& config_;
  const PeerConfig& peer_;
  std::size_t number_;
  std::size_t openings_ = 0;
  ZmqSocket socket_, monitor_;
  Instant reopen_due_{};
  int refusals_ = 0;
};

}  // namespace troupe::transport
