// The Supervisor actor: one per node. Spawns the cast, restarts what fails, and keeps the board of everyone's
// health.
#pragma once

#include "actors/breaker.hpp"
#include "actors/endpoint.hpp"
#include "actors/feature_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/peer.hpp"
#include "actors/prober.hpp"
#include "actors/run.hpp"
#include "actors/shadow.hpp"
#include "actors/stand_ins.hpp"
#include "runtime/base/published.hpp"

namespace troupe::actors {

struct LocalEndpoint {
  EndpointConfig endpoint;
  BreakerConfig breaker;
  AttemptStarter starter;
};

/// A feature's shadow, and where its report is published.
struct FeatureShadow {
  ShadowActorConfig config;
  std::shared_ptr<Published<policy::ParityReport>> report;
  std::shared_ptr<Published<policy::TwoSides>> shown = {};
  /// What its judge has done; null without one.
  std::shared_ptr<Published<policy::JudgeTally>> judged = {};
};

/// What a changed configuration makes of the cast (C13). Who is named in none of these stays who it is, with
/// its attempts, its breaker, its buckets and its connections.
struct CastChange {
  /// That live here no more, or are of no use as they are: they see their attempts through and leave. Their
  /// breakers' memory stays for those that come after them (F13).
  std::vector<std::string> endpoints_gone;
  std::vector<LocalEndpoint> endpoints;
  std::vector<std::string> shadows_gone;  ///< by feature
  std::vector<FeatureShadow> shadows;
  /// New rules for features there are, by name; calls under way end by the old ones.
  std::vector<FeatureConfig> features;
  /// Peers there are, with all their endpoints as they are now.
  std::vector<RemotePeer> peers;
  /// Called when everyone has been told; may be empty.
  std::function<void()> done;
};

struct SupervisorConfig {
  std::string node;
  std::vector<LocalEndpoint> endpoints;
  std::vector<RemotePeer> peers;
  std::vector<FeatureConfig> features;
  std::vector<FeatureShadow> shadows;
  /// What shadows and probes must heed; null: no orders, and no shadows.
  std::shared_ptr<const Published<policy::Controls>> controls;
  /// A child that fails more often than this within `restart_window` is given up, loudly.
  std::size_t restarts_max = 5;
  Duration restart_window = std::chrono::seconds(30);
  Duration restart_pause = std::chrono::milliseconds(100);
};

using PeerMap = std::map<std::string, PeerActor>;
using BreakerMap = std::map<std::string, BreakerActor>;

/// Where the present handles are published: readers load, never keep across restarts.
struct CastBoard {
  Published<EndpointMap> endpoints;  ///< those that live here
  Published<BreakerMap> breakers;    ///< theirs
  Published<ShadowMap> shadows;      ///< by feature
  Published<QueueMap> queues;
  Published<PeerMap> peers;
};

/// Collaborators that outlive the actor. `gateway` and `gateway_unit` may be null: no peers.
struct Stage {
  Unit* loop_unit = nullptr;
  Unit* gateway_unit = nullptr;
  Clock* clock = nullptr;
  transport::Gateway* gateway = nullptr;
  LedgerActor ledger;
  std::shared_ptr<CastBoard> board;
};

SupervisorActor spawn_supervisor(caf::actor_system& system, SupervisorConfig config, Stage stage);

}  // namespace troupe::actors
