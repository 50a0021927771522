// A lazy coroutine, an awaitable made of a callback, and waiting for many. Single-threaded: whoever calls the
// callbacks drives the coroutine.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// A coroutine that starts when awaited (or by `start`) and resumes its awaiter when done. Move-only;
/// destroying it destroys the suspended coroutine and everything it holds. Nothing of ours throws, so an
/// exception is a bug: it terminates.
template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> awaiter;
    std::function<void(T)> on_done;

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        auto& promise = self.promise();
        if (promise.on_done) {
          // The callback may destroy this coroutine, so it and the value leave the frame first.
          auto done = std::move(promise.on_done);
          auto result = std::move(*promise.value);
          done(std::move(result));
          return std::noop_coroutine();
        }
        return promise.awaiter ? promise.awaiter : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : self_(std::exchange(other.self_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (self_) self_.destroy();
      self_ = std::exchange(other.self_, {});
    }
    return *this;
  }
  ~Task() {
    if (self_) self_.destroy();
  }

  /// Runs until the first suspension; `done` gets the result when there is one. The Task must outlive that.
  void start(std::function<void(T)> done) {
    self_.promise().on_done = std::move(done);
    self_.resume();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) {
    self_.promise().awaiter = awaiter;
    return self_;
  }
  T await_resume() { return std::move(*self_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> self) : self_(self) {}
  std::coroutine_handle<promise_type> self_;
};

/// Awaits whatever answers through a callback. If the awaiting coroutine is destroyed first, a late answer is
/// dropped.
template <class T>
class [[nodiscard]] Callback {
 public:
  Callback(std::function<void(std::function<void(T)>)> begin) : begin_(std::move(begin)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    slot_ = std::make_shared<Slot>();
    slot_->awaiter = awaiter;
    // Moved out first: answering resumes the coroutine, which destroys this awaitable.
    auto begin = std::move(begin_);
    begin([slot = std::weak_ptr<Slot>(slot_)](T value) {
      auto alive = slot.lock();
      if (!alive || alive->value) return;
      alive->value.emplace(std::move(value));
      alive->awaiter.resume();
    });
  }
  T await_resume() { return std::move(*slot_->value); }

 private:
  struct Slot {
    std::optional<T> value;
    std::coroutine_handle<> awaiter;
  };
  std::function<void(std::function<void(T)>)> begin_;
  std::shared_ptr<Slot> slot_;
};

/// Runs every task concurrently (at most `parallel_max` at once) and gives the results in the order of the
/// tasks.
template <class T>
Task<std::vector<T>> all(std::vector<Task<T>> tasks, std::size_t parallel_max = 64) {
  struct State {
    std::vector<Task<T>> tasks;
    std::vector<std::optional<T>> results;
    std::size_t next = 0, done = 0, running = 0, parallel_max = 0;
    bool pumping = false;
    std::function<void(bool)> finished;

    // A loop, not recursion: a thousand tasks that answer at once must not nest a thousand frames.
    void pump() {
      if (pumping) return;
      pumping = true;
      while (next < tasks.size() && running < parallel_max) {
        auto i = next++;
        ++running;
        tasks[i].start([this, i](T value) {
          results[i].emplace(std::move(value));
          ++done;
          --running;
          if (!pumping) pump();
        });
      }
      pumping = false;
      if (done == tasks.size() && finished) std::exchange(finished, {})(true);
    }
  };
  auto state = std::make_unique<State>();
  state->tasks = std::move(tasks);
  state->results.resize(state->tasks.size());
  state->parallel_max = parallel_max == 0 ? 1 : parallel_max;
  if (!state->tasks.empty()) {
    Callback<bool> joined([s = state.get()](std::function<void(bool)> finished) {
      s->finished = std::move(finished);
      s->pump();
    });
    co_await joined;
  }
  std::vector<T> out;
  out.reserve(state->results.size());
  for (auto& result : state->results) out.push_back(std::move(*result));
  co_return out;
}

}  // namespace troupe
