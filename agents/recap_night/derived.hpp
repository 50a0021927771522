// What was made of what: when a message is deleted or edited, everything made of it is stale (MECHANISMS J5).
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace troupe::recap_night {

/// Items are named by their callers: a message by channel and ts and edit, a point, a digest, a cache entry
/// by what they like. An item made of several is stale as soon as one of them is. Not thread-safe.
class Derivations {
 public:
  explicit Derivations(std::size_t items_max = 10'000'000) : items_max_(items_max) {}

  /// `item` was made of `sources`. Said again, the sources add up. False, and nothing is kept, when it would
  /// be one item too many: then it must not be served. Made of something stale it is stale at once, so a
  /// deletion that overtakes the summary it concerns is not lost.
  bool add(const std::string& item, std::span<const std::string> sources);

  /// The source is gone or has changed: it and all that was made of it, directly or not, are stale for ever.
  /// Answers what became stale just now, the source first if it did, each once. Cycles do no harm.
  std::vector<std::string> invalidate(const std::string& source);

  bool stale(const std::string& item) const { return stale_.contains(item); }
  std::size_t size() const { return made_of_it_.size(); }

 private:
  std::size_t items_max_;
  std::map<std::string, std::set<std::string>> made_of_it_;
  std::set<std::string> stale_;
};

}  // namespace troupe::recap_night
