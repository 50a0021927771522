#include "runtime/http/loop_impl.hpp"

#include <cassert>
#include <utility>

namespace troupe::http {
namespace {

thread_local const Loop::Impl* loop_of_this_thread = nullptr;

// What a Timer handle and the waiting operation share.
class PendingCall final : public LoopGuest {
 public:
  PendingCall(std::shared_ptr<Loop::Impl> loop, std::function<void()> work)
      : loop_(std::move(loop)), timer_(loop_->io), work_(std::move(work)) {}

  static void begin(const std::shared_ptr<PendingCall>& self, Duration delay) {
    if (!self->loop_->welcome(self)) return self->let_go();
    self->timer_.expires_after(delay);
    self->timer_.async_wait([self](error_code) { self->fire(); });
  }
  void drop() {
    loop_->farewell(this);
    let_go();
  }
  void let_go() override {
    timer_.cancel();
    // Destroying work may destroy the handle that leads here again.
    auto work = std::exchange(work_, {});
  }

 private:
  void fire() {
    // A cancelled or already queued expiry finds the work gone; the error code cannot tell the second case.
    if (!work_) return;
    loop_->farewell(this);
    auto work = std::exchange(work_, {});
    work();
  }

  std::shared_ptr<Loop::Impl> loop_;
  SteadyTimer timer_;
  std::function<void()> work_;
};

class TimerHandle final : public Loop::Timer {
 public:
  TimerHandle(std::shared_ptr<Loop::Impl> loop, std::shared_ptr<PendingCall> call)
      : loop_(std::move(loop)), call_(std::move(call)) {}
  ~TimerHandle() override {
    // After stop the call holds nothing, and other threads may drop their handles.
    if (loop_->here()) call_->drop();
  }

 private:
  std::shared_ptr<Loop::Impl> loop_;
  std::shared_ptr<PendingCall> call_;
};

}  // namespace

Loop::Impl::Impl() : busy_(io.get_executor()), thread_([this] { run(); }) {}

Loop::Impl::~Impl() { assert(!thread_.joinable()); }

void Loop::Impl::post(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    // Refused work is destroyed by the caller's frame, outside the lock: its destructors may post.
    if (stopping_) return;
    posted_.push_back(std::move(work));
    if (std::exchange(wake_pending_, true)) return;
  }
  asio::post(io, [this] { run_posted(); });
}

bool Loop::Impl::here() const { return loop_of_this_thread == this; }

bool Loop::Impl::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void Loop::Impl::run_posted() {
  std::vector<std::function<void()>> batch;
  {
    std::lock_guard lock(mutex_);
    wake_pending_ = false;
    batch.swap(posted_);
  }
  for (auto& work : batch) {
    if (stopping()) return;
    auto running = std::move(work);
    running();
  }
}

void Loop::Impl::run() {
  loop_of_this_thread = this;
  io.run();
  discard_posted();
  dismiss_guests();
  // Closing sockets queued their handlers with operation_aborted: running those is how they are destroyed
  // while what they refer to still exists.
  io.restart();
  io.poll();
  discard_posted();
  loop_of_this_thread = nullptr;
}

void Loop::Impl::discard_posted() {
  // Declared before the lock, so destroyed after it: destructors may post.
  std::vector<std::function<void()>> batch;
  std::lock_guard lock(mutex_);
  batch.swap(posted_);
}

void Loop::Impl::dismiss_guests() {
  while (!guests_.empty()) {
    auto guest = guests_.begin()->second.lock();
    guests_.erase(guests_.begin());
    if (guest) guest->let_go();
  }
}

void Loop::Impl::stop() {
  assert(!here());
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  std::lock_guard joining(join_mutex_);
  if (!thread_.joinable()) return;
  io.stop();
  thread_.join();
}

bool Loop::Impl::welcome(const std::shared_ptr<LoopGuest>& guest) {
  assert(here());
  if (stopping()) return false;
  guests_.emplace(guest.get(), guest);
  return true;
}

asio::thread_pool& Loop::Impl::look_up_threads() {
  if (!look_up_threads_) look_up_threads_ = std::make_unique<asio::thread_pool>(look_up_threads_max);
  return *look_up_threads_;
}

void Loop::Impl::farewell(LoopGuest* guest) { guests_.erase(guest); }

Loop::Loop() : impl_(std::make_shared<Impl>()) {}
Loop::~Loop() { impl_->stop(); }
void Loop::post(std::function<void()> work) { impl_->post(std::move(work)); }
bool Loop::here() const { return impl_->here(); }
void Loop::stop() { impl_->stop(); }

std::unique_ptr<Loop::Timer> Loop::after(Duration delay, std::function<void()> work) {
  assert(here());
  auto call = std::make_shared<PendingCall>(impl_, std::move(work));
  PendingCall::begin(call, delay);
  return std::make_unique<TimerHandle>(impl_, std::move(call));
}

}  // namespace troupe::http
