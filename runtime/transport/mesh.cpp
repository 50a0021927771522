// All of a node's links.
#include "runtime/transport/mesh.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::transport {
namespace {

void add_counts(Gateway::Stats& stats, const Link& link) {
  for (std::size_t i = 0; i < protocol::kLanes; ++i) {
    auto lane = static_cast<protocol::Lane>(i);
    stats.sent += link.sending(lane).sent();
    stats.resent += link.sending(lane).resent();
    stats.duplicates += link.receiving(lane).duplicates();
    stats.dropped_expired += link.sending(lane).expired() + link.receiving(lane).expired();
  }
}

}  // namespace

std::uint64_t incarnation_at(WallTime now, std::uint32_t drawn, std::uint64_t last) {
  // Below 2^63 until the year 2248.
  constexpr int kDrawnBits = 20;
  auto wanted = (static_cast<std::uint64_t>(now.ms) << kDrawnBits) + (drawn & ((1u << kDrawnBits) - 1));
  return std::max(wanted, last + 1);
}

MeshConfig mesh_config_of(const GatewayConfig& config, std::uint64_t incarnation) {
  MeshConfig out;
  out.id = config.id;
  out.incarnation = incarnation;
  out.link.heartbeat_interval = config.heartbeat_interval;
  out.link.heartbeat_timeout = config.heartbeat_timeout;
  out.link.resend_after = config.resend_after;
  out.link.credit_window = config.credit_window;
  out.link.waiting_max = config.waiting_max;
  out.link.waiting_bytes_max = config.waiting_bytes_max;
  out.link.flight_bytes_max = config.flight_bytes_max;
  out.link.credit_on_consume = config.credit_on_consume;
  for (const auto& peer : config.peers) {
    out.peers.push_back(peer.id);
    if (peer.any_name) out.any_name.insert(peer.id);
  }
  out.frame_bytes_max = config.frame_bytes_max;
  out.clients_max = config.clients_max;
  return out;
}

Mesh::Mesh(MeshConfig config, GatewayListener& listener, Instant now)
    : config_(std::move(config)), listener_(listener) {
  for (const auto& id : config_.peers) {
    peers_[id] = std::make_unique<Peer>(Link(config_.link, config_.id, config_.incarnation, now), false, now);
    peers_[id]->any_name = config_.any_name.contains(id);
  }
}

Result<void> Mesh::check(const Outbound& message) const {
  if (message.body.size() + message.trace.size() <= config_.frame_bytes_max) return {};
  return fail(Errc::invalid_input,
              fmt::format("a message of {} bytes is over the limit of {}",
                          message.body.size() + message.trace.size(), config_.frame_bytes_max));
}

Result<void> Mesh::send(const std::string& peer, Outbound message) {
  if (auto fits = check(message); !fits) return fits;
  auto* link = find(peer);
  if (!link) return fail(Errc::not_found, fmt::format("no peer is named {}", peer));
  return link->accept(std::move(message));
}

Link* Mesh::find(const std::string& peer) {
  auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second->link;
}

Mesh::Peer* Mesh::client_of(const std::string& name, Instant now) {
  auto found = peers_.find(name);
  if (found != peers_.end()) return found->second.get();
  if (clients_ >= config_.clients_max) return nullptr;
  ++clients_;
  config_.on_client(name);
  auto& slot = peers_[name];
  slot = std::make_unique<Peer>(Link(config_.link, config_.id, config_.incarnation, now), true, now);
  return slot.get();
}

// The key decides who it is; what the envelope says must agree with it.
Mesh::Peer* Mesh::owner_of(const std::string& owner, const protocol::EnvelopeView& envelope, Instant now,
                           std::string& name) {
  if (owner.starts_with(kClientPrefix)) {
    name = fmt::format("{}#{:x}", owner, envelope.incarnation);
    return client_of(name, now);
  }
  name = owner;
  auto found = peers_.find(owner);
  if (found == peers_.end()) return nullptr;
  return found->second->any_name || envelope.source == owner ? found->second.get() : nullptr;
}

