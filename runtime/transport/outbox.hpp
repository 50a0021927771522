// The gateway's thread-safe front: what other threads send and post, within bounds, and the wake-up of a
// sleeper.
#pragma once

#include "runtime/transport/gateway.hpp"

#include <array>
#include <map>
#include <mutex>

namespace troupe::transport {

/// What waits for one peer and lane, wherever it stands.
struct Gauge {
  std::size_t messages = 0, bytes = 0;
};

/// What other threads left for the gateway's thread.
struct Handed {
  std::vector<std::pair<std::string, Outbound>> messages;
  std::vector<std::function<void()>> work;
  bool empty() const { return messages.empty() && work.empty(); }
};

/// Thread-safe. A producer writes to the eventfd only if the consumer sleeps: no system call while it is
/// awake.
class Outbox {
 public:
  Outbox(std::size_t waiting_max, std::size_t waiting_bytes_max);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void add_peer(const std::string& peer);
  void remove_peer(const std::string& peer);
  /// Counts the message as waiting; `refused` at a bound, `not_found` for a peer never added.
  Result<void> admit(const std::string& peer, const Outbound& message);
  /// Admits and leaves it for the consumer, waking it if need be. `unreachable` once closed.
  Result<void> leave(const std::string& peer, Outbound message);
  void leave(std::function<void()> work);
  using Lanes = std::array<Gauge, protocol::kLanes>;
  /// Consumer: what is still waiting there for this peer.
  void settle(const std::string& peer, const Lanes& waiting);

  /// Consumer: takes all there is.
  Handed take();
  /// Consumer: may it sleep? From a true answer on, producers wake it.
  bool fall_asleep();
  /// Consumer: awake again. `rung`: the eventfd was readable, so forget that.
  void wake_up(bool rung);
  int fd() const { return fd_; }

  /// Nothing is taken any more; what is left is destroyed. Wakes the consumer.
  void close();
  bool closed() const;

 private:
  Result<void> admit_locked(const std::string& peer, const Outbound& message);
  void ring();

  mutable std::mutex mutex_;
  std::map<std::string, Lanes> waiting_;  // at the consumer and in handed_
  std::map<std::string, Lanes> left_;     // of these, still in handed_
  Handed handed_;
  std::size_t waiting_max_, waiting_bytes_max_;
  int fd_ = -1;
  bool awake_ = true;
  bool closed_ = false;
};

}  // namespace troupe::transport
