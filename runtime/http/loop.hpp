// The I/O thread: sockets, timers and the actors on the request path all run here.
#pragma once

#include "runtime/base/executor.hpp"

#include <troupe/time.hpp>

#include <functional>
#include <memory>

namespace troupe::http {

/// One io_context on one thread of its own. Made and destroyed by the owner; `stop` joins.
class Loop final : public Executor {
 public:
  Loop();
  ~Loop() override;
  void post(std::function<void()> work) override;
  bool here() const override;

  /// Ends the thread after the work now running; pending work, timers and connections are destroyed on it,
  /// without being run: an exchange's on_end and a responder's on_gone stay silent. What their destructors
  /// post is dropped. Idempotent. Not callable from the loop's own thread. Joins a host name look-up still in
  /// progress only when the last client, server or timer is gone.
  void stop();

  /// A pending call; destroying or resetting the handle cancels it. Use on the loop thread only.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  /// Runs `work` on the loop after `delay`. Loop thread only.
  std::unique_ptr<Timer> after(Duration delay, std::function<void()> work);

  struct Impl;
  /// Shared, so that clients, servers and timers may be destroyed after their loop.
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::http
