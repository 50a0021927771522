// What the gateway's thread does, turn by turn.
#include "runtime/transport/zmq_gateway.hpp"

#include <algorithm>

namespace troupe::transport {
namespace {

// Per turn, so that neither side of the traffic waits long for the other.
constexpr int kReceiveFramesMax = 256;
constexpr int kSendFramesMax = 64;
// Connections change rarely; while busy, look at them once in so many turns.
constexpr std::uint64_t kWatchEvery = 64;

long ceil_ms(Duration span) {
  return std::chrono::ceil<std::chrono::milliseconds>(std::max(span, Duration::zero())).count();
}

}  // namespace

void ZmqGateway::run() {
  thread_id_ = std::this_thread::get_id();
  while (!outbox_.closed()) {
    if (!turn()) rest();
  }
  publish_stats();
  close_sockets();
  thread_id_ = std::thread::id();
}

// Here and not in the destructor: a stopped gateway must not go on accepting connections.
void ZmqGateway::close_sockets() {
  dealers_.clear();
  router_.close();
  zap_.close();
}

bool ZmqGateway::turn() {
  auto at = moment();
  if (turns_++ % kWatchEvery == 0) watch_connections(at);
  if (at.now >= publish_due_) publish_stats();
  bool worked = receive_all(at);
  worked |= take_handed();
  mesh_.tick(at);
  worked |= flush(at);
  return worked;
}

void ZmqGateway::watch_connections(const Moment& at) {
  refused_ += serve_zap(zap_, allowed_);
  for (auto& dealer : dealers_) {
    hear_news(*dealer, at);
    dealer->reopen(at.now);
  }
}

void ZmqGateway::hear_news(Dealer& dealer, const Moment& at) {
  auto& line = lines_[dealer.peer()];
  switch (dealer.news(at.now)) {
    case DealerNews::connected: line.told_refused = false; return mesh_.greet(dealer.peer(), at.now);
    case DealerNews::refused:
      if (!std::exchange(line.told_refused, true))
        listener_.on_peer_down(dealer.peer(), "our key is not listed there");
      return;
    default: return;
  }
}

bool ZmqGateway::receive_all(const Moment& at) {
  bool worked = router_ && receive_routed(at);
  for (auto& dealer : dealers_) worked |= receive_from(*dealer, at);
  return worked;
}

bool ZmqGateway::receive_routed(const Moment& at) {
  int frames = 0;
  for (; frames < kReceiveFramesMax && router_.receive(route_in_); ++frames) {
    if (!route_in_.more() || !router_.receive(frame_in_)) continue;
    std::string route(route_in_.view());
    if (!frame_in_.more()) {
      take_routed(route, frame_in_, at);
      continue;
    }
    ++malformed_;
    while (frame_in_.more() && router_.receive(frame_in_)) {
    }
  }
  return frames > 0;
}

void ZmqGateway::take_routed(const std::string& route, ZmqFrame& frame, const Moment& at) {
  auto name = mesh_.receive(frame.user_id(), frame.view(), at);
  if (name.empty()) return;
  auto& line = lines_[name];
  if (line.dealer || line.route == route) return;
  line.route = route;
  line.pending.clear();
}

bool ZmqGateway::receive_from(Dealer& dealer, const Moment& at) {
  int frames = 0;
  for (; frames < kReceiveFramesMax && dealer.receive(frame_in_); ++frames) {
    // The key we connected to is the peer's: whoever answers on this connection holds it.
    mesh_.receive(dealer.peer(), frame_in_.view(), at);
  }
  return frames > 0;
}

bool ZmqGateway::take_handed() {
  auto handed = outbox_.take();
  for (auto& [peer, message] : handed.messages) {
    // Admitted already; the peer may only have been forgotten since, and then its messages go with it.
    std::ignore = mesh_.send(peer, std::move(message));
  }
  for (auto& work : handed.work) work();
  return !handed.empty();
}

bool ZmqGateway::flush(const Moment& at) {
  bool sent = false;
  for (auto& [name, line] : lines_) sent |= flush_line(name, line, at);
  return sent;
}

Sent ZmqGateway::put(Line& line, std::string_view frame) {
  if (line.dealer) return line.dealer->send(frame) ? Sent::done : Sent::would_block;
  auto routed = router_.send(line.route, true);
  return routed == Sent::done ? router_.send(frame) : routed;
}

bool ZmqGateway::flush_line(const std::string& name, Line& line, const Moment& at) {
  bool sent = false;
  for (int frames = 0; frames < kSendFramesMax; ++frames) {
    if (!line.dealer && line.route.empty()) break;
    if (line.pending.empty() && !mesh_.next_frame(name, at, frame_)) break;
    auto outcome = put(line, line.pending.empty() ? std::string_view(frame_.peek()) : line.pending);
    if (outcome == Sent::would_block && line.pending.empty()) line.pending = frame_.peek();
    if (outcome == Sent::would_block) break;
    line.pending.clear();
    if (outcome == Sent::unroutable) line.route.clear();
    sent = sent || outcome == Sent::done;
  }
  settle_gauge(name, line, sent);
  return sent;
}

// Tells senders how much still waits here; skipped while nothing was sent and nothing waits.
void ZmqGateway::settle_gauge(const std::string& name, Line& line, bool sent) {
  auto* link = mesh_.find(name);
  if (!link) return;
  Outbox::Lanes waiting;
  bool waits = false;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const auto& lane = link->sending(static_cast<protocol::Lane>(i));
    waiting[i] = {lane.waiting(), lane.waiting_bytes()};
    waits = waits || lane.waiting() > 0;
  }
  bool changed = sent || waits || line.had_waiting;
  line.had_waiting = waits;
  if (changed) outbox_.settle(name, waiting);
}

