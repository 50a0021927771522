// A node's door to other nodes: one thread that owns every ZeroMQ socket. Reliable, ordered, flow-controlled
// lanes to each peer over CURVE (RUNTIME 5.6).
//
// Which connection carries what: a node sends on the DEALER it keeps to the peer's address, and answers
// through its ROUTER only who has no address here (clients). It receives on both. So two nodes that list each
// other hold two connections, one per direction, and there is nothing to negotiate.
#pragma once

#include "runtime/base/executor.hpp"
#include "runtime/protocol/envelope.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::transport {

/// Z85 text, 40 characters each.
struct KeyPair {
  std::string public_key, secret_key;
};
KeyPair make_key_pair();
/// The public half of a secret key; invalid_input when it is not a key.
Result<std::string> public_key_of(const std::string& secret_key);

struct PeerConfig {
  std::string id;
  /// "tcp://127.0.0.1:7001"; empty: it connects to us (a client).
  std::string address;
  std::string public_key;
  /// Its key alone says who it is; what it calls itself is not compared with `id`. For clients, which know an
  /// address and a key but no name.
  bool any_name = false;
};

struct GatewayConfig {
  std::string id;
  std::string region;
  /// "tcp://127.0.0.1:7001"; port "*" or 0: any free one. Empty: connect only.
  std::string listen;
  KeyPair keys;
  /// Nodes we keep a connection to. Only keys listed here or in `client_keys` get a handshake.
  std::vector<PeerConfig> peers;
  /// Keys that may connect to ask (submit, runs, endpoints) without being peers.
  std::vector<std::string> client_keys;

  Duration heartbeat_interval = std::chrono::milliseconds(500);
  /// A peer not heard for this long is down.
  Duration heartbeat_timeout = std::chrono::milliseconds(2000);
  Duration resend_after = std::chrono::milliseconds(500);
  std::size_t frame_bytes_max = 16u << 20;
  /// Unacknowledged messages a receiver allows per lane.
  std::size_t credit_window = 4096;
  /// Messages waiting for credit per peer and lane; further sends are refused with `refused`.
  std::size_t waiting_max = 65536;
  /// The same bound in bytes.
  std::size_t waiting_bytes_max = 256u << 20;
  /// Bytes of data or bulk on the way to one peer, unacknowledged. What a control message may have to wait
  /// behind.
  std::size_t flight_bytes_max = 4u << 20;
  /// Programs connected with client keys at one time.
  std::size_t clients_max = 256;
  /// With true, data and bulk credit is given back by `consumed`, not by on_message returning: for listeners
  /// that only queue. The control lane's credit is always given back at once.
  bool credit_on_consume = false;
};

/// A message as it arrived, once, in order within its lane.
struct Inbound {
  std::string peer;
  protocol::Lane lane = protocol::Lane::data;
  std::uint32_t kind = 0;
  std::int64_t deadline_ms = 0;
  std::string trace;
  std::string body;
};

struct Outbound {
  protocol::Lane lane = protocol::Lane::data;
  std::uint32_t kind = 0;
  std::int64_t deadline_ms = 0;
  std::string trace;
  std::string body;
};

/// Called on the gateway's thread; must not block.
class GatewayListener {
 public:
  virtual ~GatewayListener() = default;
  /// The peer is heard and hears us (again). A new incarnation means it lost what it had in memory. Peers
  /// with a client key are named "client:<first 12 characters of the key>#<incarnation>", so that two
  /// programs that share a key stay apart; they are forgotten when they go down.
  virtual void on_peer_up(const std::string& peer, std::uint64_t incarnation) = 0;
  /// Not heard for heartbeat_timeout, or the connection was refused. What was sent and not acknowledged stays
  /// queued for the same incarnation and is dropped when a new one appears: its fate is unknown.
  virtual void on_peer_down(const std::string& peer, const std::string& reason) = 0;
  virtual void on_message(Inbound message) = 0;
};

/// An Executor too: what is posted runs on the gateway's thread, so that Peer actors need no thread hop.
class Gateway : public Executor {
 public:
  /// Binds and starts the thread. bad_config for a bad address or key; the address in use is named.
  static Result<std::unique_ptr<Gateway>> start(GatewayConfig config, GatewayListener& listener);
  ~Gateway() override = default;
  /// The address really bound, with its port; empty when not listening.
  virtual std::string address() const = 0;
  virtual std::uint64_t incarnation() const = 0;
  /// Queues a message. Thread-safe; from the gateway's own thread it costs no wake-up.
  /// `refused` when waiting_max is reached, `not_found` for an unknown peer, `invalid_input` when over
  /// frame_bytes_max. A message accepted is delivered once if this incarnation of the peer is heard again
  /// before its deadline.
  virtual Result<void> send(const std::string& peer, Outbound message) = 0;
  /// With credit_on_consume: the listener is done with so many messages of this lane. Thread-safe.
  virtual void consumed(const std::string& peer, protocol::Lane lane, std::size_t count) = 0;
  /// Ends the thread. Idempotent; not from the gateway's thread.
  virtual void stop() = 0;

  struct Stats {
    std::uint64_t sent = 0, received = 0, resent = 0, duplicates = 0, refused_handshakes = 0,
                  dropped_expired = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    /// Frames or messages that were no envelopes, too large, or named a source their key does not own.
    std::uint64_t malformed = 0;
  };
  virtual Stats stats() const = 0;
};

}  // namespace troupe::transport
