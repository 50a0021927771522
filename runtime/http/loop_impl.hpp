// What stands behind Loop: the io_context, the queue of posted work, and everything that must let go at stop.
#pragma once

#include "runtime/http/asio.hpp"
#include "runtime/http/loop.hpp"

#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace troupe::http {

/// Holds sockets or timers of a loop. When the loop stops it is told so on the loop thread, and must then
/// close them and drop its callbacks without running them: afterwards it may be destroyed at any time, on any
/// thread.
class LoopGuest {
 public:
  virtual ~LoopGuest() = default;
  virtual void let_go() = 0;
};

/// Shared by everything that holds a socket or timer, so that the io_context outlives them in any order of
/// destruction.
struct Loop::Impl {
  Impl();
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Any thread.
  void post(std::function<void()> work);
  bool here() const;
  /// Any thread but the loop's.
  void stop();

  /// Loop thread only. False once the loop is stopping: the guest must then hold nothing.
  bool welcome(const std::shared_ptr<LoopGuest>& guest);
  void farewell(LoopGuest* guest);

  /// Where calls that block on the network may wait, host name look-ups that is; made at the first use. Loop
  /// thread only. Their work may refer to this Impl, which waits for them when it goes.
  asio::thread_pool& look_up_threads();
  static constexpr std::size_t look_up_threads_max = 4;

  asio::io_context io{1};

 private:
  void run();
  void run_posted();
  bool stopping() const;
  void discard_posted();
  void dismiss_guests();

  asio::executor_work_guard<Executing> busy_;
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool wake_pending_ = false;
  bool stopping_ = false;
  std::unordered_map<LoopGuest*, std::weak_ptr<LoopGuest>> guests_;
  std::mutex join_mutex_;
  std::thread thread_;
  // Last, so that it is the first to go.
  std::unique_ptr<asio::thread_pool> look_up_threads_;
};

}  // namespace troupe::http
