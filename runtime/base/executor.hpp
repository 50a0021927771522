// A thread that runs what it is given, in order. The I/O loop and the node-to-node gateway are executors.
#pragma once

#include <functional>

namespace troupe {

class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs `work` on this executor's thread, after everything posted before it. Callable from any thread.
  /// Work posted after the executor has stopped is destroyed without running.
  virtual void post(std::function<void()> work) = 0;
  /// Is the caller on this executor's thread?
  virtual bool here() const = 0;
};

}  // namespace troupe
