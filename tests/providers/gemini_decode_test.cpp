// Gemini's answers and streams however they arrive.
#include "providers/vertex/gemini_decode.hpp"
#include "providers/vertex/gemini_encode.hpp"
#include "tests/providers/codec_support.hpp"

#include <fmt/format.h>

namespace troupe::providers {
namespace {

using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& gemini() { return *find_dialect("vertex_gemini"); }

TEST(GeminiCallIds, AreUniqueOverTheTurnsOfAConversation) {  // G5: other providers refuse an id twice
  auto id_in = [](const char* response) {
    auto body = parse_json(fmt::format(
        R"({{"responseId":"{}","candidates":[{{"finishReason":"STOP","content":{{"role":"model","parts":[
        {{"functionCall":{{"name":"look","args":{{}}}}}}]}}}}]}})",
        response));
    auto read = vertex::read_gemini_answer(*body);
    return read ? std::get<ToolUsePart>(read->parts.at(0)).id : read.error().what;
  };
  EXPECT_NE(id_in("turn-1"), id_in("turn-2"));
  EXPECT_EQ(id_in("turn-1"), id_in("turn-1"));
  EXPECT_TRUE(vertex::is_made_call_id(id_in("turn-1")));
  EXPECT_FALSE(vertex::is_made_call_id("call_0_short"));
}

TEST(DecodeGemini, ReadsEveryFieldOfACapturedAnswer) {
  auto text = shared_fixture("vertex/generate_content.response.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto got = gemini().decode({200, {}, text});
  ASSERT_TRUE(got);
  std::vector<Part> want{ReasoningPart{"Let me think", "", {}}, TextPart{"Hi"}, ReasoningPart{"", "c2ln", {}},
                         ToolUsePart{"call_0", "get_weather", {R"({"city":"Paris"})"}, {}}};
  ASSERT_EQ(got->parts.size(), want.size());
  auto& id = std::get<ToolUsePart>(got->parts.back()).id;
  EXPECT_TRUE(id.starts_with("call_0_") && vertex::is_made_call_id(id)) << id;
  id = "call_0";
  EXPECT_EQ(got->parts, want);
  EXPECT_EQ(got->stop, StopReason::tool_calls);
  EXPECT_EQ(got->usage, (Usage{.input = 10, .output = 25, .cache_read = 100, .reasoning = 20}));
  EXPECT_EQ(got->tier, "PROVISIONED_THROUGHPUT");
  EXPECT_EQ(got->model, "gemini-2.5-flash");
  auto extra = unordered(got->extra.text);
  EXPECT_EQ(extra["avgLogprobs"], -0.2);
  EXPECT_EQ(extra["safetyRatings"].size(), 1u);
  EXPECT_EQ(extra["usageMetadata"]["cacheTokensDetails"][0]["tokenCount"], 100);
}

TEST(DecodeGemini, TakesABlockedPromptForFilteredContent) {
  auto got =
      gemini().decode({200,
                       {},
                       R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","blockReasonMessage":"no"},)"
                       R"("usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}})"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::content_filtered);
  EXPECT_EQ(got.error().vendor_text, "no");
  EXPECT_NE(got.error().what.find("PROHIBITED_CONTENT"), std::string::npos);
  if (auto text = shared_fixture("vertex/prompt_blocked.response.json"); !text.empty()) {
    EXPECT_EQ(gemini().decode({200, {}, text}).error().code, Errc::content_filtered);
  }
}

StreamStopped stop_of(const std::string& word, const char* parts = R"([{"text":"x"}])") {
  auto got = gemini().decode({200,
                              {},
                              R"({"candidates":[{"content":{"parts":)" + std::string(parts) +
                                  R"(},"finishReason":")" + word + R"("}]})"});
  return got ? StreamStopped{got->stop, got->unrecognised_stop} : StreamStopped{};
}

TEST(DecodeGemini, KnowsEveryFinishReason) {  // WIRE 6.2
  EXPECT_EQ(stop_of("STOP").reason, StopReason::stop);
  EXPECT_EQ(stop_of("STOP", R"([{"functionCall":{"name":"f"}}])").reason, StopReason::tool_calls);
  EXPECT_EQ(stop_of("MAX_TOKENS").reason, StopReason::length);
  EXPECT_EQ(stop_of("CONTINUATION").reason, StopReason::pause);
  for (const auto* word : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
                           "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER"})
    EXPECT_EQ(stop_of(word), (StreamStopped{StopReason::content_filter, {}})) << word;
  for (const auto* word : {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER",
                           "LANGUAGE", "NO_IMAGE"})
    EXPECT_EQ(stop_of(word), (StreamStopped{StopReason::model_error, {}})) << word;
  EXPECT_EQ(stop_of("NEW_REASON"), (StreamStopped{StopReason::model_error, "NEW_REASON"}));
}

TEST(DecodeGemini, NeverTakesHalfAnAnswerForAWholeOne) {
  for (const auto* body : {"", "{}", "[]", "null", "7", R"({"candidates":[]})", R"({"candidates":7})",
                           R"({"candidates":[{"content":{"parts":[{"text":"x"}]}}]})",
                           R"({"candidates":[{"content":[],"finishReason":7}]})"}) {
    auto got = gemini().decode({200, {}, body});
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::stream_broken) << body;
    EXPECT_TRUE(got.error().maybe_billed);
  }
}

