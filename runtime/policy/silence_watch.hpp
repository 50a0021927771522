// Which attempts have waited for their first token longer than a healthy endpoint lets one wait. Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::policy {

/// One per endpoint, beside its breaker. An attempt that hangs says so only when a timer ends it, half a
/// minute or more after anybody could have known; asked a moment after its patience is over, it is known
/// then. Costs an entry per attempt begun within the patience and nothing else: whether an attempt has ended
/// meanwhile, or begun to answer, its owner knows. Not thread-safe; allocates only while it grows. A value.
class SilenceWatch {
 public:
  /// More attempts at once than this are not watched: they are judged when they end, as without a watch.
  static constexpr std::size_t watched_max = 1 << 16;

  /// An attempt begins. Not earlier than the one before.
  void began(std::uint64_t attempt, Instant now);
  /// The oldest that began `patience` ago or earlier; each is named once. Ask until there is none. While
  /// `patience` is not known (zero) all are let go.
  std::optional<std::uint64_t> due(Instant now, Duration patience);
  std::size_t watched() const { return used_; }

 private:
  struct Entry {
    Instant began;
    std::uint64_t attempt = 0;
  };
  void grow();
  std::vector<Entry> ring_;  // a power of two of places, the oldest at first_
  std::size_t first_ = 0, used_ = 0;
};

}  // namespace troupe::policy
