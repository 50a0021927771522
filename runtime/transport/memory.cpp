// Gateways without sockets for simulation.
#include "runtime/transport/memory.hpp"

#include <algorithm>

namespace troupe::transport {

/// One node of a MemoryWorld. Runs what is posted when its time moves.
class MemoryNode final : public Gateway {
 public:
  MemoryNode(MemoryWorld& world, GatewayConfig config, std::uint64_t incarnation, GatewayListener& listener,
             Mechanisms mechanisms)
      : world_(world), config_(std::move(config)), incarnation_(incarnation) {
    auto mesh_config = mesh_config_of(config_, incarnation);
    mesh_config.link.dedup = mechanisms.dedup;
    mesh_config.link.resend = mechanisms.resend;
    mesh_config.on_client_gone = [this](const std::string& name) { node_behind_.erase(name); };
    mesh_ = std::make_unique<Mesh>(mesh_config, listener, world.now().now);
  }

  void post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  bool here() const override { return true; }
  std::string address() const override { return "memory://" + config_.id; }
  std::uint64_t incarnation() const override { return incarnation_; }
  Result<void> send(const std::string& peer, Outbound message) override {
    return mesh_->send(peer, std::move(message));
  }
  void consumed(const std::string& peer, protocol::Lane lane, std::size_t count) override {
    mesh_->consumed(peer, lane, count, world_.now().now);
  }
  void stop() override {}
  Stats stats() const override { return mesh_->stats(); }

  Mesh& mesh() { return *mesh_; }
  bool has_work() const { return !posted_.empty(); }

  void receive(const std::string& from, std::string_view frame) {
    auto owner = owner_of(from);
    if (owner.empty()) return;
    auto name = mesh_->receive(owner, frame, world_.now());
    if (!name.empty()) node_behind_[name] = from;
  }

  void settle() {
    mesh_->tick(world_.now());
    for (auto work = std::exchange(posted_, {}); auto& each : work) each();
    protocol::Writer frame;
    for (const auto& name : mesh_->names()) {
      auto behind = node_behind_.find(name);
      const auto& to = behind == node_behind_.end() ? name : behind->second;
      while (mesh_->next_frame(name, world_.now(), frame)) world_.carry(config_.id, to, frame.peek());
    }
  }

 private:
  std::string owner_of(const std::string& from) const {
    auto is_from = [&](const PeerConfig& peer) { return peer.id == from; };
    if (std::ranges::any_of(config_.peers, is_from)) return from;
    bool client = std::ranges::find(config_.client_keys, from) != config_.client_keys.end();
    return client ? std::string(kClientPrefix) + from.substr(0, 12) : std::string();
  }

  MemoryWorld& world_;
  GatewayConfig config_;
  std::uint64_t incarnation_;
  std::unique_ptr<Mesh> mesh_;
  std::vector<std::function<void()>> posted_;
  std::map<std::string, std::string> node_behind_;  // a client's name -> the node it runs on
};

MemoryWorld::MemoryWorld(std::uint64_t seed, WireFaults faults, ManualClock& clock)
    : rng_(seed), faults_(faults), clock_(clock) {}
MemoryWorld::~MemoryWorld() = default;

Gateway& MemoryWorld::add(GatewayConfig config, GatewayListener& listener, Mechanisms mechanisms) {
  auto id = config.id;
  kill(id);
  auto& slot = nodes_[id];
  slot = std::make_unique<MemoryNode>(*this, std::move(config), ++lives_, listener, mechanisms);
  return *slot;
}

void MemoryWorld::kill(const std::string& id) { nodes_.erase(id); }

Mesh* MemoryWorld::mesh(const std::string& id) {
  auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second->mesh();
}

void MemoryWorld::note(std::string_view what, std::string_view text) {
  auto at = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  history_ = stable_hash(text, stable_hash(what, history_ ^ at));
}

void MemoryWorld::carry(const std::string& from, const std::string& to, const std::string& frame) {
  if (cuts_.contains({from, to})) return note("cut", frame);
  if (rng_.uniform() < faults_.drop) return note("drop", frame);
  launch(from, to, frame);
  if (rng_.uniform() < faults_.duplicate) launch(from, to, frame);
}

void MemoryWorld::launch(const std::string& from, const std::string& to, const std::string& frame) {
  auto spread = static_cast<std::uint64_t>((faults_.delay_max - faults_.delay_min).count());
  auto delay = faults_.delay_min + Duration(static_cast<std::int64_t>(rng_.below(spread + 1)));
  flying_.push({clock_.now() + delay, ++launched_, from, to, frame});
  note("fly", frame);
}

void MemoryWorld::arrive(const Flying& flying) {
  auto found = nodes_.find(flying.to);
  note(found == nodes_.end() ? "lost" : "land", flying.frame);
  if (found != nodes_.end()) found->second->receive(flying.from, flying.frame);
}

bool MemoryWorld::land_due() {
  if (flying_.empty() || flying_.top().due > clock_.now()) return false;
  auto flying = flying_.top();
  flying_.pop();
  arrive(flying);
  return true;
}

void MemoryWorld::settle() {
  for (auto& [id, node] : nodes_) node->settle();
}

Instant MemoryWorld::next_due() const {
  auto due = flying_.empty() ? Instant::max() : flying_.top().due;
  for (const auto& [id, node] : nodes_) {
    due = std::min(due, node->has_work() ? clock_.now() : node->mesh().due());
  }
  return due;
}

void MemoryWorld::pass(Duration span) {
  auto end = clock_.now() + span;
  settle();
  for (;;) {
    auto due = next_due();
    // Something due in the past that settling did not clear must not stop time.
    if (due <= clock_.now()) due = clock_.now() + std::chrono::microseconds(10);
    if (due > end) break;
    clock_.pass(due - clock_.now());
    while (land_due()) {
    }
    settle();
  }
  clock_.pass(end - clock_.now());
}

}  // namespace troupe::transport
