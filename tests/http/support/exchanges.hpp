// What client tests say: start an exchange, wait for how it ended.
#pragma once

#include "runtime/http/client.hpp"

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace troupe::http::testing {

/// Longer than any test may take; only a failing test waits for it.
inline constexpr auto patience = std::chrono::seconds(20);

/// Runs `work` on the loop and gives its result.
template <class Work>
auto on_loop(Loop& loop, Work work) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto result = task.get_future();
  auto shared = std::make_shared<decltype(task)>(std::move(task));
  loop.post([shared] { (*shared)(); });
  return result.get();
}

/// Whether `met` comes true in time; asked again and again, so `met` should take a turn on the loop.
template <class Met>
bool eventually(Met met) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (!met()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A sink that remembers, and can be waited for from the test's thread.
class Recorder : public ExchangeSink {
 public:
  void on_head(const ResponseHead& got) override {
    std::lock_guard lock(mutex_);
    ++heads;
    head = got;
    if (at_head) at_head();
    changed_.notify_all();
  }
  void on_body(std::string_view bytes) override {
    std::lock_guard lock(mutex_);
    ++pieces;
    body += bytes;
    if (at_body) at_body();
    changed_.notify_all();
  }
  void on_end(Result<void> result) override {
    std::lock_guard lock(mutex_);
    ++ends;
    ended = std::move(result);
    changed_.notify_all();
  }
  /// False when it did not end in time.
  bool wait_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return ends > 0; });
  }
  bool wait_body(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return body.size() >= bytes; });
  }
  bool succeeded() const { return ended && ended->has_value(); }
  Error error() const {
    return ended && !*ended ? ended->error() : make_error(Errc::internal, "it did not fail");
  }

  // To be read when it has ended.
  int heads = 0, pieces = 0, ends = 0;
  ResponseHead head;
  std::string body;
  std::optional<Result<void>> ended;
  /// Called on the loop.
  std::function<void()> at_head, at_body;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

struct Asked {
  std::shared_ptr<Recorder> sink;
  std::shared_ptr<Exchange> exchange;
};

inline Request post_request(std::string body = "{}") {
  return {.method = "POST",
          .target = "/v1/x?y=1",
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body)};
}

inline Origin local(unsigned short port, bool tls = false, std::string host = "127.0.0.1") {
  return {tls, std::move(host), port};
}

inline Asked ask(Loop& loop, Client& client, const Origin& origin, Request request = post_request(),
                 const Timeouts& timeouts = {},
                 std::shared_ptr<Recorder> sink = std::make_shared<Recorder>()) {
  auto exchange = on_loop(loop, [&] { return client.start(origin, std::move(request), timeouts, sink); });
  return {std::move(sink), std::move(exchange)};
}

/// Asks and waits for the end.
inline std::shared_ptr<Recorder> ask_and_wait(Loop& loop, Client& client, const Origin& origin,
                                              Request request = post_request(),
                                              const Timeouts& timeouts = {}) {
  auto asked = ask(loop, client, origin, std::move(request), timeouts);
  asked.sink->wait_end();
  return asked.sink;
}

}  // namespace troupe::http::testing
