// The reliable conversation with one peer, as a pure state machine: three lanes each way, and whether the
// peer lives.
#pragma once

#include "runtime/transport/receive_lane.hpp"
#include "runtime/transport/send_lane.hpp"

#include <array>

namespace troupe::transport {

/// What arrived and what it changed.
struct Receipt {
  Verdict verdict = Verdict::stale;
  /// The peer was up and has restarted; what it had not acknowledged was dropped.
  bool restarted = false;
  bool came_up = false;
};

/// Kinds of envelopes outside the lanes' streams (seq 0). Both carry the lane's ack and credit.
enum SignalKind : std::uint32_t { kAckSignal = 0, kGapSignal = 1 };

/// Not thread-safe. A stream belongs to one life (incarnation) of each side: data flows only after both have
/// learnt the other's, and what is addressed to another life is dropped.
class Link {
 public:
  /// `self` is the source our envelopes carry; it must outlive the Link.
  Link(const LinkConfig& config, std::string_view self, std::uint64_t incarnation, Instant now);

  /// `refused` when the lane's waiting queue is full.
  Result<void> accept(Outbound message);
  Receipt receive(const protocol::EnvelopeView& envelope, const Moment& at);
  /// The next envelope to put on the wire; nullopt when there is none now. Its views are valid until the next
  /// call.
  std::optional<protocol::EnvelopeView> next(const Moment& at);
  /// Looks at the clock. True when the peer has just gone down.
  bool tick(Instant now);
  /// When `tick` and `next` should be called again if nothing else happens.
  Instant due() const;
  /// With credit_on_consume: so many messages of this lane were consumed.
  void consumed(protocol::Lane lane, std::size_t count, Instant now);

  bool up() const { return up_; }
  /// A connection was made: say hello, and ask whether what was on its way has arrived.
  void greet(Instant now);
  /// When the peer goes down if it stays silent.
  Instant silence_due() const { return up_ ? last_heard_back_ + config_.heartbeat_timeout : Instant::max(); }
  std::uint64_t peer_incarnation() const { return peer_incarnation_; }
  const SendLane& sending(protocol::Lane lane) const { return send_[static_cast<std::size_t>(lane)]; }
  const ReceiveLane& receiving(protocol::Lane lane) const { return receive_[static_cast<std::size_t>(lane)]; }

 private:
  bool is_older_life(const protocol::EnvelopeView& envelope, Instant now) const;
  bool heard_lately(Instant now) const;
  void begin_life(std::uint64_t incarnation, Instant now);
  void hear_back(Instant now, Receipt& receipt);
  void answer_soon(Instant now);
  std::optional<protocol::EnvelopeView> next_hello(Instant now);
  std::optional<protocol::EnvelopeView> next_signal(Instant now);
  std::optional<protocol::EnvelopeView> next_data(const Moment& at);
  protocol::EnvelopeView blank(std::size_t lane, Instant now);

  LinkConfig config_;
  std::string_view self_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t peer_incarnation_ = 0;
  std::array<SendLane, protocol::kLanes> send_;
  std::array<ReceiveLane, protocol::kLanes> receive_;
  Instant last_heard_;       // any envelope of the peer's present life
  Instant last_heard_back_;  // one that shows it hears ours
  Instant hello_due_, last_hello_;
  std::size_t hello_lane_ = protocol::kLanes;  // the next lane of a hello under way
  unsigned turn_ = 0;
  bool heard_ = false;
  bool up_ = false;
};

}  // namespace troupe::transport
