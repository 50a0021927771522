// Events that arrive in pieces add up to whole answers, and cut ones never look whole.
#include <troupe/completion.hpp>

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(CompletionBuilder, JoinsDeltasIntoPartsInOrder) {
  CompletionBuilder builder;
  for (const StreamEvent& event : std::vector<StreamEvent>{
           StreamStarted{"m"}, ReasoningDelta{"th", ""}, ReasoningDelta{"ink", "sig"}, TextDelta{"Hel"},
           TextDelta{"lo"}, ToolUseStarted{0, "t1", "look"}, ToolUseStarted{1, "t2", "noargs"},
           ToolInputDelta{0, R"({"q":)"}, ToolInputDelta{0, R"(1})"}, StreamStopped{StopReason::tool_calls},
           UsageReported{{.input = 3, .output = 4}}})
    builder.add(event);
  ASSERT_TRUE(builder.whole());
  auto got = std::move(builder).take();
  std::vector<Part> want{ReasoningPart{"think", "sig"}, TextPart{"Hello"},
                         ToolUsePart{"t1", "look", {R"({"q":1})"}}, ToolUsePart{"t2", "noargs", {"{}"}}};
  EXPECT_EQ(got.parts, want);
  EXPECT_EQ(got.stop, StopReason::tool_calls);
  EXPECT_EQ(got.usage.output, 4);
  EXPECT_EQ(got.text(), "Hello");
}

TEST(CompletionBuilder, IsNotWholeWithoutItsFinalEvent) {
  CompletionBuilder builder;
  builder.add(TextDelta{"half an ans"});
  EXPECT_FALSE(builder.whole());
}

TEST(CompletionBuilder, IgnoresInputForAToolThatNeverStarted) {
  CompletionBuilder builder;
  builder.add(ToolInputDelta{7, "{}"});
  EXPECT_TRUE(builder.peek().parts.empty());
}

}  // namespace
}  // namespace troupe
