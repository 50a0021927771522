// The sending half of a lane: what waits for credit, what is on its way, when to send it again.
#pragma once

#include "runtime/transport/gateway.hpp"
#include "runtime/transport/link_config.hpp"

#include <deque>
#include <optional>

namespace troupe::transport {

/// A message to put on the wire now.
struct Sending {
  std::uint64_t seq = 0;
  const Outbound* message = nullptr;
};

/// Go-back-N: TCP keeps order, so a loss means a broken connection, after which all that followed is lost
/// too. A timeout sends the oldest message only, as a probe; the rest follows when the answer shows that the
/// peer misses it. So a peer that was merely stopped is not buried in copies. Not thread-safe.
class SendLane {
 public:
  explicit SendLane(const LinkConfig& config) : config_(config) {}

  /// `refused` at waiting_max messages or waiting_bytes_max bytes.
  Result<void> accept(Outbound message);
  bool ready(const Moment& at);
  /// The next message; call only when ready.
  Sending next(const Moment& at);
  /// Everything up to `ack` has arrived and up to `credit` may be sent. An acknowledgement of what was never
  /// sent is ignored.
  void on_ack(std::uint64_t ack, std::uint64_t credit, Instant now);
  /// The peer misses the oldest: send all that is unacknowledged again.
  void on_gap(Instant now);
  /// Ask at once whether the oldest has arrived: the peer was silent and is heard again.
  void probe(Instant now);
  /// A new life of the peer. Drops what was accepted for the old one, if there was one.
  void reset(bool drop_waiting);

  bool resend_is_due(Instant now) const { return !flight_.empty() && now >= resend_due_; }
  Instant resend_due() const { return flight_.empty() ? Instant::max() : resend_due_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::size_t in_flight() const { return flight_.size(); }
  std::size_t flight_bytes() const { return flight_bytes_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t resent() const { return resent_; }
  std::uint64_t expired() const { return expired_; }

 private:
  bool may_send_new() const;
  void drop_expired(WallTime wall);
  void rewind(std::size_t limit, Instant now);
  Duration patience() const;

  LinkConfig config_;
  std::deque<Outbound> waiting_;
  std::deque<Outbound> flight_;  // seq acked_+1 and on
  std::size_t waiting_bytes_ = 0, flight_bytes_ = 0;
  std::uint64_t acked_ = 0, credit_ = 0;
  // flight_[0, cursor_) was sent in this round; up to limit_ may be. Both equal flight_.size() when nothing
  // is repeated.
  std::size_t cursor_ = 0, limit_ = 0;
  bool repeating_ = false;
  Instant resend_due_{}, last_rewind_{};
  int backoff_ = 1;
  std::uint64_t sent_ = 0, resent_ = 0, expired_ = 0;
};

/// What a message counts for in byte bounds: its texts and the queue's own cost.
inline std::size_t weight_of(const Outbound& message) {
  return message.body.size() + message.trace.size() + 128;
}

}  // namespace troupe::transport
