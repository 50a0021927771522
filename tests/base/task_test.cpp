// Coroutines: laziness, callbacks that come late or at once, and waiting for many.
#include <troupe/task.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace troupe {
namespace {

using Waiting = std::map<std::string, std::function<void(int)>>;

Task<int> wait_for(Waiting& waiting, std::string name) {
  Callback<int> answer([&waiting, name](std::function<void(int)> done) { waiting[name] = std::move(done); });
  co_return co_await answer;
}

Task<int> sum_of_two(Waiting& waiting) {
  int a = co_await wait_for(waiting, "a");
  int b = co_await wait_for(waiting, "b");
  co_return a + b;
}

TEST(Task, RunsAsItsCallbacksAreAnswered) {
  Waiting waiting;
  int got = 0;
  auto task = sum_of_two(waiting);
  EXPECT_TRUE(waiting.empty()) << "lazy";
  task.start([&](int value) { got = value; });
  waiting.at("a")(1);
  EXPECT_EQ(got, 0);
  waiting.at("b")(2);
  EXPECT_EQ(got, 3);
}

TEST(Task, AnAnswerAfterDestructionIsDropped) {
  Waiting waiting;
  {
    auto task = sum_of_two(waiting);
    task.start([](int) { FAIL(); });
  }
  waiting.at("a")(1);
}

TEST(Task, ASecondAnswerIsIgnored) {
  Waiting waiting;
  int got = 0;
  auto task = sum_of_two(waiting);
  task.start([&](int value) { got = value; });
  auto a = waiting.at("a");
  a(1);
  a(10);
  waiting.at("b")(2);
  EXPECT_EQ(got, 3);
}

TEST(All, KeepsOrderAndItsBound) {
  Waiting waiting;
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(wait_for(waiting, std::to_string(i)));
  std::vector<int> got;
  auto joined = all(std::move(tasks), 2);
  joined.start([&](std::vector<int> values) { got = std::move(values); });
  EXPECT_EQ(waiting.size(), 2u);
  waiting.at("1")(11);
  EXPECT_EQ(waiting.size(), 3u);
  waiting.at("0")(10);
  waiting.at("2")(12);
  waiting.at("4")(14);
  EXPECT_TRUE(got.empty());
  waiting.at("3")(13);
  EXPECT_EQ(got, (std::vector{10, 11, 12, 13, 14}));
}

TEST(All, ManyThatAnswerAtOnceDoNotNest) {
  std::vector<Task<int>> tasks;
  auto ready = [](int i) -> Task<int> { co_return i; };
  for (int i = 0; i < 100'000; ++i) tasks.push_back(ready(i));
  std::size_t got = 0;
  auto joined = all(std::move(tasks), 8);
  joined.start([&](std::vector<int> values) { got = values.size(); });
  EXPECT_EQ(got, 100'000u);
}

TEST(All, OfNothingIsDoneAtOnce) {
  bool done = false;
  auto joined = all(std::vector<Task<int>>{});
  joined.start([&](std::vector<int> values) { done = values.empty(); });
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace troupe
