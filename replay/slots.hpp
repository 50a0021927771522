// Values in places that are used again: no allocation once there are as many as ever at once.
#pragma once

#include <cstdint>
#include <vector>

namespace troupe::replay {

/// References last until the next `take`.
template <class T>
class Slots {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      items_.emplace_back();
      return static_cast<std::uint32_t>(items_.size() - 1);
    }
    auto slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(std::uint32_t slot) { free_.push_back(slot); }
  T& operator[](std::uint32_t slot) { return items_[slot]; }
  /// Places there are, in use or not.
  std::uint32_t places() const { return static_cast<std::uint32_t>(items_.size()); }
  std::size_t used() const { return items_.size() - free_.size(); }

 private:
  std::vector<T> items_;
  std::vector<std::uint32_t> free_;
};

}  // namespace troupe::replay
