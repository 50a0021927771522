#include "actors/stand_ins.hpp"

#include "actors/peer.hpp"

namespace troupe::actors {

const std::shared_ptr<Published<StandIns::Names>>& StandIns::owned(const std::string& peer) {
  auto& cell = owned_[peer];
  if (!cell) cell = std::make_shared<Published<Names>>();
  return cell;
}

void StandIns::own(const RemotePeer& peer) {
  Names names;
  for (const auto& facts : peer.endpoints) names.insert(facts.id);
  owned(peer.id)->store(std::make_shared<const Names>(std::move(names)));
}

void StandIns::begin(const RemotePeer& peer, const PeerActor& actor) {
  own(peer);
  for (const auto& facts : peer.endpoints)
    all_[facts.id] = {std::make_shared<const policy::EndpointFacts>(facts),
                      spawn_remote_endpoint(system_, unit_, facts.id, actor, clock_), peer.id};
}

std::vector<RosterEntry> StandIns::change(const RemotePeer& peer, const PeerActor& actor) {
  own(peer);
  auto owned = this->owned(peer.id)->load();
  std::vector<RosterEntry> gone;
  for (auto it = all_.begin(); it != all_.end();) {
    bool stays = it->second.home != peer.id || owned->contains(it->first);
    if (!stays) gone.push_back(it->second);
    it = stays ? std::next(it) : all_.erase(it);
  }
  for (const auto& facts : peer.endpoints) {
    auto& entry = all_[facts.id];
    bool moved = entry.handle && entry.home != peer.id;
    if (moved) gone.push_back(entry);
    if (moved || !entry.handle) entry.handle = spawn_remote_endpoint(system_, unit_, facts.id, actor, clock_);
    entry.facts = std::make_shared<const policy::EndpointFacts>(facts);
    entry.home = peer.id;
  }
  for (auto& each : gone) each.leaving = true;
  return gone;
}

}  // namespace troupe::actors
