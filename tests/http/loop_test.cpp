// The loop: order, threads, timers, and a stop that leaves nothing dangling.
#include "runtime/http/loop.hpp"

#include "tests/http/support/exchanges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;
using testing::on_loop;

// Posts from its destructor, as the last reference to an actor may.
struct PostsWhenDestroyed {
  Loop& loop;
  std::atomic<int>& destroyed;
  ~PostsWhenDestroyed() {
    ++destroyed;
    loop.post([] {});
  }
};

TEST(Loop, RunsWorkInOrderOnItsOwnThread) {
  Loop loop;
  EXPECT_FALSE(loop.here());
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
    order.push_back(2);
  });
  EXPECT_TRUE(on_loop(loop, [&] { return loop.here(); }));
  on_loop(loop, [] { return 0; });
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Loop, KeepsTheOrderOfEachOfManyThreads) {
  Loop loop;
  std::vector<std::vector<int>> seen(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) loop.post([&seen, t, i] { seen[t].push_back(i); });
    });
  for (auto& thread : threads) thread.join();
  on_loop(loop, [] { return 0; });
  for (const auto& one : seen) {
    ASSERT_EQ(one.size(), 1000u);
    EXPECT_TRUE(std::ranges::is_sorted(one));
  }
}

TEST(Loop, FiresATimerOnceAndNotACancelledOne) {
  Loop loop;
  std::promise<void> fired;
  int cancelled_fired = 0, times = 0;
  std::unique_ptr<Loop::Timer> kept, cancelled;
  on_loop(loop, [&] {
    cancelled = loop.after(1ms, [&] { ++cancelled_fired; });
    kept = loop.after(20ms, [&] {
      ++times;
      kept.reset();
      fired.set_value();
    });
    cancelled.reset();
    return 0;
  });
  ASSERT_EQ(fired.get_future().wait_for(testing::patience), std::future_status::ready);
  on_loop(loop, [] { return 0; });
  EXPECT_EQ(times, 1);
  EXPECT_EQ(cancelled_fired, 0);
}

TEST(Loop, StopDestroysPendingWorkWhoseDestructorsPost) {
  std::atomic<int> destroyed = 0, ran = 0;
  std::unique_ptr<Loop::Timer> outlives;
  {
    Loop loop;
    std::promise<void> entered, go_on;
    loop.post([&] {
      entered.set_value();
      go_on.get_future().wait();
    });
    entered.get_future().wait();
    for (int i = 0; i < 10; ++i) {
      auto guard = std::make_shared<PostsWhenDestroyed>(loop, destroyed);
      loop.post([guard, &ran] { ++ran; });
    }
    std::thread stopper([&] { loop.stop(); });
    // The stop is under way once posts are refused, that is destroyed at once.
    auto canary = std::make_shared<int>(0);
    std::weak_ptr<int> alive = canary;
    while (!alive.expired()) {
      auto next = std::make_shared<int>(0);
      alive = next;
      loop.post([next] {});
    }
    go_on.set_value();
    stopper.join();
    loop.stop();
    EXPECT_EQ(ran, 0);
    EXPECT_EQ(destroyed, 10);
  }
}

TEST(Loop, StopDestroysTimersAndTheirHandlesMayOutliveTheLoop) {
  std::atomic<int> destroyed = 0;
  std::unique_ptr<Loop::Timer> handle;
  {
    Loop loop;
    on_loop(loop, [&] {
      handle = loop.after(1h, [guard = std::make_shared<PostsWhenDestroyed>(loop, destroyed)] {});
      return 0;
    });
    loop.stop();
    EXPECT_EQ(destroyed, 1);
  }
  handle.reset();
}

}  // namespace
}  // namespace troupe::http
