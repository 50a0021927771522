// In which order a run's work is done: what is ready; then what is recorded, in the order in which it once
// happened; only then anything new. So a resumed workflow sees its past as it was and begins nothing that its
// past would have stopped. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace troupe::actors {

class RunTurns {
 public:
  using Work = std::function<void()>;

  void ready(Work work) { ready_.push_back(std::move(work)); }
  /// `seq`: the journal's place of what is given again.
  void recorded(std::uint64_t seq, std::string key, Work work) {
    recorded_.insert_or_assign(seq, Keyed{std::move(key), std::move(work)});
  }
  void fresh(std::string key, Work work) { fresh_.push_back({std::move(key), std::move(work)}); }
  /// Nobody waits for that step any more.
  void abandon(const std::string& key) {
    std::erase_if(recorded_, [&](const auto& each) { return each.second.key == key; });
    std::erase_if(fresh_, [&](const Keyed& each) { return each.key == key; });
  }
  /// Nothing new and nothing of the past follows; what is ready still does.
  void close() {
    closed_ = true;
    recorded_.clear();
    fresh_.clear();
  }
  /// The next to do, empty when there is none.
  Work take() {
    if (!ready_.empty()) return pop(ready_);
    if (closed_) return {};
    if (!recorded_.empty()) return std::move(recorded_.extract(recorded_.begin()).mapped().work);
    if (!fresh_.empty()) return pop(fresh_).work;
    return {};
  }
  bool empty() const { return ready_.empty() && recorded_.empty() && fresh_.empty(); }

 private:
  struct Keyed {
    std::string key;
    Work work;
  };
  template <class T>
  static T pop(std::deque<T>& queue) {
    auto first = std::move(queue.front());
    queue.pop_front();
    return first;
  }

  std::deque<Work> ready_;
  std::map<std::uint64_t, Keyed> recorded_;
  std::deque<Keyed> fresh_;
  bool closed_ = false;
};

}  // namespace troupe::actors
