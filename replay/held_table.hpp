// Values by a number of their own, for those that come and go by the million.
#pragma once

#include "runtime/policy/slot_index.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace troupe::replay {

/// Allocates only when more is held than ever before; pointers last until the next `put`. Not thread-safe.
template <class T>
class HeldTable {
 public:
  /// What is held must not be put again.
  void put(std::uint64_t key, T value) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(entries_.size()));
      entries_.emplace_back();
    }
    auto slot = free_.back();
    free_.pop_back();
    entries_[slot] = {key, std::move(value)};
    index_.insert(key, slot);
  }
  /// nullptr: not held.
  const T* find(std::uint64_t key) const {
    auto slot = slot_of(key);
    return slot == policy::SlotIndex::none ? nullptr : &entries_[slot].second;
  }
  T* find(std::uint64_t key) { return const_cast<T*>(std::as_const(*this).find(key)); }
  /// The value, which is held no longer; a default one when it was not.
  T take(std::uint64_t key) {
    auto slot = slot_of(key);
    if (slot == policy::SlotIndex::none) return {};
    index_.erase(key, slot);
    free_.push_back(slot);
    return std::move(entries_[slot].second);
  }

 private:
  std::uint32_t slot_of(std::uint64_t key) const {
    return index_.find(key, [&](std::uint32_t slot) { return entries_[slot].first == key; });
  }

  std::vector<std::pair<std::uint64_t, T>> entries_;
  std::vector<std::uint32_t> free_;
  policy::SlotIndex index_;
};

}  // namespace troupe::replay
