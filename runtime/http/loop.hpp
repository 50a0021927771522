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

  /// Ends the thread after the work now running; pending work, timers and connections are destroyed on it.
  /// Idempotent. Not callable from the loop's own thread.
  void stop();

  /// A pending call; destroying or resetting the handle cancels it. Use on the loop thread only.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  /// Runs `work` on the loop after `delay`. Loop thread only.
  std::unique_ptr<Timer> after(Duration delay, std::function<void()> work);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::http
