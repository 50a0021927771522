// A walk along the edges, without recursion: chains may be long.
#include "agents/recap_night/derived.hpp"

namespace troupe::recap_night {

bool Derivations::add(const std::string& item, std::span<const std::string> sources) {
  std::set<std::string> fresh;
  for (const auto& source : sources)
    if (!made_of_it_.contains(source)) fresh.insert(source);
  if (!made_of_it_.contains(item)) fresh.insert(item);
  if (made_of_it_.size() + fresh.size() > items_max_) return false;
  made_of_it_[item];
  bool dead = false;
  for (const auto& source : sources) {
    made_of_it_[source].insert(item);
    dead = dead || stale(source);
  }
  if (dead) invalidate(item);
  return true;
}

std::vector<std::string> Derivations::invalidate(const std::string& source) {
  std::vector<std::string> out;
  std::vector<std::string> next = {source};
  while (!next.empty()) {
    auto item = std::move(next.back());
    next.pop_back();
    if (!stale_.insert(item).second) continue;
    if (auto it = made_of_it_.find(item); it != made_of_it_.end())
      next.insert(next.end(), it->second.begin(), it->second.end());
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace troupe::recap_night
