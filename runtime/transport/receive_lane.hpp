// The receiving half of a lane: what is next in order, what is a repetition, what to acknowledge and grant.
#pragma once

#include "runtime/transport/link_config.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe::transport {

/// What to do with what has arrived.
enum class Verdict {
  deliver,
  expired,    ///< in order, but its deadline has passed: acknowledged and dropped
  duplicate,  ///< had it already
  gap,        ///< something before it is missing, or it exceeds the credit: dropped, will be sent again
  signal,     ///< a hello or an acknowledgement
  stale,      ///< from or for another life
};

/// Not thread-safe.
class ReceiveLane {
 public:
  explicit ReceiveLane(const LinkConfig& config) : config_(config) { reset(); }

  Verdict receive(std::uint64_t seq, std::size_t bytes, bool expired, Instant now);
  /// The highest seq received in order, and the highest the peer may send.
  std::uint64_t ack() const { return received_; }
  std::uint64_t credit() const { return consumed_ + config_.credit_window; }
  /// Must the peer hear ack and credit now, even if nothing travels its way?
  bool ack_is_due(Instant now) const { return now >= ack_due_; }
  Instant ack_due() const { return ack_due_; }
  bool gap_is_unreported() const { return gap_unreported_; }
  /// ack and credit were written into an envelope.
  void told();
  void gap_reported() { gap_unreported_ = false; }
  void consumed(std::size_t count, Instant now);
  void reset();
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t expired() const { return expired_; }

 private:
  void want_ack(std::size_t bytes, Instant now);

  LinkConfig config_;
  std::uint64_t received_ = 0, consumed_ = 0, granted_ = 0;
  std::uint64_t gap_at_ = UINT64_MAX;  // `received_` when the last gap was reported
  std::size_t untold_ = 0, untold_bytes_ = 0;
  Instant ack_due_ = Instant::max();
  bool gap_unreported_ = false;
  std::uint64_t duplicates_ = 0, expired_ = 0;
};

}  // namespace troupe::transport
