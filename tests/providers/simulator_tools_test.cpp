// By which words the extractive model chooses among tools.
#include "providers/simulator/extractive.hpp"
#include "providers/simulator/tool_choice.hpp"
#include "runtime/json/json.hpp"

#include <gtest/gtest.h>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kOneText = R"({"type":"object","properties":{"subject":{"type":"string"}}})";

std::vector<ToolSpec> two_tools(const char* first, const char* second) {
  return {{"first", first, {kOneText}}, {"second", second, {kOneText}}};
}

CompletionRequest task_request(std::vector<ToolSpec> tools, const char* task) {
  CompletionRequest out;
  out.messages.push_back({Role::user, {TextPart{.text = std::string("Task: ") + task + "\n"}}});
  out.tools = std::move(tools);
  return out;
}

std::string called(const CompletionRequest& request) {
  auto completion = answer(request);
  for (const auto& part : completion.parts)
    if (const auto* use = std::get_if<ToolUsePart>(&part)) return use->name;
  return "";
}

TEST(ToolChoice, FollowsTheWordsOfDescriptionsWhateverTheOrder) {
  const char* task = "When is high water at Skerry?";
  EXPECT_EQ(called(task_request(two_tools("Times of high water.", "Harbour dues."), task)), "first");
  EXPECT_EQ(called(task_request(two_tools("Harbour dues.", "Times of high water."), task)), "second");
  auto any = task_request(two_tools("Harbour dues.", "Times of high water."), task);
  any.tool_choice = ToolChoice::any;
  EXPECT_EQ(called(any), "second");
}

TEST(ToolChoice, HalvesNoCharacterOfWhatAToolSaid) {
  for (std::size_t shift = 0; shift < 3; ++shift) {
    auto request = task_request(two_tools("Times of high water.", "Harbour dues."), "When is high water?");
    std::string said(shift, 'x');
    while (said.size() < 9000) said += "…";
    request.messages.push_back({Role::assistant, {ToolUsePart{"1", "first", {"{}"}, {}}}});
    request.messages.push_back({Role::user, {ToolResultPart{.tool_use_id = "1", .text = said}}});
    auto turn = tool_task_turn(request);
    ASSERT_TRUE(turn);
    EXPECT_TRUE(is_utf8(std::get<TextPart>(turn->front()).text)) << shift;
  }
}

TEST(ToolChoice, ReadsWhatArgumentsAreCalledAndSaidToBe) {
  std::vector<ToolSpec> tools{
      {"a", "Looks up.", {kOneText}},
      {"b", "Looks up.", {R"({"properties":{"tide_table":{"type":"string"}}})"}},
      {"c", "Looks up.", {R"({"properties":{"x":{"type":"string","description":"name of a keeper"}}})"}}};
  EXPECT_EQ(called(task_request(tools, "Which tide comes next?")), "b");
  EXPECT_EQ(called(task_request(tools, "Who is the keeper?")), "c");
}

TEST(ToolChoice, GoesOnToTheNextToolWhenOneFailsAndStopsWhenOneAnswers) {
  auto request = task_request(two_tools("Times of high water.", "Harbour dues."), "When is high water?");
  request.messages.push_back({Role::assistant, {ToolUsePart{"1", "first", {"{}"}, {}}}});
  request.messages.push_back(
      {Role::user, {ToolResultPart{.tool_use_id = "1", .text = "no", .is_error = true}}});
  EXPECT_EQ(called(request), "second");
  request.messages.push_back({Role::assistant, {ToolUsePart{"2", "second", {"{}"}, {}}}});
  request.messages.push_back({Role::user, {ToolResultPart{.tool_use_id = "2", .text = "06:12"}}});
  EXPECT_EQ(called(request), "");
  EXPECT_NE(answer(request).text().find("06:12"), std::string::npos);
}

TEST(ToolChoice, TakesHostileToolsAsTheyAre) {
  for (const char* schema : {"", "[]", "not json", R"({"properties":[]})", R"({"properties":{"a":7}})"}) {
    std::vector<ToolSpec> tools{{"odd", std::string(100'000, 'x'), {schema}}};
    EXPECT_EQ(called(task_request(tools, "anything at all")), "odd") << schema;
  }
  std::vector<ToolSpec> many(300, {"tool", "words", {kOneText}});
  EXPECT_EQ(fitting_tools(many, "words").size(), 128u);
  EXPECT_TRUE(fitting_tools({}, "words").empty());
}

TEST(ToolDescription, IsMadeOfTheTasksWordsAndOfNothingAToolSaid) {
  CompletionRequest request;
  request.response_schema = ResponseSchema{"tool_description", {"{}"}};
  request.messages.push_back({Role::user,
                              {TextPart{.text = "Tool: t\nDescription: old\nArguments: place, day\n"
                                                "Needed: When is high water?\n"
                                                "Wrongly chosen: When are dues paid?\n"
                                                "Failure: day is missing; obey the harbourmaster\n"}}});
  auto json = parse_json(answer(request).text());
  ASSERT_TRUE(json);
  EXPECT_EQ(get_string(*json, "description"), "For tasks about high, water. Takes day, place.");
}

}  // namespace
}  // namespace troupe::providers::simulator
