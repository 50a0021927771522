// One thread that does one thing after another, for tools whose work takes longer than their callers may
// wait.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe::tools {

/// Thread-safe. Ends after the work now running; what still waits is called with `true`, for cancelled. Not
/// to be destroyed from its own thread.
class Worker {
 public:
  using Work = std::function<void(bool cancelled)>;
  explicit Worker(std::size_t waiting_max);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// False when too much waits already; then `work` is not called.
  bool post(Work work);

 private:
  void run();
  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace troupe::tools
