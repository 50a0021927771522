#include "runtime/policy/ownership.hpp"

#include <algorithm>
#include <utility>

namespace troupe::policy {

Ownership::Ownership(std::string node, std::uint64_t said, OwnershipPolicy policy)
    : node_(std::move(node)), said_(said), policy_(policy) {}

// ---- what the file says ----

void Ownership::wait(Own& own, Instant now) {
  own.since.reset();
  own.leaving = false;
  own.said = ++said_;
  own.asked = now;
}

void Ownership::claim(const std::string& endpoint, bool named, Instant now) {
  auto [it, added] = own_.try_emplace(endpoint);
  auto& own = it->second;
  own.wanted = true;
  if (std::exchange(own.named, named) != named) ++said_;
  if (added) wait(own, now);
}

void Ownership::serve(const std::string& endpoint, bool named, WallTime since) {
  auto& own = own_[endpoint];
  own = {.named = named};
  own.since = since;
  ++said_;
}

void Ownership::drop(const std::string& endpoint) {
  auto it = own_.find(endpoint);
  if (it == own_.end()) return;
  it->second.wanted = false;
  if (it->second.since) {
    it->second.leaving = true;
    return;
  }
  own_.erase(it);
  ++said_;
}

void Ownership::left(const std::string& endpoint) {
  auto it = own_.find(endpoint);
  if (it == own_.end() || !it->second.leaving) return;
  if (it->second.wanted) return wait(it->second, now_);
  own_.erase(it);
  ++said_;
}

// ---- what others say ----

void Ownership::peer_up(const std::string& peer, Instant now) { peers_[peer] = {now, ++said_, std::nullopt}; }

bool Ownership::heard(const std::string& peer, Claims claims) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return false;
  auto& word = it->second.word;
  bool news = !word || claims.said > word->said;
  if (word && claims.said < word->said) return false;
  word = std::move(claims);
  return news;
}

const Claim* Ownership::clash(const std::string& endpoint, const Own& own, const Peer& peer) const {
  if (!peer.word) return nullptr;
  auto it = peer.word->endpoints.find(endpoint);
  if (it == peer.word->endpoints.end()) return nullptr;
  return own.named || it->second.named ? &it->second : nullptr;
}

// ---- deciding ----

bool Ownership::may_take(const std::string& endpoint, const Own& own, Instant now) const {
  return std::ranges::all_of(peers_, [&](const auto& each) {
    const auto& [name, peer] = each;
    if (const auto* theirs = clash(endpoint, own, peer); theirs && (theirs->since || name < node_))
      return false;
    bool answered = peer.word && peer.word->heard >= std::max(own.said, peer.said);
    return answered || now - std::max(own.asked, peer.up) > policy_.answer_max;
  });
}

bool Ownership::must_leave(const std::string& endpoint, const Own& own) const {
  return std::ranges::any_of(peers_, [&](const auto& each) {
    const auto* theirs = clash(endpoint, own, each.second);
    return theirs && theirs->since &&
           std::pair(theirs->since->ms, each.first) < std::pair(own.since->ms, node_);
  });
}

Ownership::Steps Ownership::decide(Instant now, WallTime wall) {
  now_ = now;
  Steps steps;
  for (auto& [endpoint, own] : own_) {
    if (own.leaving) continue;
    if (own.since && must_leave(endpoint, own)) {
      own.leaving = true;
      steps.leave.push_back(endpoint);
    } else if (!own.since && may_take(endpoint, own, now)) {
      own.since = wall;
      ++said_;
      steps.take.push_back(endpoint);
    }
  }
  return steps;
}

// ---- what is told ----

bool Ownership::serves(const std::string& endpoint) const {
  auto it = own_.find(endpoint);
  return it != own_.end() && it->second.since && !it->second.leaving;
}

Claims Ownership::words_for(const std::string& peer) const {
  Claims out;
  out.said = said_;
  for (const auto& [endpoint, own] : own_) out.endpoints[endpoint] = {own.named, own.since};
  auto it = peers_.find(peer);
  if (it != peers_.end() && it->second.word) out.heard = it->second.word->said;
  return out;
}

std::vector<std::string> Ownership::unanswered() const {
  std::vector<std::string> out;
  for (const auto& [name, peer] : peers_)
    if (!peer.word || peer.word->heard < said_) out.push_back(name);
  return out;
}

std::vector<Ownership::Clash> Ownership::clashes() const {
  std::vector<Clash> out;
  for (const auto& [endpoint, own] : own_)
    for (const auto& [name, peer] : peers_)
      if (const auto* theirs = own.wanted ? clash(endpoint, own, peer) : nullptr)
        out.push_back({endpoint, name, theirs->since.has_value()});
  return out;
}

}  // namespace troupe::policy
