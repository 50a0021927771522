// The simulated prompt cache: who pays for a prefix, and for how long it is kept.
#include "providers/simulator/prompt_cache.hpp"
#include "tests/providers/simulator_support.hpp"

#include <gtest/gtest.h>

namespace troupe::providers::simulator {
namespace {

CompletionRequest with_prefix(const std::string& prefix) {
  CompletionRequest request;
  request.messages.push_back({Role::system, {TextPart{.text = prefix, .cache_point = true}}});
  request.messages.push_back({Role::user, {TextPart{.text = "a question of its own"}}});
  return request;
}

TEST(PromptCache, TheFirstWritesTheNextReadsAndFiveIdleMinutesForget) {  // G7
  PromptCache cache;
  auto request = with_prefix(std::string(4000, 'p'));
  auto first = cache.charge(request, kStart);
  EXPECT_EQ(first.cache_write, 1000);
  EXPECT_EQ(first.cache_read, 0);
  auto second = cache.charge(request, kStart + std::chrono::minutes(4));
  EXPECT_EQ(second.cache_read, 1000);
  EXPECT_EQ(second.input, first.input);
  auto third = cache.charge(request, kStart + std::chrono::minutes(8));
  EXPECT_EQ(third.cache_read, 1000) << "use keeps it";
  EXPECT_EQ(cache.charge(request, kStart + std::chrono::minutes(13)).cache_write, 1000);
}

TEST(PromptCache, AnotherPrefixOrNoMarkIsNoHit) {
  PromptCache cache;
  cache.charge(with_prefix("one prefix"), kStart);
  EXPECT_EQ(cache.charge(with_prefix("another prefix"), kStart).cache_read, 0);
  auto unmarked = with_prefix("one prefix");
  std::get<TextPart>(unmarked.messages[0].parts[0]).cache_point = false;
  auto usage = cache.charge(unmarked, kStart);
  EXPECT_EQ(usage.cache_read + usage.cache_write, 0);
}

TEST(PromptCache, ARefusedCallLeavesNothingBehind) {
  auto to = cloud("one", "anthropic");
  to.limits.in_flight_max = 1;
  auto simulator = simulator_of({.endpoints = {to}});
  auto request = with_prefix(std::string(4000, 'p'));
  auto busy = simulator.respond(wire(to, question()), kStart, kWall);
  EXPECT_NE(simulator.respond(wire(to, request), kStart, kWall).head.status, 200);
  simulator.ended(busy.call, kStart);
  auto heard = hear("anthropic", simulator.respond(wire(to, request), kStart, kWall));
  ASSERT_TRUE(heard.completion);
  EXPECT_EQ(heard.completion->usage.cache_write, 1000);
  EXPECT_EQ(heard.completion->usage.cache_read, 0);
}

TEST(PromptCache, HoldsNoMoreThanItsMaximum) {
  PromptCache cache;
  cache.charge(with_prefix("the oldest"), kStart);
  for (std::size_t i = 0; i < PromptCache::prefixes_max; ++i)
    cache.charge(with_prefix(fmt::format("prefix {}", i)), kStart + std::chrono::seconds(1));
  EXPECT_EQ(cache.charge(with_prefix("the oldest"), kStart + std::chrono::seconds(2)).cache_read, 0);
}

}  // namespace
}  // namespace troupe::providers::simulator
