// The reliable conversation with one peer.
#include "runtime/transport/link.hpp"

#include <algorithm>

namespace troupe::transport {
namespace {

using protocol::EnvelopeView;
using protocol::Lane;

LinkConfig for_lane(LinkConfig config, std::size_t lane) {
  // Control is consumed as it arrives: nothing may keep a cancel or a lease waiting.
  if (lane == static_cast<std::size_t>(Lane::control)) config.credit_on_consume = false;
  return config;
}

template <class Half>
std::array<Half, protocol::kLanes> three(const LinkConfig& config) {
  return {Half(for_lane(config, 0)), Half(for_lane(config, 1)), Half(for_lane(config, 2))};
}

std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

Link::Link(const LinkConfig& config, std::string_view self, std::uint64_t incarnation, Instant now)
    : config_(config),
      self_(self),
      incarnation_(incarnation),
      send_(three<SendLane>(config)),
      receive_(three<ReceiveLane>(config)),
      last_heard_(now),
      last_heard_back_(now),
      hello_due_(now),
      last_hello_(now - config.heartbeat_interval) {}

Result<void> Link::accept(Outbound message) {
  return send_[index_of(message.lane)].accept(std::move(message));
}

bool Link::heard_lately(Instant now) const { return heard_ && now - last_heard_ < config_.heartbeat_timeout; }

// A lower incarnation is an old life's late message, unless the present one is silent: then it is a peer
// whose clock was set back over its restart.
bool Link::is_older_life(const EnvelopeView& envelope, Instant now) const {
  return envelope.incarnation == 0 || (envelope.incarnation < peer_incarnation_ && heard_lately(now));
}

void Link::begin_life(std::uint64_t incarnation, Instant now) {
  bool had_another = peer_incarnation_ != 0;
  for (auto& lane : send_) lane.reset(had_another);
  for (auto& lane : receive_) lane.reset();
  peer_incarnation_ = incarnation;
  up_ = false;
  answer_soon(now);
}

// At most eight hellos per interval, however often a peer asks.
void Link::answer_soon(Instant now) {
  auto soonest = last_hello_ + config_.heartbeat_interval / 8;
  hello_due_ = std::min(hello_due_, std::max(now, soonest));
}

Receipt Link::receive(const EnvelopeView& envelope, const Moment& at) {
  Receipt receipt;
  if (is_older_life(envelope, at.now)) return receipt;
  if (envelope.incarnation != peer_incarnation_) {
    receipt.restarted = up_;
    begin_life(envelope.incarnation, at.now);
  }
  heard_ = true;
  last_heard_ = at.now;
  if (envelope.epoch != incarnation_) {
    answer_soon(at.now);
    return receipt;
  }
  hear_back(at.now, receipt);
  auto lane = index_of(envelope.lane);
  send_[lane].on_ack(envelope.ack, envelope.credit, at.now);
  if (envelope.seq == 0) {
    if (envelope.kind == kGapSignal) send_[lane].on_gap(at.now);
    receipt.verdict = Verdict::signal;
    return receipt;
  }
  bool expired = has_passed(envelope.deadline_ms, at.wall);
  receipt.verdict = receive_[lane].receive(envelope.seq, envelope.body.size(), expired, at.now);
  return receipt;
}

void Link::hear_back(Instant now, Receipt& receipt) {
  last_heard_back_ = now;
  if (up_) return;
  up_ = receipt.came_up = true;
  for (auto& lane : send_) lane.probe(now);
  answer_soon(now);
}

void Link::greet(Instant now) {
  hello_due_ = now;
  for (auto& lane : send_) lane.probe(now);
}

bool Link::tick(Instant now) {
  if (!up_ || now - last_heard_back_ < config_.heartbeat_timeout) return false;
  up_ = false;
  return true;
}

EnvelopeView Link::blank(std::size_t lane, Instant now) {
  EnvelopeView out;
  out.lane = static_cast<Lane>(lane);
  out.source = self_;
  // Naming the peer's life says "I hear you"; a peer no longer heard must learn that from us.
  out.epoch = heard_lately(now) ? peer_incarnation_ : 0;
  out.incarnation = incarnation_;
  out.ack = receive_[lane].ack();
  out.credit = receive_[lane].credit();
  receive_[lane].told();
  return out;
}

std::optional<EnvelopeView> Link::next(const Moment& at) {
  if (auto hello = next_hello(at.now)) return hello;
  if (!up_) return std::nullopt;
  if (auto signal = next_signal(at.now)) return signal;
  if (auto data = next_data(at)) return data;
  return std::nullopt;
}

// A hello is an acknowledgement on each lane: it says who we are, whom we hear, and repeats every grant.
std::optional<EnvelopeView> Link::next_hello(Instant now) {
  if (hello_lane_ == protocol::kLanes) {
    if (now < hello_due_) return std::nullopt;
    hello_lane_ = 0;
    last_hello_ = now;
    hello_due_ = now + config_.heartbeat_interval;
  }
  return blank(hello_lane_++, now);
}

std::optional<EnvelopeView> Link::next_signal(Instant now) {
  for (std::size_t lane = 0; lane < protocol::kLanes; ++lane) {
    if (receive_[lane].gap_is_unreported()) {
      receive_[lane].gap_reported();
      auto out = blank(lane, now);
      out.kind = kGapSignal;
      return out;
    }
    if (receive_[lane].ack_is_due(now)) return blank(lane, now);
  }
  return std::nullopt;
}

// Control first, always. Bulk goes first in one turn of eight, so that data cannot starve it.
std::optional<EnvelopeView> Link::next_data(const Moment& at) {
  bool bulk_first = turn_ % 8 == 7;
  std::array<std::size_t, protocol::kLanes> order{0, bulk_first ? 2u : 1u, bulk_first ? 1u : 2u};
  for (auto lane : order) {
    if (!send_[lane].ready(at)) continue;
    if (lane != 0) ++turn_;
    auto sending = send_[lane].next(at);
    auto out = blank(lane, at.now);
    out.seq = sending.seq;
    out.kind = sending.message->kind;
    out.deadline_ms = sending.message->deadline_ms;
    out.trace = sending.message->trace;
    out.body = sending.message->body;
    return out;
  }
  return std::nullopt;
}

Instant Link::due() const {
  auto due = hello_due_;
  if (!up_) return due;
  due = std::min(due, last_heard_back_ + config_.heartbeat_timeout);
  for (const auto& lane : receive_) due = std::min(due, lane.ack_due());
  for (const auto& lane : send_) {
    if (config_.resend) due = std::min(due, lane.resend_due());
  }
  return due;
}

void Link::consumed(Lane lane, std::size_t count, Instant now) {
  receive_[index_of(lane)].consumed(count, now);
}

}  // namespace troupe::transport
