// A lazy coroutine, an awaitable made of a callback, and waiting for many. Single-threaded: whoever calls the
// callbacks drives the coroutine.
#pragma once

#include <coroutine>
#include <deque>
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
/// dropped, and `abandon` is called so that what goes on for nobody can be stopped.
template <class T>
class [[nodiscard]] Callback {
 public:
  Callback(std::function<void(std::function<void(T)>)> begin, std::function<void()> abandon = {})
      : begin_(std::move(begin)), abandon_(std::move(abandon)) {}
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() {
    if (slot_ && !slot_->value && abandon_) abandon_();
  }

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
  std::function<void()> abandon_;
  std::shared_ptr<Slot> slot_;
};

/// Tasks that go at once and whose results are taken as they come: act on the first, start more, stop the
/// rest. Destroying the group destroys its tasks, so nothing in it outlives who waits for it. Used by one
/// coroutine; not movable, because its tasks answer to it.
template <class T>
class TaskGroup {
 public:
  /// What a task gave, and which it was.
  struct Ended {
    std::size_t number = 0;
    T value;
  };

  explicit TaskGroup(std::size_t parallel_max = 64) : parallel_max_(parallel_max == 0 ? 1 : parallel_max) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts it, or keeps it until there is room. Numbers count from 0 in the order of adding.
  std::size_t add(Task<T> task) {
    tasks_.emplace_back(std::move(task));
    pump();
    return tasks_.size() - 1;
  }
  /// Destroys it: what it waits for is abandoned, and `next` never names it. Nothing for one that has ended.
  void cancel(std::size_t number) {
    if (number >= tasks_.size() || !tasks_[number] || finished(number)) return;
    if (number < next_) --running_;
    tasks_[number].reset();
    pump();
  }
  /// Those that have not ended.
  std::size_t left() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tasks_.size(); ++i) count += tasks_[i] && !finished(i) ? 1 : 0;
    return count;
  }

  /// co_await group.next(): the next to end, in the order they end; nothing when none is left.
  auto next() { return Next{*this, {}}; }

 private:
  struct Next {
    TaskGroup& group;
    std::coroutine_handle<> self;
    bool await_ready() const { return !group.ended_.empty() || group.left() == 0; }
    void await_suspend(std::coroutine_handle<> awaiter) { group.awaiter_ = awaiter; }
    std::optional<Ended> await_resume() {
      if (group.ended_.empty()) return std::nullopt;
      auto first = std::move(group.ended_.front());
      group.ended_.pop_front();
      group.tasks_[first.number].reset();
      return first;
    }
  };

  bool finished(std::size_t number) const {
    for (const auto& ended : ended_)
      if (ended.number == number) return true;
    return false;
  }

  // A loop, not recursion, as in `all`.
  void pump() {
    if (pumping_) return;
    pumping_ = true;
    while (next_ < tasks_.size() && running_ < parallel_max_) {
      auto number = next_++;
      if (!tasks_[number]) continue;
      ++running_;
      tasks_[number]->start([this, number](T value) { on_end(number, std::move(value)); });
    }
    pumping_ = false;
  }

  void on_end(std::size_t number, T value) {
    --running_;
    ended_.push_back({number, std::move(value)});
    pump();
    // Whoever is resumed may destroy the group, which nobody may be in the middle of then.
    if (pumping_) return;
    if (auto awaiter = std::exchange(awaiter_, {})) awaiter.resume();
  }

  std::deque<std::optional<Task<T>>> tasks_;
  std::deque<Ended> ended_;
  std::coroutine_handle<> awaiter_;
  std::size_t next_ = 0, running_ = 0, parallel_max_ = 0;
  bool pumping_ = false;
};

/// The first `k` to end, each with its number; the others are destroyed and what they wait for is abandoned.
template <class T>
Task<std::vector<typename TaskGroup<T>::Ended>> first_k(std::vector<Task<T>> tasks, std::size_t k,
                                                        std::size_t parallel_max = 64) {
  TaskGroup<T> group(parallel_max);
  for (auto& task : tasks) group.add(std::move(task));
  std::vector<typename TaskGroup<T>::Ended> out;
  while (out.size() < k) {
    auto next = group.next();
    auto ended = co_await next;
    if (!ended) break;
    out.push_back(std::move(*ended));
  }
  co_return out;
}

/// The first to end; nothing when there are no tasks.
template <class T>
Task<std::optional<typename TaskGroup<T>::Ended>> any(std::vector<Task<T>> tasks) {
  auto racing = first_k(std::move(tasks), 1);
  auto won = co_await racing;
  if (won.empty()) co_return std::nullopt;
  co_return std::move(won.front());
}

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
