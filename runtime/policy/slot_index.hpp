// Finds things by hash among slots that their owner keeps in a vector.
#pragma once

#include <cstdint>
#include <vector>

namespace troupe::policy {

/// Open addressing with linear probing; an erasure moves what follows back, so nothing is left behind.
/// Allocates only when more is held than ever before. Not thread-safe.
class SlotIndex {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// The slot of this hash for which `same(slot)`, or none.
  template <class Same>
  std::uint32_t find(std::uint64_t hash, const Same& same) const {
    if (cells_.empty()) return none;
    for (auto at = home(hash);; at = next(at)) {
      const auto& cell = cells_[at];
      if (cell.slot == none) return none;
      if (cell.hash == hash && same(cell.slot)) return cell.slot;
    }
  }
  /// What is there must not be inserted again.
  void insert(std::uint64_t hash, std::uint32_t slot) {
    if (2 * ++size_ > cells_.size()) grow();
    place({hash, slot});
  }
  /// What is not there must not be erased.
  void erase(std::uint64_t hash, std::uint32_t slot) {
    auto hole = home(hash);
    while (cells_[hole].slot != slot || cells_[hole].hash != hash) hole = next(hole);
    --size_;
    for (auto at = next(hole); cells_[at].slot != none; at = next(at)) {
      // May this cell stand in the hole, or would it then lie before its home?
      auto reach = (at - home(cells_[at].hash)) & (cells_.size() - 1);
      if (reach < ((at - hole) & (cells_.size() - 1))) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole].slot = none;
  }

 private:
  struct Cell {
    std::uint64_t hash = 0;
    std::uint32_t slot = none;
  };
  // Fibonacci hashing: numbers in a row are spread as well as hashes are.
  std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash * 0x9E3779B97F4A7C15ull) >> 32) & (cells_.size() - 1);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (cells_.size() - 1); }
  void place(Cell cell) {
    auto at = home(cell.hash);
    while (cells_[at].slot != none) at = next(at);
    cells_[at] = cell;
  }
  void grow() {
    std::vector<Cell> old(cells_.empty() ? 16 : 2 * cells_.size());
    old.swap(cells_);
    for (const auto& cell : old)
      if (cell.slot != none) place(cell);
  }

  std::vector<Cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace troupe::policy
