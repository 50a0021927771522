// Which messages a recap has not seen yet, however they arrive (MECHANISMS K7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace troupe::recap_night {

struct SeenMessage {
  /// Slack's ts: an id, and the time in microseconds.
  std::string ts;
  std::int64_t at_us = 0;
  friend auto operator<=>(const SeenMessage&, const SeenMessage&) = default;
};

/// Up to where a channel was recapped. A value, to be stored with the recap in one transaction: then a crash
/// repeats or skips nothing. Messages may come in any order and more than once; one that comes later than
/// `lateness_us` after a newer one is not new any more, which bounds what must be remembered.
class Cursor {
 public:
  explicit Cursor(std::int64_t lateness_us = 3'600'000'000) : lateness_us_(lateness_us) {}

  /// Those not taken before, by time and ts; they are taken now. The same batch again gives nothing.
  std::vector<SeenMessage> take(std::span<const SeenMessage> batch);

  /// Nothing up to here is ever new again.
  std::int64_t floor_us() const { return floor_us_; }
  /// How many ids it remembers.
  std::size_t remembered() const { return seen_.size(); }

 private:
  std::int64_t lateness_us_;
  std::int64_t newest_us_ = INT64_MIN, floor_us_ = INT64_MIN;
  std::set<std::pair<std::int64_t, std::string>> seen_;
};

}  // namespace troupe::recap_night