std::string Mesh::receive(const std::string& owner, std::string_view frame, const Moment& at) {
  stats_.bytes_received += frame.size();
  std::string name;
  Peer* peer = nullptr;
  protocol::Reader reader(frame);
  do {
    auto envelope = protocol::read_envelope(reader);
    bool known = reader.ok() && (peer || (peer = owner_of(owner, envelope, at.now, name)));
    // One frame has one sender: the first envelope settled who that is.
    bool agrees = known && (peer->client || peer->any_name || envelope.source == owner);
    if (!agrees || !take(*peer, name, envelope, at)) {
      ++stats_.malformed;
      return known ? name : std::string();
    }
  } while (!reader.rest().empty());
  return name;
}

bool Mesh::take(Peer& peer, const std::string& name, const protocol::EnvelopeView& envelope,
                const Moment& at) {
  auto receipt = peer.link.receive(envelope, at);
  if (receipt.restarted) listener_.on_peer_down(name, "restarted");
  if (receipt.came_up) listener_.on_peer_up(name, peer.link.peer_incarnation());
  if (receipt.verdict != Verdict::deliver) return true;
  // Acknowledged although dropped: sent again it would be as large, and would block its lane for ever.
  if (envelope.body.size() + envelope.trace.size() > config_.frame_bytes_max) return false;
  deliver(name, envelope);
  return true;
}

void Mesh::deliver(const std::string& name, const protocol::EnvelopeView& envelope) {
  ++stats_.received;
  Inbound message;
  message.peer = name;
  message.lane = envelope.lane;
  message.kind = envelope.kind;
  message.deadline_ms = envelope.deadline_ms;
  message.trace = envelope.trace;
  message.body = envelope.body;
  listener_.on_message(std::move(message));
}

bool Mesh::next_frame(const std::string& peer, const Moment& at, protocol::Writer& frame) {
  frame.clear();
  auto* link = find(peer);
  while (link && frame.peek().size() < config_.batch_bytes_max) {
    auto envelope = link->next(at);
    if (!envelope) break;
    protocol::write(frame, *envelope);
  }
  stats_.bytes_sent += frame.peek().size();
  return !frame.peek().empty();
}

void Mesh::tick(const Moment& at) {
  for (auto it = peers_.begin(); it != peers_.end();) {
    auto here = it++;
    auto name = here->first;
    auto& peer = *here->second;
    bool went_down = peer.link.tick(at.now);
    bool never_up = peer.client && !peer.link.up() && at.now - peer.since > config_.link.heartbeat_timeout;
    if (peer.client && (went_down || never_up)) forget(here);
    if (!went_down) continue;
    auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(config_.link.heartbeat_timeout);
    listener_.on_peer_down(name, fmt::format("not heard for {} ms", silence.count()));
  }
}

void Mesh::forget(Peers::iterator peer) {
  add_counts(stats_, peer->second->link);
  config_.on_client_gone(peer->first);
  --clients_;
  peers_.erase(peer);
}

Instant Mesh::due() const {
  auto due = Instant::max();
  for (const auto& [name, peer] : peers_) due = std::min(due, due_of(*peer, false));
  return due;
}

Instant Mesh::due(const std::string& peer, bool blocked) const {
  auto found = peers_.find(peer);
  return found == peers_.end() ? Instant::max() : due_of(*found->second, blocked);
}

Instant Mesh::due_of(const Peer& peer, bool blocked) const {
  auto due = blocked ? peer.link.silence_due() : peer.link.due();
  bool must_show_up = peer.client && !peer.link.up();
  return must_show_up ? std::min(due, peer.since + config_.link.heartbeat_timeout) : due;
}

void Mesh::consumed(const std::string& peer, protocol::Lane lane, std::size_t count, Instant now) {
  if (auto* link = find(peer)) link->consumed(lane, count, now);
}

void Mesh::greet(const std::string& peer, Instant now) {
  if (auto* link = find(peer)) link->greet(now);
}

std::vector<std::string> Mesh::names() const {
  std::vector<std::string> out;
  for (const auto& [name, peer] : peers_) out.push_back(name);
  return out;
}

Gateway::Stats Mesh::stats() const {
  auto out = stats_;
  for (const auto& [name, peer] : peers_) add_counts(out, peer->link);
  return out;
}

}  // namespace troupe::transport
