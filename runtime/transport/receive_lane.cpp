// The receiving half of a lane.
#include "runtime/transport/receive_lane.hpp"

namespace troupe::transport {

Verdict ReceiveLane::receive(std::uint64_t seq, std::size_t bytes, bool expired, Instant now) {
  if (seq <= received_) {
    ++duplicates_;
    ack_due_ = now;  // our acknowledgement was lost, or this is a probe: answer at once
    return config_.dedup ? Verdict::duplicate : Verdict::deliver;
  }
  if (seq != received_ + 1 || seq > granted_) {
    gap_unreported_ = gap_unreported_ || gap_at_ != received_;
    gap_at_ = received_;
    return Verdict::gap;
  }
  ++received_;
  if (expired || !config_.credit_on_consume) ++consumed_;
  want_ack(bytes, now);
  if (expired) ++expired_;
  return expired ? Verdict::expired : Verdict::deliver;
}

void ReceiveLane::want_ack(std::size_t bytes, Instant now) {
  ++untold_;
  untold_bytes_ += bytes;
  // Early enough that a sender at full speed never runs out of credit or flight bytes while we wait.
  bool much = untold_ >= std::max<std::size_t>(1, config_.credit_window / 8) ||
              untold_bytes_ >= config_.flight_bytes_max / 8;
  ack_due_ = std::min(ack_due_, much ? now : now + config_.ack_delay);
}

void ReceiveLane::told() {
  granted_ = credit();
  untold_ = untold_bytes_ = 0;
  ack_due_ = Instant::max();
}

void ReceiveLane::consumed(std::size_t count, Instant now) {
  if (!config_.credit_on_consume) return;
  consumed_ = std::min(consumed_ + count, received_);
  bool much = credit() - granted_ >= std::max<std::size_t>(1, config_.credit_window / 8);
  ack_due_ = std::min(ack_due_, much ? now : now + config_.ack_delay);
}

void ReceiveLane::reset() {
  received_ = consumed_ = granted_ = 0;
  gap_at_ = UINT64_MAX;
  gap_unreported_ = false;
  untold_ = untold_bytes_ = 0;
  ack_due_ = Instant::max();
}

}  // namespace troupe::transport
