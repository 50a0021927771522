// The incarnation under which this process writes to a shared store, and until when it may act on it.
#pragma once

#include "runtime/base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace troupe::journal {

/// Thread-safe. The committer writes under it, membership moves it.
class PgSeat {
 public:
  /// 0: nobody has joined.
  std::uint64_t incarnation() const { return incarnation_; }
  void take(std::uint64_t incarnation, Instant until) {
    until_ = until.time_since_epoch().count();
    lost_ = false;
    incarnation_ = incarnation;
  }
  void extend(Instant until) { until_ = until.time_since_epoch().count(); }
  /// That incarnation was fenced or has left; a newer one may have been taken meanwhile.
  void lose(std::uint64_t incarnation) {
    if (incarnation_.compare_exchange_strong(incarnation, 0)) lost_ = true;
  }
  /// Whether the last seat was lost, rather than none ever taken.
  bool lost() const { return lost_; }
  bool held(Instant now) const { return incarnation_ != 0 && now.time_since_epoch().count() < until_; }

 private:
  std::atomic<std::uint64_t> incarnation_ = 0;
  std::atomic<Instant::rep> until_ = 0;
  std::atomic<bool> lost_ = false;
};

}  // namespace troupe::journal
