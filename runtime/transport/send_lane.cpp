// The sending half of a lane.
#include "runtime/transport/send_lane.hpp"

#include <algorithm>

namespace troupe::transport {

Result<void> SendLane::accept(Outbound message) {
  auto weight = weight_of(message);
  bool full = waiting_.size() >= config_.waiting_max ||
              (!waiting_.empty() && waiting_bytes_ + weight > config_.waiting_bytes_max);
  if (full) return fail(Errc::refused, "too many messages wait for this peer");
  waiting_bytes_ += weight;
  waiting_.push_back(std::move(message));
  return {};
}

bool SendLane::may_send_new() const {
  if (waiting_.empty() || cursor_ < flight_.size()) return false;
  if (acked_ + flight_.size() >= credit_) return false;
  // One message larger than the bound may travel alone.
  return flight_.empty() || flight_bytes_ + weight_of(waiting_.front()) <= config_.flight_bytes_max;
}

void SendLane::drop_expired(WallTime wall) {
  while (!waiting_.empty() && has_passed(waiting_.front().deadline_ms, wall)) {
    waiting_bytes_ -= weight_of(waiting_.front());
    waiting_.pop_front();
    ++expired_;
  }
}

bool SendLane::ready(const Moment& at) {
  if (config_.resend && resend_is_due(at.now)) {
    backoff_ = std::min(backoff_ * 2, 8);
    rewind(1, at.now);
  }
  if (repeating_ && cursor_ < limit_) return true;
  drop_expired(at.wall);
  return may_send_new();
}

Sending SendLane::next(const Moment& at) {
  if (cursor_ < flight_.size()) {
    ++resent_;
  } else {
    auto weight = weight_of(waiting_.front());
    waiting_bytes_ -= weight;
    flight_bytes_ += weight;
    if (flight_.empty()) resend_due_ = at.now + patience();
    flight_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ++sent_;
  }
  Sending out{acked_ + cursor_ + 1, &flight_[cursor_]};
  ++cursor_;
  if (cursor_ == flight_.size()) repeating_ = false;
  return out;
}

void SendLane::on_ack(std::uint64_t ack, std::uint64_t credit, Instant now) {
  if (ack > acked_ + flight_.size()) return;
  credit_ = std::max(credit_, credit);
  if (ack <= acked_) return;
  auto arrived = static_cast<std::size_t>(ack - acked_);
  for (std::size_t i = 0; i < arrived; ++i) {
    flight_bytes_ -= weight_of(flight_.front());
    flight_.pop_front();
  }
  acked_ = ack;
  cursor_ -= std::min(cursor_, arrived);
  backoff_ = 1;
  resend_due_ = now + patience();
  // The answer to a probe: what it did not cover is missing over there.
  if (repeating_ || cursor_ < flight_.size()) limit_ = flight_.size();
  repeating_ = cursor_ < flight_.size();
}

// Time for the answer, and for what is on its way to pass at 4 MB/s: a slow line must not be filled with
// copies. A broken connection does not wait for this, its successor probes at once.
Duration SendLane::patience() const {
  return config_.resend_after * backoff_ + Duration(250) * static_cast<std::int64_t>(flight_bytes_);
}

void SendLane::rewind(std::size_t limit, Instant now) {
  cursor_ = 0;
  limit_ = std::min(limit, flight_.size());
  repeating_ = !flight_.empty();
  last_rewind_ = now;
  resend_due_ = now + patience();
}

void SendLane::on_gap(Instant now) {
  // Several reports of one gap, or of one already being filled, must not each start the stream over.
  bool just_did = now - last_rewind_ < config_.resend_after / 8;
  if (config_.resend && !just_did) rewind(flight_.size(), now);
}

void SendLane::probe(Instant now) {
  backoff_ = 1;
  if (config_.resend) rewind(1, now);
}

void SendLane::reset(bool drop_waiting) {
  flight_.clear();
  flight_bytes_ = 0;
  acked_ = credit_ = 0;
  cursor_ = limit_ = 0;
  repeating_ = false;
  backoff_ = 1;
  if (!drop_waiting) return;
  waiting_.clear();
  waiting_bytes_ = 0;
}

}  // namespace troupe::transport
