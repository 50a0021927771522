// The progress line: one that renews itself on a terminal, plain lines every few seconds elsewhere.
#pragma once

#include "runtime/base/clock.hpp"

#include <troupe/run.hpp>

#include <mutex>

namespace troupe::app {

/// Thread-safe. Writes to stderr.
class ProgressLine {
 public:
  ProgressLine(bool quiet, Clock& clock);
  void show(const RunProgress& progress);
  /// Ends the line, so that what follows starts on a new one.
  void end();

 private:
  std::mutex mutex_;
  bool quiet_, terminal_, dirty_ = false;
  Clock& clock_;
  Instant began_, shown_;
};

}  // namespace troupe::app