TEST(DecodeGemini, AddsUpNoNonsense) {
  auto usage = [](const char* text) {
    return gemini()
        .decode({200,
                 {},
                 R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":)" + std::string(text) + "}"})
        ->usage;
  };
  EXPECT_EQ(usage(R"({"promptTokenCount":5,"cachedContentTokenCount":9})"), (Usage{.cache_read = 9}));
  EXPECT_EQ(usage(R"({"promptTokenCount":-5,"candidatesTokenCount":1.5})"), Usage{});
  auto huge =
      usage(R"({"candidatesTokenCount":9223372036854775807,"thoughtsTokenCount":9223372036854775807})");
  EXPECT_GT(huge.output, 0);
  EXPECT_EQ(usage(R"({"promptTokenCount":18446744073709551615})").input, 0);
}

std::string calls_and_text(const char* name) { return codec_test::golden(std::string("vertex/") + name); }

TEST(GeminiStream, ReadsTextThoughtsUsageAndTier) {
  auto got = decode_whole(gemini(), calls_and_text("text.sse"));
  ASSERT_TRUE(got.fed && got.finished);
  auto sum = got.sum();
  std::vector<Part> want{ReasoningPart{"Plan: greet", "", {}}, TextPart{"Grüß Gott €😀"},
                         ReasoningPart{"", "c2ln", {}}};
  EXPECT_EQ(sum.parts, want);
  EXPECT_EQ(sum.usage, (Usage{.input = 24, .output = 15, .cache_read = 30, .reasoning = 9}));
  EXPECT_EQ(sum.tier, "PROVISIONED_THROUGHPUT");
  EXPECT_EQ(sum.extra.text, R"({"avgLogprobs":-0.25})");
}

TEST(GeminiStream, ReadsParallelCallsAndSkipsWhatItDoesNotKnow) {
  auto got = decode_whole(gemini(), calls_and_text("calls.sse"));
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<Part> want{ToolUsePart{"call_0", "look", {R"({"q":"a"})"}, "QUJD"},
                         ToolUsePart{"own", "look", {"{}"}, {}}, ToolUsePart{"call_2", "wait", {"{}"}, {}}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
}

TEST(GeminiStream, ReadsTheSameHoweverSplitAndNeverLooksWholeWhenCut) {
  for (const auto* name : {"text.sse", "calls.sse"}) {
    codec_test::expect_same_however_split(gemini(), calls_and_text(name));
    codec_test::expect_truncation_shows(gemini(), calls_and_text(name));
  }
}

constexpr const char* kPartial = R"(data: {"candidates":[{"content":{"parts":[{"text":"partial"}]}}]})";

TEST(GeminiStream, EndsWithAnErrorHoweverItIsSaid) {
  const std::string error = R"({"error":{"code":503,"message":"a \"}\" here","status":"UNAVAILABLE"}})";
  const std::vector<std::string> forms{
      "data: " + error + "\n\n",
      error + "\n\n",
      error,
      "[" + error + "]",
      "[{\n  \"error\": {\n    \"code\": 503,\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n]\n",
      "data: [" + error + "]\r\n\r\n"};
  for (const auto& said : forms) {
    auto bytes = kPartial + std::string("\n\n") + said;
    auto got = decode_whole(gemini(), bytes);
    ASSERT_NE(got.error(), nullptr) << said;
    EXPECT_EQ(got.error()->code, Errc::overloaded) << said;
    EXPECT_TRUE(got.error()->maybe_billed);
    EXPECT_EQ(got.sum().text(), "partial");
    codec_test::expect_same_however_split(gemini(), bytes);
  }
}

TEST(GeminiStream, BoundsABareError) {
  auto decoder = gemini().stream_decoder();
  std::vector<StreamEvent> out;
  EXPECT_TRUE(decoder->feed("{\"error\":\"" + std::string(1'000'000, 'x'), out));
  auto over = decoder->feed(std::string(100'000, 'x'), out);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::stream_broken);
}

TEST(GeminiStream, RefusesContentAfterTheEndAndChunksOfOtherShapes) {
  auto broken = [](const std::string& bytes) {
    auto got = decode_whole(gemini(), bytes);
    return got.error() != nullptr && got.error()->code == Errc::stream_broken;
  };
  auto end = std::string(R"(data: {"candidates":[{"finishReason":"STOP"}]})") + "\n\n";
  EXPECT_FALSE(broken(end));
  EXPECT_TRUE(broken(end + kPartial + "\n\n"));
  EXPECT_FALSE(broken(end + "data: {\"usageMetadata\":{\"totalTokenCount\":1}}\n\n"));
  for (const auto* data : {"7", "[]", "{", "null", "\xff", "[DONE]"})
    EXPECT_TRUE(broken(std::string("data: ") + data + "\n\n")) << data;
  EXPECT_TRUE(broken("data: " + std::string(100'000, '[') + "\n\n"));
}

TEST(GeminiStream, ReadsTheCapturedStreams) {
  auto whole = shared_fixture("vertex/stream_generate_content.sse");
  if (whole.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto got = decode_whole(gemini(), whole);
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<Part> want{ReasoningPart{"Let me think", "", {}}, TextPart{"héllo €😀"}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().usage, (Usage{.input = 10, .output = 25, .cache_read = 100, .reasoning = 20}));
  codec_test::expect_truncation_shows(gemini(), whole);
  auto failed = decode_whole(gemini(), shared_fixture("vertex/stream_midstream_error.sse"));
  ASSERT_NE(failed.error(), nullptr);
  EXPECT_EQ(failed.error()->code, Errc::overloaded);
  EXPECT_EQ(failed.sum().text(), "partial");
}

}  // namespace
}  // namespace troupe::providers