// The wake-up first, then who tells of connections, then who brings frames.
std::vector<zmq_pollitem_t> ZmqGateway::poll_items() {
  std::vector<zmq_pollitem_t> items{{nullptr, outbox_.fd(), ZMQ_POLLIN, 0}, {zap_.raw(), 0, ZMQ_POLLIN, 0}};
  for (auto& dealer : dealers_) {
    if (dealer->socket()) items.push_back({dealer->monitor().raw(), 0, ZMQ_POLLIN, 0});
  }
  news_end_ = static_cast<std::ptrdiff_t>(items.size());
  if (router_) items.push_back({router_.raw(), 0, ZMQ_POLLIN, 0});
  for (auto& dealer : dealers_) {
    if (!dealer->socket()) continue;
    bool wants_out = !lines_[dealer->peer()].pending.empty();
    items.push_back(
        {dealer->socket().raw(), 0, static_cast<short>(ZMQ_POLLIN | (wants_out ? ZMQ_POLLOUT : 0)), 0});
  }
  return items;
}

long ZmqGateway::poll_ms(Instant now) const {
  auto due = now + config_.heartbeat_interval;
  for (const auto& [name, line] : lines_) {
    due = std::min(due, mesh_.due(name, line.blocked()));
    // A ROUTER does not say when one of its connections has room again.
    if (!line.dealer && !line.pending.empty()) due = std::min(due, now + std::chrono::milliseconds(1));
  }
  for (const auto& dealer : dealers_) due = std::min(due, dealer->reopen_due());
  return ceil_ms(due - now);
}

void ZmqGateway::rest() {
  auto items = poll_items();
  if (!outbox_.fall_asleep()) return;
  zmq_poll(items.data(), static_cast<int>(items.size()), poll_ms(clock_.now()));
  outbox_.wake_up((items[0].revents & ZMQ_POLLIN) != 0);
  // A connection's news must not wait for its turn: until it is heard nothing else happens.
  auto happened = [](const zmq_pollitem_t& item) { return item.revents != 0; };
  bool news = std::any_of(items.begin() + 1, items.begin() + news_end_, happened);
  bool timer = std::ranges::none_of(items, happened);
  if (news || timer) turns_ = 0;
}

}  // namespace troupe::transport
