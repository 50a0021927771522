// What will happen when, on the virtual clock; equal times in the order they were told.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <queue>
#include <vector>

namespace troupe::replay {

enum class EventKind : std::uint32_t { first_token, end };

struct Event {
  Instant at;
  std::uint64_t order = 0;
  std::uint32_t attempt = 0;
  EventKind kind = EventKind::end;
};

/// A binary heap. Not thread-safe.
class EventQueue {
 public:
  /// The event's number, never 0: whoever keeps it can tell whether an event still means anything.
  std::uint64_t push(Instant at, std::uint32_t attempt, EventKind kind) {
    heap_.push({at, ++order_, attempt, kind});
    return order_;
  }
  bool empty() const { return heap_.empty(); }
  const Event& next() const { return heap_.top(); }
  void pop() { heap_.pop(); }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace troupe::replay
