// The first look at a long transcript: that it is asked for at once, and that nothing depends on it (K1).
#include "agents/summary/live.hpp"
#include "tests/agents/summary_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::summary {
namespace {

using summary_test::calls_of;
using summary_test::chat;
using summary_test::made;
using summary_test::mark_lines;
using summary_test::marking_model;
using summary_test::outcome;
using summary_test::small_chunks;
using summary_test::small_chunks_and_a_look;
using testing::ScriptedDriver;

// What says most needs nobody's points.
TEST(SummaryFirstLook, OfALongWindowBeginsWithAFirstLookThatStreams) {
  ScriptedDriver driver(marking_model(2));
  auto summary = made(driver, chat(200), small_chunks_and_a_look());
  EXPECT_EQ(driver.asked.front().name, kFirstLookStep) << "asked before any chunk";
  const auto& look = driver.bought_requests[static_cast<std::size_t>(
      std::ranges::find(driver.bought, kFirstLookStep, &StepKey::name) - driver.bought.begin())];
  EXPECT_TRUE(look.stream);
  EXPECT_EQ(calls_of(driver, kFirstLookStep), 1u);
  EXPECT_GT(summary["first_look"]["tokens"], 100);
  EXPECT_LE(summary["first_look"]["tokens"], 300);

  ScriptedDriver off(marking_model(2));
  auto without = made(off, chat(200), small_chunks());
  EXPECT_EQ(calls_of(off, kFirstLookStep), 0u);
  summary.erase("first_look");
  EXPECT_EQ(summary, without) << "nothing depends on it";
  for (auto one_more : {SummaryInput{}, small_chunks_and_a_look()}) {
    one_more.parallel_max = one_more.chunk_tokens_max == 300 ? 1 : 16;
    ScriptedDriver none(marking_model(2));
    ASSERT_TRUE(outcome(none, chat(one_more.parallel_max == 1 ? 200 : 20), one_more));
    EXPECT_EQ(calls_of(none, kFirstLookStep), 0u) << "one call is enough, or all there is room for";
  }
}

TEST(SummaryFirstLook, ALookThatFailsCostsNothingElse) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.name == kFirstLookStep) return fail(Errc::overloaded, "down");
    return mark_lines(request, 2);
  });
  auto summary = made(driver, chat(200), small_chunks_and_a_look());
  EXPECT_EQ(find(summary, "first_look"), nullptr);
  EXPECT_GT(summary["points"].size(), 3u);
  EXPECT_TRUE(summary["problems"].empty());
}

}  // namespace
}  // namespace troupe::summary
