// A heap of slots by moment or number, in which what was removed elsewhere lies dead until it comes up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace troupe::policy {

/// The least key first, ties by `tie`. An entry is alive while its slot still has the stamp it was pushed
/// with; the owner knows and says so. Dead ones are at most half, plus a few. Allocates only when more is
/// held than ever before. Not thread-safe.
template <class Key>
class LazyHeap {
 public:
  struct Entry {
    Key key{};
    std::uint64_t tie = 0;
    std::uint32_t slot = 0, stamp = 0;
  };

  void push(Entry entry) {
    entries_.push_back(entry);
    std::push_heap(entries_.begin(), entries_.end(), later);
  }
  /// The first that is alive, or nullptr. Valid until the heap is changed.
  template <class Alive>
  const Entry* top(const Alive& alive) {
    while (!entries_.empty() && !alive(entries_.front())) {
      pop();
      --dead_;
    }
    return entries_.empty() ? nullptr : &entries_.front();
  }
  /// Does even the first, dead or alive, come after `key`? Cheaper than `top`: nothing dead is cleared away.
  bool all_after(const Key& key) const { return entries_.empty() || key < entries_.front().key; }
  void pop() {
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entries_.pop_back();
  }
  /// One entry, wherever it is, has died.
  template <class Alive>
  void bury_one(const Alive& alive) {
    constexpr std::size_t few = 64;
    if (++dead_ <= entries_.size() / 2 + few) return;
    std::erase_if(entries_, [&](const Entry& entry) { return !alive(entry); });
    std::make_heap(entries_.begin(), entries_.end(), later);
    dead_ = 0;
  }
  std::size_t alive_count() const { return entries_.size() - dead_; }

 private:
  static bool later(const Entry& a, const Entry& b) {
    return b.key < a.key || (!(a.key < b.key) && b.tie < a.tie);
  }
  std::vector<Entry> entries_;
  std::size_t dead_ = 0;
};

}  // namespace troupe::policy
