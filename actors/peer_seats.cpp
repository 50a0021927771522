#include "actors/peer_seats.hpp"

#include "actors/feature_queue.hpp"
#include "runtime/policy/peer_groups.hpp"

#include <utility>

namespace troupe::actors {

void PeerSeats::take(const policy::EndpointFacts& facts) {
  auto seat = seats_.find(facts.id);
  if (seat == seats_.end())
    seats_[facts.id] = board_->add(facts.model);
  else
    board_->change(seat->second, facts.model);
}

void PeerSeats::regroup(const std::vector<FeatureConfig>& features) {
  std::vector<std::vector<std::string>> groups;
  for (const auto& each : features) {
    const auto& rules = each.dispatch.rules;
    groups.push_back(policy::peer_group(rules.feature, rules.hierarchy, each.leads.get()));
  }
  board_->regroup(std::move(groups));
}

void PeerSeats::post(const policy::HealthView& view) {
  bool closed = view.reachable && view.state == policy::BreakerState::closed;
  board_->post(of(view.endpoint), closed, {});
}

}  // namespace troupe::actors
