#include "actors/supervisor.hpp"

#include "actors/peer.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

// A place in the cast: who plays it now, and how often it had to be filled again.
struct Child {
  caf::strong_actor_ptr actor;
  std::string endpoint;  // empty: plays another part
  std::vector<Instant> failures;
  std::optional<Instant> again_at;
  std::function<void()> spawn;
  bool given_up = false;
};

struct SupervisorState {
  static constexpr const char* name = "supervisor";
  explicit SupervisorState(SupervisorActor::pointer self) : self_(self) {}

  SupervisorActor::behavior_type start(SupervisorConfig config, Stage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
    self_->set_exit_handler([this](caf::scheduled_actor*, caf::exit_msg& exit) { on_exit(exit); });
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      const auto& id = config_.endpoints[i].endpoint.facts.id;
      add("endpoint " + id, [this, i] { spawn_endpoint_pair(i); });
      children_.at("endpoint " + id).endpoint = id;
    }
    add("prober", [this] { spawn_the_prober(); });
    for (const auto& shadow : config_.shadows)
      add("shadow " + shadow.config.feature, [this, &shadow] { spawn_shadow_of(shadow); });
    for (const auto& feature : config_.features)
      add("queue " + feature.dispatch.rules.feature, [this, &feature] { spawn_queue(feature); });
    for (const auto& peer : config_.peers) add("peer " + peer.id, [this, &peer] { spawn_peer_of(peer); });
    for (const auto& place : order_) children_.at(place).spawn();
    publish_roster();
    connect_health();
    return {
        [this](const HealthChanged& fact) { on_health(fact); },
        [this](const GetBoard& question) { on_board(question); },
        [this](const ReplaceFeatures& order) { on_replace(*order.features); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // ---- spawning ----

  void add(const std::string& place, std::function<void()> make) {
    children_[place].spawn = std::move(make);
    order_.push_back(place);
  }

  template <class Handle>
  void watch(const std::string& place, const Handle& handle) {
    self_->monitor(handle);
    children_[place].actor = caf::actor_cast<caf::strong_actor_ptr>(handle);
  }

  // Endpoint and breaker live and die together: a breaker without its endpoint's facts is blind.
  void spawn_endpoint_pair(std::size_t index) {
    const auto& spec = config_.endpoints[index];
    const auto& id = spec.endpoint.facts.id;
    // The breakers of one endpoint share their memory: the next goes on where the last was (F13).
    auto& cell = memories_[id];
    if (!cell) cell = spec.breaker.cell ? spec.breaker.cell : std::make_shared<BreakerCell>();
    auto config = spec.breaker;
    config.cell = cell;
    auto endpoint_config = spec.endpoint;
    endpoint_config.patience = config.patience = std::make_shared<PatienceCell>();
    auto breaker = spawn_breaker(self_->system(), stage_.loop_unit, config, *stage_.clock, stage_.ledger);
    self_->monitor(breaker);
    auto endpoint = spawn_endpoint(self_->system(), stage_.loop_unit, endpoint_config, spec.starter,
                                   *stage_.clock, breaker);
    breakers_[id] = breaker;
    endpoints_[id] = endpoint;
    watch("endpoint " + id, endpoint);
    publish_endpoints();
  }

  void publish_endpoints() {
    stage_.board->endpoints.store(std::make_shared<const EndpointMap>(endpoints_));
    stage_.board->breakers.store(std::make_shared<const BreakerMap>(breakers_));
  }

  void spawn_the_prober() {
    prober_ = spawn_prober(self_->system(), stage_.loop_unit, *stage_.clock, stage_.ledger, config_.controls);
    watch("prober", prober_);
  }

  void spawn_shadow_of(const FeatureShadow& shadow) {
    ShadowActorStage stage{stage_.clock, stage_.ledger, config_.controls, shadow.report};
    const auto& feature = shadow.config.feature;
    auto actor = spawn_shadow(self_->system(), stage_.loop_unit, shadow.config, std::move(stage));
    shadows_[feature] = actor;
    watch("shadow " + feature, actor);
    stage_.board->shadows.store(std::make_shared<const ShadowMap>(shadows_));
  }

  void spawn_queue(const FeatureConfig& feature) {
    auto queue =
        spawn_feature_queue(self_->system(), stage_.loop_unit, feature, *stage_.clock, stage_.ledger);
    const auto& id = feature.dispatch.rules.feature;
    queues_[id] = queue;
    watch("queue " + id, queue);
    stage_.board->queues.store(std::make_shared<const QueueMap>(queues_));
  }

  // Each by a queue of its own; the old ones see their calls through.
  void on_replace(const std::vector<FeatureConfig>& features) {
    for (auto& feature : config_.features) {
      const auto& id = feature.dispatch.rules.feature;
      auto next = std::ranges::find_if(
          features, [&](const FeatureConfig& each) { return each.dispatch.rules.feature == id; });
      if (next == features.end()) continue;
      auto& child = children_.at("queue " + id);
      if (child.actor) {
        retired_.push_back(queues_.at(id));
        self_->send(retired_.back(), Retire{});
      }
      child.again_at.reset();
      feature = *next;
      spawn_queue(feature);
    }
    publish_roster();
    connect_health();
  }

  void spawn_peer_of(const RemotePeer& peer) {
    if (stage_.gateway == nullptr) return;
    PeerActorConfig config;
    config.id = peer.id;
    config.serves = {stage_.board, &stage_.board->endpoints};
    // Queues may be replaced: the supervisor knows the present ones and passes on what it hears.
    config.subscribers.push_back(HealthSubscriber(self_));
    for (const auto& facts : peer.endpoints) config.owns.insert(facts.id);
    auto actor =
        spawn_peer(self_->system(), stage_.gateway_unit, std::move(config), *stage_.clock, *stage_.gateway);
    for (const auto& facts : peer.endpoints)
      remotes_[facts.id] = {std::make_shared<const policy::EndpointFacts>(facts),
                            spawn_remote_endpoint(self_->system(), stage_.gateway_unit, facts.id, actor),
                            peer.id};
    peers_[peer.id] = actor;
    watch("peer " + peer.id, actor);
    stage_.board->peers.store(std::make_shared<const PeerMap>(peers_));
  }

  void publish_roster() {
    auto roster = std::make_shared<Roster>();
    for (const auto& spec : config_.endpoints) {
      const auto& facts = spec.endpoint.facts;
      auto handle = endpoints_.find(facts.id);
      if (handle == endpoints_.end()) continue;
      roster->push_back({std::make_shared<const policy::EndpointFacts>(facts), handle->second, config_.node});
    }
    for (const auto& [id, entry] : remotes_) roster->push_back(entry);
    for (const auto& [feature, queue] : queues_) self_->send(queue, RosterChanged{roster});
    for (const auto& queue : retired_) self_->send(queue, RosterChanged{roster});
    for (const auto& [feature, shadow] : shadows_) self_->send(shadow, RosterChanged{roster});
    self_->send(prober_, RosterChanged{roster});
  }

  void connect_health() {
    for (const auto& [id, breaker] : breakers_) connect_breaker(breaker);
    for (const auto& [id, view] : health_)
      if (remotes_.contains(id)) tell_queues(view);
  }

  void on_health(const HealthChanged& fact) {
    const auto& id = fact.view->endpoint;
    bool abroad = remotes_.contains(id);
    if (!abroad && !endpoints_.contains(id)) return;  // the last words of a breaker that was retired
    health_[id] = fact.view;
    if (abroad) tell_queues(fact.view);
  }

  void tell_queues(const HealthPtr& view) {
    for (const auto& [feature, queue] : queues_) self_->send(queue, HealthChanged{view});
    for (const auto& queue : retired_) self_->send(queue, HealthChanged{view});
    for (const auto& [feature, shadow] : shadows_) self_->send(shadow, HealthChanged{view});
  }

  void connect_breaker(const BreakerActor& breaker) {
    self_->send(breaker, SubscribeHealth{HealthSubscriber(self_)});
    self_->send(breaker, AcceptProbes{prober_});
    for (const auto& [feature, queue] : queues_) self_->send(breaker, SubscribeHealth{queue});
    for (const auto& queue : retired_) self_->send(breaker, SubscribeHealth{queue});
    for (const auto& [feature, shadow] : shadows_) self_->send(breaker, SubscribeHealth{shadow});
    for (const auto& [id, peer] : peers_) self_->send(breaker, SubscribeHealth{peer});
  }

  // ---- failing and restarting ----

  void on_down(const caf::down_msg& down) {
    std::erase_if(retired_, [&](const auto& queue) { return queue == down.source; });
    for (const auto& [id, breaker] : breakers_)
      if (caf::actor_cast<caf::strong_actor_ptr>(breaker) == down.source && endpoints_.contains(id))
        return self_->send_exit(endpoints_.at(id), caf::exit_reason::user_shutdown);
    for (auto& [place, child] : children_) {
      if (!child.actor || child.actor != down.source) continue;
      auto now = stage_.clock->now();
      std::erase_if(child.failures, [&](Instant at) { return now - at > config_.restart_window; });
      child.failures.push_back(now);
      child.actor = nullptr;
      if (!child.endpoint.empty()) retire_endpoint(child.endpoint);
      if (child.failures.size() > config_.restarts_max) {
        child.given_up = true;
        return log::error("supervisor", place + " keeps failing; given up");
      }
      auto pause = config_.restart_pause * (1LL << (child.failures.size() - 1));
      child.again_at = now + pause;
      return log::warn("supervisor", fmt::format("{} failed; again in {}", place, to_human(pause)));
    }
  }

  // Nobody is sent there any more, here or on other nodes, and calls that wait for it move on.
  void retire_endpoint(const std::string& id) {
    endpoints_.erase(id);
    auto breaker = breakers_.extract(id);
    if (!breaker.empty()) self_->send_exit(breaker.mapped(), caf::exit_reason::user_shutdown);
    publish_endpoints();
    if (auto known = health_.find(id); known != health_.end()) {
      auto gone = std::make_shared<policy::HealthView>(*known->second);
      gone->reachable = false;
      known->second = gone;
      for (const auto& [peer, actor] : peers_) self_->send(actor, HealthChanged{gone});
    }
    publish_roster();
  }

  void on_tick() {
    auto now = stage_.clock->now();
    bool changed = false;
    for (auto& [place, child] : children_) {
      if (!child.again_at || *child.again_at > now) continue;
      child.again_at.reset();
      child.spawn();
      changed = true;
    }
    if (changed) {
      publish_roster();
      connect_health();
    }
    for (const auto& [id, endpoint] : endpoints_) self_->send(endpoint, Tick{});
    for (const auto& [id, breaker] : breakers_) self_->send(breaker, Tick{});
    for (const auto& [feature, queue] : queues_) self_->send(queue, Tick{});
    for (const auto& queue : retired_) self_->send(queue, Tick{});
    for (const auto& [feature, shadow] : shadows_) self_->send(shadow, Tick{});
    self_->send(prober_, Tick{});
  }

  // The cast leaves with its supervisor.
  void on_exit(const caf::exit_msg& exit) {
    for (const auto& [place, child] : children_)
      if (child.actor) self_->send_exit(child.actor, exit.reason);
    for (const auto& [id, breaker] : breakers_) self_->send_exit(breaker, exit.reason);
    for (const auto& queue : retired_) self_->send_exit(queue, exit.reason);
    for (const auto& [id, entry] : remotes_) self_->send_exit(entry.handle, exit.reason);
    stage_.board->endpoints.store(std::make_shared<const EndpointMap>());
    stage_.board->breakers.store(std::make_shared<const BreakerMap>());
    stage_.board->shadows.store(std::make_shared<const ShadowMap>());
    stage_.board->queues.store(std::make_shared<const QueueMap>());
    stage_.board->peers.store(std::make_shared<const PeerMap>());
    self_->quit(exit.reason);
  }

  void on_board(const GetBoard& question) {
    std::vector<HealthPtr> board;
    for (const auto& [id, view] : health_) board.push_back(view);
    question.reply(std::move(board));
  }

  SupervisorActor::pointer self_;
  SupervisorConfig config_;
  Stage stage_;
  std::map<std::string, Child> children_;
  std::vector<std::string> order_;  // endpoints, prober, shadows, queues, peers: each knows those before it
  EndpointMap endpoints_;
  BreakerMap breakers_;
  std::map<std::string, std::shared_ptr<BreakerCell>> memories_;
  ProberActor prober_;
  ShadowMap shadows_;
  QueueMap queues_;
  std::vector<FeatureQueueActor> retired_;  // replaced, with calls to see through
  PeerMap peers_;
  std::map<std::string, RosterEntry> remotes_;
  std::map<std::string, HealthPtr> health_;
};

}  // namespace

SupervisorActor spawn_supervisor(caf::actor_system& system, SupervisorConfig config, Stage stage) {
  return spawn_shell<SupervisorActor, SupervisorState>(system, nullptr, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
