// The Controls actor: one per node. Takes operators' orders, writes them down, spreads them over the nodes
// and publishes the snapshot that routing reads (B8, B9, C15).
#pragma once

#include "actors/interfaces.hpp"
#include "actors/unit.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/policy/controls.hpp"

#include <functional>

namespace troupe::actors {

/// An order. Its stamp and time are the actor's to fill. A Stop with `start` undoes the stops known here.
/// `reply` hears once: the snapshot it is in, or why it was refused. A stop is in force before it is written
/// down; if the journal then fails the reply is `storage` and says that a restart would forget it. Everything
/// else is in force only once it is durable.
struct GiveOrder {
  policy::Change change;
  bool start = false;
  std::function<void(Result<policy::ControlsPtr>)> reply;
};
/// The journal has answered for an order; from the actor to itself.
struct OrderWritten {
  std::uint64_t ticket = 0;
  Result<void> kept;
};
/// What another node says of orders.
struct ControlsHeard {
  std::string peer;
  std::string body;
};

/// The configuration says other things of what has been signed.
struct SignOffsChanged {
  policy::SignOffs sign_offs;
};

using ControlsActor =
    caf::typed_actor<caf::reacts_to<GiveOrder>, caf::reacts_to<OrderWritten>, caf::reacts_to<ControlsHeard>,
                     caf::reacts_to<SignOffsChanged>, caf::reacts_to<Tick>>;

struct ControlsConfig {
  std::string node;
  /// The other nodes of the cluster.
  std::vector<std::string> peers;
  /// What the configuration says: sign-offs and checklists.
  policy::SignOffs sign_offs;
  /// What the journal remembers.
  policy::Controls restored;
  /// How often a node tells the others what it knows; an order itself is told at once.
  Duration gossip_interval = std::chrono::milliseconds(500);
  /// Without word of a majority of nodes for this long, shares fall back to the safe side. Measured from when
  /// we asked, by our own clock.
  Duration lease = std::chrono::seconds(5);
};

struct ControlsStage {
  /// Never null; outlives the actor.
  Clock* clock = nullptr;
  /// May be null (tests): then nothing is kept.
  journal::Journal* journal = nullptr;
  /// Sends `body` to a node, on the control lane; may fail silently.
  std::function<void(const std::string& peer, std::string body)> send;
  std::shared_ptr<Published<policy::Controls>> board;
};

/// Publishes the restored snapshot before it returns, so that no request is routed past a stop that a restart
/// must not forget.
ControlsActor spawn_controls(caf::actor_system& system, Unit* unit, ControlsConfig config,
                             ControlsStage stage);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::GiveOrder)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::OrderWritten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ControlsHeard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::SignOffsChanged)
