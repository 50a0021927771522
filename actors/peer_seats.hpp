// Where breakers look how the endpoints that stand in for theirs fare, while endpoints come and go.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/policy/peer_board.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors {

struct FeatureConfig;

/// Numbers endpoints of this node and of others on one board. Those that live here post for themselves how
/// slow they are; of others we hear only whether they are closed. The supervisor's own: not thread-safe.
class PeerSeats {
 public:
  const std::shared_ptr<policy::PeerBoard>& board() const { return board_; }
  std::uint32_t of(const std::string& endpoint) const { return seats_.at(endpoint); }

  /// A new endpoint, or one that may serve another model now.
  void take(const policy::EndpointFacts& facts);
  /// It is gone and takes nobody's traffic any more.
  void leave(const std::string& endpoint) { board_->change(of(endpoint), {}); }
  void regroup(const std::vector<FeatureConfig>& features);
  /// Who is not heard of, or not there, takes nobody's traffic.
  void post(const policy::HealthView& view);

 private:
  std::shared_ptr<policy::PeerBoard> board_ = std::make_shared<policy::PeerBoard>();
  std::map<std::string, std::uint32_t> seats_;
};

}  // namespace troupe::actors
