#include "actors/supervisor.hpp"

#include "actors/cast_place.hpp"
#include "actors/departing.hpp"
#include "actors/peer.hpp"
#include "actors/peer_seats.hpp"
#include "actors/shell.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

struct SupervisorState {
  static constexpr const char* name = "supervisor";
  explicit SupervisorState(SupervisorActor::pointer self) : self_(self) {}

  SupervisorActor::behavior_type start(SupervisorConfig config, Stage stage) {
    config_ = std::move(config);
    stage_ = std::move(stage);
    stand_ins_.emplace(self_->system(), stage_.gateway_unit, *stage_.clock);
    self_->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { on_down(down); });
    self_->set_exit_handler([this](caf::scheduled_actor*, caf::exit_msg& exit) { on_exit(exit); });
    for (const auto& local : config_.endpoints) seats_.take(local.endpoint.facts);
    for (const auto& peer : config_.peers)
      for (const auto& facts : peer.endpoints) seats_.take(facts);
    seats_.regroup(config_.features);
    for (const auto& spec : config_.endpoints) add_endpoint(spec.endpoint.facts.id);
    add("prober", [this] { spawn_the_prober(); });
    for (const auto& shadow : config_.shadows) add_shadow(shadow.config.feature);
    for (const auto& feature : config_.features)
      add("queue " + feature.dispatch.rules.feature, [this, &feature] { spawn_queue(feature); });
    for (const auto& peer : config_.peers) add("peer " + peer.id, [this, &peer] { spawn_peer_of(peer); });
    for (const auto& place : order_) children_.at(place).spawn();
    publish_roster();
    connect_health();
    return {
        [this](const HealthChanged& fact) { on_health(fact); },
        [this](const GetBoard& question) { on_board(question); },
        [this](const ChangeCast& order) { on_change(*order.change); },
        [this](Tick) { on_tick(); },
    };
  }

 private:
  // ---- spawning ----

  void add(const std::string& place, std::function<void()> make) {
    children_[place].spawn = std::move(make);
    order_.push_back(place);
  }

  void add_endpoint(const std::string& id) {
    add("endpoint " + id, [this, id] { spawn_endpoint_pair(id); });
    children_.at("endpoint " + id).endpoint = id;
  }
  void add_shadow(const std::string& feature) {
    add("shadow " + feature, [this, feature] { spawn_shadow_of(feature); });
  }

  LocalEndpoint& spec_of(const std::string& id) {
    return *std::ranges::find_if(config_.endpoints,
                                 [&](const auto& each) { return each.endpoint.facts.id == id; });
  }

  template <class Handle>
  void watch(const std::string& place, const Handle& handle) {
    self_->monitor(handle);
    children_[place].actor = caf::actor_cast<caf::strong_actor_ptr>(handle);
  }

  // Endpoint and breaker live and die together: a breaker without its endpoint's facts is blind.
  void spawn_endpoint_pair(const std::string& id) {
    const auto& spec = spec_of(id);
    // The breakers of one endpoint share their memory: the next goes on where the last was (F13).
    auto& cell = memories_[id];
    if (!cell) cell = spec.breaker.cell ? spec.breaker.cell : std::make_shared<BreakerCell>();
    auto config = spec.breaker;
    config.cell = cell;
    config.peers = seats_.board();
    config.seat = seats_.of(id);
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

  void spawn_shadow_of(const std::string& feature) {
    const auto& shadow = *std::ranges::find_if(
        config_.shadows, [&](const auto& each) { return each.config.feature == feature; });
    ShadowActorStage stage{stage_.clock,  stage_.ledger, config_.controls,
                           shadow.report, shadow.shown,  shadow.judged};
    stage.queues = {stage_.board, &stage_.board->queues};
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

  // ---- another configuration ----

  void on_change(const CastChange& change) {
    // One that moves between nodes leaves its old place before it takes the new one.
    for (const auto& id : change.endpoints_gone) let_endpoint_go(id);
    for (const auto& peer : change.peers) take_remotes(peer);
    for (const auto& spec : change.endpoints) take_endpoint(spec);
    for (const auto& feature : change.shadows_gone) let_shadow_go(feature);
    for (const auto& shadow : change.shadows) take_shadow(shadow);
    replace_queues(change.features);
    seats_.regroup(config_.features);
    publish_roster();
    connect_health();
    order_.clear();
    if (change.done) change.done();
  }

  void let_endpoint_go(const std::string& id) {
    auto endpoint = endpoints_.extract(id);
    publish_endpoints();
    if (!endpoint.empty()) {
      auto facts = std::make_shared<const policy::EndpointFacts>(spec_of(id).endpoint.facts);
      departing_.add({std::move(facts), endpoint.mapped(), config_.node});
      self_->send(endpoint.mapped(), Retire{});
    }
    if (auto breaker = breakers_.extract(id); !breaker.empty())
      self_->send_exit(breaker.mapped(), caf::exit_reason::user_shutdown);
    say_unreachable(id);
    seats_.leave(id);
    health_.erase(id);
    children_.erase("endpoint " + id);
    std::erase_if(config_.endpoints, [&](const auto& each) { return each.endpoint.facts.id == id; });
  }

  void take_endpoint(const LocalEndpoint& spec) {
    const auto& id = spec.endpoint.facts.id;
    config_.endpoints.push_back(spec);
    seats_.take(spec.endpoint.facts);
    add_endpoint(id);
    spawn_endpoint_pair(id);
  }

  void let_shadow_go(const std::string& feature) {
    if (auto shadow = shadows_.extract(feature); !shadow.empty()) {
      self_->send(shadow.mapped(), Retire{});
      departing_.add(shadow.mapped());
    }
    stage_.board->shadows.store(std::make_shared<const ShadowMap>(shadows_));
    children_.erase("shadow " + feature);
    std::erase_if(config_.shadows, [&](const auto& each) { return each.config.feature == feature; });
  }

  void take_shadow(const FeatureShadow& shadow) {
    const auto& feature = shadow.config.feature;
    config_.shadows.push_back(shadow);
    add_shadow(feature);
    spawn_shadow_of(feature);
  }

  void take_remotes(const RemotePeer& peer) {
    auto known = std::ranges::find(config_.peers, peer.id, &RemotePeer::id);
    auto actor = peers_.find(peer.id);
    if (known == config_.peers.end() || actor == peers_.end()) return;
    *known = peer;
    for (auto& gone : stand_ins_->change(peer, actor->second)) {
      health_.erase(gone.facts->id);
      seats_.leave(gone.facts->id);
      self_->monitor(gone.handle);
      self_->send(gone.handle, Retire{});
      departing_.add(std::move(gone));
    }
    for (const auto& facts : peer.endpoints) seats_.take(facts);
  }

  // Each by a queue of its own; the old ones see their calls through.
  void replace_queues(const std::vector<FeatureConfig>& features) {
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
  }

  void spawn_peer_of(const RemotePeer& peer) {
    if (stage_.gateway == nullptr) return;
    PeerActorConfig config;
    config.id = peer.id;
    config.serves = {stage_.board, &stage_.board->endpoints};
    // Queues may be replaced: the supervisor knows the present ones and passes on what it hears.
    config.subscribers.push_back(HealthSubscriber(self_));
    config.owns = stand_ins_->owned(peer.id);
    auto actor =
        spawn_peer(self_->system(), stage_.gateway_unit, std::move(config), *stage_.clock, *stage_.gateway);
    stand_ins_->begin(peer, actor);
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
    for (const auto& [id, entry] : stand_ins_->all()) roster->push_back(entry);
    departing_.list(*roster);
    for (const auto& [feature, queue] : queues_) self_->send(queue, RosterChanged{roster});
    for (const auto& queue : retired_) self_->send(queue, RosterChanged{roster});
    for (const auto& [feature, shadow] : shadows_) self_->send(shadow, RosterChanged{roster});
    self_->send(prober_, RosterChanged{roster});
  }

  void connect_health() {
    for (const auto& [id, breaker] : breakers_) connect_breaker(breaker);
    for (const auto& [id, view] : health_)
      if (stand_ins_->all().contains(id)) tell_queues(view);
  }

  void on_health(const HealthChanged& fact) {
    const auto& id = fact.view->endpoint;
    auto abroad = stand_ins_->all().find(id);
    bool here = abroad == stand_ins_->all().end();
    // The last words of a breaker that was retired, or of a home from which it has moved (F14).
    if (here ? !endpoints_.contains(id) : peers_.at(abroad->second.home) != self_->current_sender()) return;
    health_[id] = fact.view;
    if (here) return;
    seats_.post(*fact.view);
    tell_queues(fact.view);
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
    if (departing_.forget(down.source)) return publish_roster();
    for (const auto& [id, breaker] : breakers_)
      if (caf::actor_cast<caf::strong_actor_ptr>(breaker) == down.source && endpoints_.contains(id))
        return self_->send_exit(endpoints_.at(id), caf::exit_reason::user_shutdown);
    for (auto& [place, child] : children_) {
      if (!child.actor || child.actor != down.source) continue;
      auto pause = child.failed(stage_.clock->now(), config_.restart_window, config_.restarts_max,
                                config_.restart_pause);
      if (!child.endpoint.empty()) retire_endpoint(child.endpoint);
      if (!pause) return log::error("supervisor", place + " keeps failing; given up");
      return log::warn("supervisor", fmt::format("{} failed; again in {}", place, to_human(*pause)));
    }
  }

  // Nobody is sent there any more, here or on other nodes, and calls that wait for it move on.
  void retire_endpoint(const std::string& id) {
    endpoints_.erase(id);
    auto breaker = breakers_.extract(id);
    if (!breaker.empty()) self_->send_exit(breaker.mapped(), caf::exit_reason::user_shutdown);
    publish_endpoints();
    say_unreachable(id);
    publish_roster();
  }

  void say_unreachable(const std::string& id) {
    auto known = health_.find(id);
    if (known == health_.end()) return;
    auto gone = std::make_shared<policy::HealthView>(*known->second);
    gone->reachable = false;
    known->second = gone;
    seats_.post(*gone);
    for (const auto& [peer, actor] : peers_) self_->send(actor, HealthChanged{gone});
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
    departing_.tick();
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
    for (const auto& each : departing_.everyone()) self_->send_exit(each, exit.reason);
    for (const auto& [id, entry] : stand_ins_->all()) self_->send_exit(entry.handle, exit.reason);
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
  std::map<std::string, CastPlace> children_;
  std::vector<std::string> order_;  // endpoints, prober, shadows, queues, peers: each knows those before it
  EndpointMap endpoints_;
  BreakerMap breakers_;
  std::map<std::string, std::shared_ptr<BreakerCell>> memories_;
  PeerSeats seats_;
  ProberActor prober_;
  ShadowMap shadows_;
  QueueMap queues_;
  std::vector<FeatureQueueActor> retired_;  // replaced, with calls to see through
  PeerMap peers_;
  std::optional<StandIns> stand_ins_;
  Departing departing_;
  std::map<std::string, HealthPtr> health_;
};

}  // namespace

SupervisorActor spawn_supervisor(caf::actor_system& system, SupervisorConfig config, Stage stage) {
  return spawn_shell<SupervisorActor, SupervisorState>(system, nullptr, std::move(config), std::move(stage));
}

}  // namespace troupe::actors
