#include "apps/troupe/signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::app {
namespace {

sigset_t awaited_signals(bool hangup) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR2);  // ours: ends the waiting thread
  if (hangup) sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

struct Signals::Impl {
  std::function<void()> on_first, on_hangup;
  mutable std::mutex mutex;
  mutable std::condition_variable came;
  bool seen = false;
  std::thread thread;

  void wait_for_signals() {
    auto set = awaited_signals(on_hangup != nullptr);
    for (int number = 0; sigwait(&set, &number) == 0 && number != SIGUSR2;) {
      if (number == SIGHUP) {
        on_hangup();
        continue;
      }
      std::unique_lock lock(mutex);
      if (seen) _exit(128 + number);
      seen = true;
      lock.unlock();
      came.notify_all();
      if (on_first) on_first();
    }
  }
};

Signals::Signals(std::function<void()> on_first, std::function<void()> on_hangup)
    : impl_(std::make_unique<Impl>()) {
  impl_->on_first = std::move(on_first);
  impl_->on_hangup = std::move(on_hangup);
  auto set = awaited_signals(impl_->on_hangup != nullptr);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  impl_->thread = std::thread([impl = impl_.get()] { impl->wait_for_signals(); });
}

Signals::~Signals() {
  pthread_kill(impl_->thread.native_handle(), SIGUSR2);
  impl_->thread.join();
}

bool Signals::seen() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}

void Signals::wait() const {
  std::unique_lock lock(impl_->mutex);
  impl_->came.wait(lock, [this] { return impl_->seen; });
}

void Signals::wait_for(Duration time) const {
  std::unique_lock lock(impl_->mutex);
  impl_->came.wait_for(lock, time, [this] { return impl_->seen; });
}

}  // namespace troupe::app
