// Where a node's operators' orders come together: the Controls and Rollout actors, what they publish, and the
// names an order may be about.
#pragma once

#include "actors/controls.hpp"
#include "actors/rollout.hpp"
#include "actors/wire.hpp"
#include "runtime/config/config.hpp"

#include <map>
#include <set>

namespace troupe::actors {

struct ControlRoomParts {
  caf::actor_system* system = nullptr;
  Unit* unit = nullptr;
  Clock* clock = nullptr;
  journal::Journal* journal = nullptr;
  /// Null: no other nodes.
  transport::Gateway* gateway = nullptr;
};

/// Sends bodies of this kind to other nodes, on the control lane: orders are never dropped behind data. Null:
/// there is nobody to send to.
std::function<void(const std::string& peer, std::string body)> control_sender(transport::Gateway* gateway,
                                                                              WireKind kind);

/// What this node's shadows and their judges have shown, by feature. `judged` may be null.
struct ShownByCopies {
  std::shared_ptr<const Published<policy::TwoSides>> copies;
  std::shared_ptr<const Published<policy::JudgeTally>> judged;
};
using CopiesShown = std::map<std::string, ShownByCopies>;

/// One per node. Once started what it publishes may be read on any thread.
class ControlRoom {
 public:
  /// Orders of the journal are in force when it returns. Fails with `storage` when they cannot be read: a
  /// node that has forgotten a stop must not serve.
  Result<void> start(const config::Config& config, const ControlRoomParts& parts, const CopiesShown& copies);
  /// Another configuration. Orders stay in force. One thread at a time.
  void change(const config::Config& config, const std::set<std::string>& redealt, const CopiesShown& copies);
  void stop();
  void tick() const;
  /// True when the message was for us.
  bool heard(const transport::Inbound& message) const;

  /// What routing reads at each decision. Never null.
  const std::shared_ptr<Published<policy::Controls>>& board() const { return board_; }
  std::shared_ptr<const policy::LeadRules> rules() const { return rules_.load(); }
  const ControlsActor& controls() const { return controls_; }
  const RolloutActor& rollouts() const { return rollouts_; }
  /// What the configuration knows by that subject; empty: anything goes (tenants, flags).
  std::set<std::string> names(policy::Subject subject) const;

 private:
  using Names = std::map<policy::Subject, std::set<std::string>>;
  /// Gives the rollouts, each with where it is judged.
  std::vector<RolloutPlace> publish(const config::Config& config, const policy::SignOffs& sign_offs,
                                    const CopiesShown& copies);

  std::shared_ptr<Published<policy::Controls>> board_ = std::make_shared<Published<policy::Controls>>();
  Published<policy::LeadRules> rules_;
  Published<Names> names_;
  ControlsActor controls_;
  RolloutActor rollouts_;
};

}  // namespace troupe::actors
