// Typed calls: read, validate, ask again.
#include <troupe/structured.hpp>

#include "tests/support/scripted_driver.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::ScriptedDriver;

constexpr const char* kShape =
    R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false})";

CompletionRequest shaped_request(std::string schema = kShape) {
  CompletionRequest request;
  request.feature = "test";
  request.messages.push_back({Role::user, {TextPart{.text = "a number, please"}}});
  request.response_schema = ResponseSchema{"number", {std::move(schema)}};
  return request;
}

// Says these in turn, then the last for ever.
ScriptedDriver::Model saying(std::vector<std::string> texts) {
  auto next = std::make_shared<std::size_t>(0);
  return [texts = std::move(texts), next](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return testing::text_completion(texts[std::min((*next)++, texts.size() - 1)]);
  };
}

Result<StructuredAnswer> asked(ScriptedDriver& driver, CompletionRequest request, int repairs = 2) {
  Workflow wf(driver);
  auto out = testing::drive(driver, complete_json(wf, {"ask", "1"}, std::move(request), repairs));
  return out ? std::move(*out) : fail(Errc::internal, "it hung");
}

TEST(CompleteJson, TakesAnAnswerThatFits) {
  ScriptedDriver driver(saying({R"({"n":7})"}));
  auto answer = asked(driver, shaped_request());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value.text, R"({"n":7})");
  EXPECT_EQ(driver.bought.size(), 1u);
}

TEST(CompleteJson, ReadsThroughFencesAndProse) {
  for (const char* text : {"```json\n{\"n\":7}\n```", "Here you are: {\"n\": 7}. Anything else?"}) {
    ScriptedDriver driver(saying({text}));
    auto answer = asked(driver, shaped_request());
    ASSERT_TRUE(answer) << text;
    EXPECT_EQ(answer->value.text, R"({"n":7})");
  }
}

TEST(CompleteJson, AsksAgainWithTheReason) {
  ScriptedDriver driver(saying({R"({"n":"seven"})", "", R"({"n":7})"}));
  auto answer = asked(driver, shaped_request());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->answers.size(), 3u);
  const auto& last = driver.bought_requests[1].messages.back();
  EXPECT_NE(std::get<TextPart>(last.parts[0]).text.find("n: expected integer"), std::string::npos);
  EXPECT_EQ(driver.bought[1].str(), "ask/1/repair-1");
}

TEST(CompleteJson, GivesUpAfterItsRepairs) {
  ScriptedDriver driver(saying({"never JSON"}));
  auto answer = asked(driver, shaped_request(), 2);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::invalid_input);
  EXPECT_EQ(driver.bought.size(), 3u);
  ScriptedDriver bounded(saying({"never JSON"}));
  EXPECT_FALSE(asked(bounded, shaped_request(), 1'000'000));
  EXPECT_EQ(bounded.bought.size(), 9u);
}

TEST(CompleteJson, AsksNothingForASchemaItCannotJudge) {
  for (const char* schema : {R"({"$ref":"x"})", "not JSON", R"({"type":7})"}) {
    ScriptedDriver driver(saying({"{}"}));
    EXPECT_FALSE(asked(driver, shaped_request(schema)));
    EXPECT_TRUE(driver.bought.empty()) << schema;
  }
}

TEST(CompleteJson, DoesNotRepairARefusal) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    auto out = testing::text_completion("no");
    out.stop = StopReason::content_filter;
    return out;
  });
  auto answer = asked(driver, shaped_request());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::content_filtered);
  EXPECT_EQ(driver.bought.size(), 1u);
}

TEST(RequestHash, ChangesWithWhatDecidesTheAnswerOnly) {
  auto request = shaped_request();
  auto hash = request_hash(request);
  auto other = request;
  other.tenant = "else";
  other.deadline = std::chrono::seconds(1);
  other.labels["a"] = "b";
  EXPECT_EQ(request_hash(other), hash);
  other.messages[0].parts[0] = TextPart{.text = "two numbers, please"};
  EXPECT_NE(request_hash(other), hash);
  auto tools = request;
  tools.tools.push_back({"search", "finds", {"{}"}});
  EXPECT_NE(request_hash(tools), hash);
}

}  // namespace
}  // namespace troupe
