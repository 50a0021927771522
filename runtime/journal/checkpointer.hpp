// Folds the write-ahead log into the file while commits go on.
#pragma once

#include "runtime/journal/database.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::journal {

/// A thread with a connection of its own. It does the long part of a checkpoint; what was committed meanwhile
/// is left for the committer to fold in between two commits, which is short. Without that last part a log
/// that is always written to would never start over and grow for ever.
class Checkpointer {
 public:
  explicit Checkpointer(Connection connection);
  ~Checkpointer();

  /// One more checkpoint, unless one is under way. Any thread.
  void request();
  /// True once after each checkpoint that ended. Any thread.
  bool take_finished();

 private:
  enum class Phase { idle, requested, finished, stopping };
  void work();

  Connection connection_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Phase phase_ = Phase::idle;
  std::thread thread_;
};

}  // namespace troupe::journal
