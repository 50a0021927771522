// An immutable value that one owner replaces and many read: readers keep the pointer they loaded.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace troupe {

/// Thread-safe.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first = std::make_shared<const T>())
      : value_(std::move(first)) {}
  std::shared_ptr<const T> load() const { return value_.load(std::memory_order_acquire); }
  void store(std::shared_ptr<const T> value) { value_.store(std::move(value), std::memory_order_release); }

 private:
  std::atomic<std::shared_ptr<const T>> value_;
};

}  // namespace troupe
