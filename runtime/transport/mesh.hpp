// All of a node's links, and frames in and out of them: everything a gateway does that needs no socket.
#pragma once

#include "runtime/transport/link.hpp"

#include <map>
#include <memory>
#include <set>

namespace troupe::transport {

struct MeshConfig {
  std::string id;
  std::uint64_t incarnation = 0;
  LinkConfig link;
  std::vector<std::string> peers;
  std::size_t frame_bytes_max = 16u << 20;
  std::size_t clients_max = 256;
  /// Peers whose key alone says who they are (PeerConfig::any_name).
  std::set<std::string> any_name;
  /// Envelopes that wait for one peer travel together up to about this size: one encryption, one system call.
  std::size_t batch_bytes_max = 64u << 10;
  /// Told the name of a client before the listener hears that it came or went.
  std::function<void(const std::string& name)> on_client = [](const std::string&) {};
  std::function<void(const std::string& name)> on_client_gone = [](const std::string&) {};
};

/// A number for a gateway that starts `now`: higher than those of earlier lives, also of `last` in the same
/// process, and by `drawn` not that of another process that starts in the same millisecond. Commands that
/// hold one client key are told apart by nothing else, and scripts start many at once.
std::uint64_t incarnation_at(WallTime now, std::uint32_t drawn, std::uint64_t last);

/// What `Gateway::start` was given, as far as links are concerned.
MeshConfig mesh_config_of(const GatewayConfig& config, std::uint64_t incarnation);

/// The first letters of the name of every peer that came with a client key.
inline constexpr std::string_view kClientPrefix = "client:";

/// Not thread-safe. Calls the listener from `receive` and `tick`; the listener may call `send` and
/// `consumed`.
class Mesh {
 public:
  Mesh(MeshConfig config, GatewayListener& listener, Instant now);

  /// Fails as Gateway::send.
  Result<void> send(const std::string& peer, Outbound message);
  /// Could this message ever be sent? `invalid_input` when it is over frame_bytes_max.
  Result<void> check(const Outbound& message) const;
  /// A frame from the one the transport has authenticated as `owner`: a peer's id or "client:…".
  /// The name of the peer it belongs to; empty when it was refused whole.
  std::string receive(const std::string& owner, std::string_view frame, const Moment& at);
  /// Fills `frame` with the next envelopes for the peer; false when there is nothing to send now.
  bool next_frame(const std::string& peer, const Moment& at, protocol::Writer& frame);
  /// Looks at the clock: who has gone down, which clients to forget.
  void tick(const Moment& at);
  Instant due() const;
  /// The same for one peer. `blocked`: nothing can be sent to it now, so only its silence matters.
  Instant due(const std::string& peer, bool blocked) const;

  void consumed(const std::string& peer, protocol::Lane lane, std::size_t count, Instant now);
  /// A connection to this peer was made: say hello over it.
  void greet(const std::string& peer, Instant now);
  Link* find(const std::string& peer);
  std::vector<std::string> names() const;
  Gateway::Stats stats() const;

 private:
  struct Peer {
    Link link;
    bool client = false;
    Instant since;
    bool any_name = false;
  };
  using Peers = std::map<std::string, std::unique_ptr<Peer>>;

  Peer* owner_of(const std::string& owner, const protocol::EnvelopeView& envelope, Instant now,
                 std::string& name);
  Peer* client_of(const std::string& name, Instant now);
  bool take(Peer& peer, const std::string& name, const protocol::EnvelopeView& envelope, const Moment& at);
  void deliver(const std::string& name, const protocol::EnvelopeView& envelope);
  Instant due_of(const Peer& peer, bool blocked) const;
  void forget(Peers::iterator peer);

  MeshConfig config_;
  GatewayListener& listener_;
  Peers peers_;
  std::size_t clients_ = 0;
  Gateway::Stats stats_;  // what links do not count, and what forgotten ones did
};

}  // namespace troupe::transport
