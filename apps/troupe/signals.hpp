// SIGINT and SIGTERM as a polite request, then as an order.
#pragma once

#include <troupe/time.hpp>

#include <functional>
#include <memory>

namespace troupe::app {

/// While it lives: the first SIGINT or SIGTERM calls `on_first` on a thread of its own, the second ends the
/// process at once with 128 + its number. Make it before any other thread, so that none of them takes the
/// signals. One at a time.
class Signals {
 public:
  /// `on_hangup`: called at each SIGHUP, on that thread; without it SIGHUP ends the process, as usual.
  explicit Signals(std::function<void()> on_first, std::function<void()> on_hangup = {});
  ~Signals();
  bool seen() const;
  /// Blocks until a first signal came.
  void wait() const;
  /// The same for at most `time`.
  void wait_for(Duration time) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::app
