// The checkpoint thread and its four phases.
#include "runtime/journal/checkpointer.hpp"

#include "runtime/base/log.hpp"

#include <utility>

namespace troupe::journal {

Checkpointer::Checkpointer(Connection connection)
    : connection_(std::move(connection)), thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard lock(mutex_);
    phase_ = Phase::stopping;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::request() {
  {
    std::lock_guard lock(mutex_);
    if (phase_ != Phase::idle) return;
    phase_ = Phase::requested;
  }
  wake_.notify_one();
}

bool Checkpointer::take_finished() {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::finished) return false;
  phase_ = Phase::idle;
  return true;
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return phase_ == Phase::requested || phase_ == Phase::stopping; });
    if (phase_ == Phase::stopping) return;
    lock.unlock();
    // Nothing is lost when it fails: the log keeps everything, and commits will meet the same disk.
    if (auto done = connection_.checkpoint(); !done) log::warn("journal", done.error().what);
    lock.lock();
    if (phase_ == Phase::requested) phase_ = Phase::finished;
  }
}

}  // namespace troupe::journal
