// The thread that keeps a seat in a shared store and listens for hints.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/journal/postgres_connection.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace troupe::journal {

/// Wakes a thread that waits for a descriptor. Any thread.
class WakeDescriptor {
 public:
  WakeDescriptor();
  ~WakeDescriptor();
  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;

  void wake();
  void clear();
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class PgHeartbeat {
 public:
  /// Called on its thread.
  struct Seat {
    std::function<Result<void>()> renew;
    std::function<bool()> taken;
  };
  /// `clock` must outlive it, and so must whatever `seat` refers to.
  PgHeartbeat(PgTarget target, std::string channel, const Clock& clock, Duration renew_every, Seat seat);
  ~PgHeartbeat();

  /// As Membership::watch.
  void watch(std::function<void(const std::string&)> hint);
  /// A seat was taken: looks anew at what is due.
  void wake() { wake_.wake(); }
  const std::string& channel() const { return channel_; }

 private:
  void work();
  bool stopping();
  bool watched();
  void renew_if_due(Instant now);
  void tick_if_due(Instant now);
  Duration until_next(Instant now, bool with_ticks);
  void wait(Duration longest);
  void listen(Duration longest);
  void tell(const std::string& topic);

  PgTarget target_;
  std::string channel_;
  const Clock& clock_;
  Duration renew_every_;
  Seat seat_;

  std::mutex mutex_;
  bool stopping_ = false;
  std::mutex hint_mutex_;
  std::function<void(const std::string&)> hint_;

  /// The thread's own.
  std::optional<PgConnection> listening_;
  Instant next_renewal_{}, next_tick_{};
  bool renewed_ = true;
  WakeDescriptor wake_;
  std::thread thread_;
};

}  // namespace troupe::journal
