// The Bedrock dialect: requests as captured, answers and streams however they arrive.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::from_hex;
using codec_test::shared_fixture;
using codec_test::target;
using codec_test::unordered;

const Dialect& bedrock_dialect() { return *find_dialect("bedrock"); }

codec_test::Unordered encoded(const CompletionRequest& request) {
  auto wire = bedrock_dialect().encode(request, target());
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? unordered(wire->body) : codec_test::Unordered();
}

Errc refusal(const CompletionRequest& request) {
  auto wire = bedrock_dialect().encode(request, target());
  return wire ? Errc::internal : wire.error().code;
}

ToolSpec weather() {
  return {"get_weather",
          "Weather",
          {R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},)"
           R"("required":["city"]})"}};
}

CompletionRequest rich() {
  CompletionRequest request;
  request.messages = {{Role::system, {TextPart{"Be terse.", true}}},
                      {Role::user, {TextPart{"Weather in Paris?"}}},
                      {Role::assistant,
                       {ReasoningPart{"Need tool.", "c2ln"},
                        ToolUsePart{"tooluse_AbC123", "get_weather", {R"({"city":"Paris","days":1})"}}}},
                      {Role::user, {ToolResultPart{"tooluse_AbC123", "ok", false}}},
                      {Role::user, {ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}}};
  request.tools = {weather()};
  request.sampling = {.temperature = 0.5, .top_p = 0.9, .stop = {"END"}};
  request.output_tokens_max = 512;
  return request;
}

TEST(EncodeConverse, WritesTheMinimalRequestByteForByte) {
  auto wire = bedrock_dialect().encode(ask("Hello"), target());
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->method, "POST");
  EXPECT_EQ(wire->target, "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse");
  EXPECT_EQ(
      wire->body,
      R"({"messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"maxTokens":64}})");
  EXPECT_EQ(*http::find_header(wire->headers, "Host"), "bedrock-runtime.us-east-1.amazonaws.com");
}

TEST(EncodeConverse, MakesOneSegmentOfAnArnAndNamesTheStream) {
  auto arn = target();
  arn.model = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl";
  arn.base_path = "/base";
  auto request = ask("x");
  request.stream = true;
  EXPECT_EQ(bedrock_dialect().encode(request, arn)->target,
            "/base/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aprovisioned-model%2Fabcdefghijkl/"
            "converse-stream");
}

TEST(EncodeConverse, WritesToolsReasoningImagesAndCachePoints) {
  auto want = unordered(R"({"messages":[{"role":"user","content":[{"text":"Weather in Paris?"}]},
    {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Need tool.",)"
                        R"("signature":"c2ln"}}},
      {"toolUse":{"toolUseId":"tooluse_AbC123","name":"get_weather","input":{"city":"Paris","days":1}}}]},
    {"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_AbC123",)"
                        R"("content":[{"text":"ok"}],"status":"success"}},
      {"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]}],
    "system":[{"text":"Be terse."},{"cachePoint":{"type":"default"}}],
    "inferenceConfig":{"maxTokens":512,"temperature":0.5,"topP":0.9,"stopSequences":["END"]},
    "toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"Weather",)"
                        R"("inputSchema":{"json":{"type":"object",
      "properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}}],)"
                        R"("toolChoice":{"auto":{}}}})");
  EXPECT_EQ(encoded(rich()), want);
}

TEST(EncodeConverse, AgreesWithTheCapturedRichRequest) {
  auto text = shared_fixture("bedrock/converse_rich.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto want = unordered(unordered(text)["body_raw"].get<std::string>());
  auto got = encoded(rich());
  // Ours carries a tool result as one text; the capture has JSON in front of it.
  want["messages"][2]["content"][0]["toolResult"]["content"].erase(0);
  for (const auto* key : {"messages", "system", "inferenceConfig", "toolConfig"})
    EXPECT_EQ(got[key], want[key]) << key;
}

TEST(EncodeConverse, MergesNeighboursOfOneRole) {
  auto request = ask("a");
  request.messages.push_back({Role::user, {TextPart{"b"}}});
  request.messages.push_back({Role::assistant, {TextPart{"c"}}});
  request.messages.push_back({Role::assistant, {TextPart{""}, TextPart{"d"}}});
  EXPECT_EQ(encoded(request)["messages"],
            unordered(R"([{"role":"user","content":[{"text":"a"},{"text":"b"}]},{"role":"assistant",)"
                      R"("content":[{"text":"c"},{"text":"d"}]}])"));
}

TEST(EncodeConverse, SendsToolConfigWheneverTheHistoryHasTools) {
  auto request = rich();
  request.tools.clear();
  EXPECT_EQ(
      encoded(request)["toolConfig"],
      unordered(
          R"({"tools":[{"toolSpec":{"name":"get_weather","inputSchema":{"json":{"type":"object"}}}}]})"));
  request.tools = {weather()};
  request.tool_choice = ToolChoice::none;
  EXPECT_FALSE(encoded(request)["toolConfig"].contains("toolChoice"));
  auto fresh = ask("x");
  fresh.tools = {weather()};
  fresh.tool_choice = ToolChoice::none;
  EXPECT_FALSE(encoded(fresh).contains("toolConfig"));
  fresh.tool_choice = ToolChoice::any;
  EXPECT_EQ(encoded(fresh)["toolConfig"]["toolChoice"], unordered(R"({"any":{}})"));
}

TEST(EncodeConverse, WritesTheResponseSchemaAsText) {
  auto request = ask("x");
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  EXPECT_EQ(encoded(request)["outputConfig"],
            unordered(R"({"textFormat":{"type":"json_schema",)"
                      R"("structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"answer"}}}})"));
}

TEST(EncodeConverse, DropsReasoningThatAnotherProviderMade) {
  auto request = ask("a");
  request.messages.push_back({Role::assistant, {ReasoningPart{"hm", ""}, TextPart{"b"}}});
  EXPECT_EQ(encoded(request)["messages"][1]["content"], unordered(R"([{"text":"b"}])"));
}

TEST(EncodeConverse, RefusesWhatTheServiceWould) {
  EXPECT_EQ(refusal({}), Errc::bad_request);
  auto request = ask("x");
  request.messages[0].role = Role::assistant;
  EXPECT_EQ(refusal(request), Errc::bad_request);
  EXPECT_EQ(refusal(ask("")), Errc::bad_request);
  request = ask("x");
  request.output_tokens_max = 0;
  EXPECT_EQ(refusal(request), Errc::bad_request);
  request = ask("x");
  request.sampling.temperature = 1.5;
  EXPECT_EQ(refusal(request), Errc::unsupported);
  request = ask("x");
  request.messages[0].parts.assign(20, ImagePart{"image/png", "x"});
  EXPECT_EQ(refusal(request), Errc::internal);
  request.messages[0].parts.emplace_back(ImagePart{"image/png", "x"});
  EXPECT_EQ(refusal(request), Errc::unsupported);
  request = ask("x");
  request.messages[0].parts.emplace_back(ToolResultPart{"bad id!", "x", false});
  EXPECT_EQ(refusal(request), Errc::bad_request);
  request = rich();
  std::get<ToolUsePart>(request.messages[2].parts[1]).input.text = "{";
  EXPECT_EQ(refusal(request), Errc::bad_request);
  auto nameless = target();
  nameless.model.assign(2049, 'm');
  EXPECT_FALSE(bedrock_dialect().encode(ask("x"), nameless));
}

TEST(DecodeConverse, ReadsPartsStopAndUsage) {
  http::Response answer{200,
                        {},
                        R"({"output":{"message":{"role":"assistant","content":[
    {"reasoningContent":{"reasoningText":{"text":"think","signature":"c2ln"}}},{"text":"Hi"},)"
                        R"({"citationsContent":{}},
    {"toolUse":{"toolUseId":"tooluse_1","name":"get_weather","input":{"city":"Paris"}}}]}},)"
                        R"("stopReason":"tool_use",
    "usage":{"inputTokens":12,"outputTokens":5,"totalTokens":137,"cacheReadInputTokens":100,)"
                        R"("cacheWriteInputTokens":20,
    "cacheReadInputTokenCount":100},"metrics":{"latencyMs":1}})"};
  auto got = bedrock_dialect().decode(answer);
  ASSERT_TRUE(got);
  std::vector<Part> want{ReasoningPart{"think", "c2ln"}, TextPart{"Hi"},
                         ToolUsePart{"tooluse_1", "get_weather", {R"({"city":"Paris"})"}}};
  EXPECT_EQ(got->parts, want);
  EXPECT_EQ(got->stop, StopReason::tool_calls);
  EXPECT_EQ(got->usage, (Usage{.input = 12, .output = 5, .cache_read = 100, .cache_write = 20}));
}

TEST(DecodeConverse, NeverTakesHalfAnAnswerForAWholeOne) {
  for (const auto* body : {"", "{}", "[]", "null", R"({"output":{"message":{"content":[]}}})",
                           R"({"stopReason":"end_turn"})", R"({"output":[],"stopReason":"end_turn"})"}) {
    auto got = bedrock_dialect().decode({200, {}, body});
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::stream_broken);
    EXPECT_TRUE(got.error().maybe_billed);
  }
}

std::string golden_stream(const char* name) {
  return from_hex(unordered(codec_test::golden("eventstream/streams.json"))[name].get<std::string>());
}

TEST(ConverseStream, ReadsAWholeAnswer) {
  auto got = decode_whole(bedrock_dialect(), golden_stream("whole_stream"));
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<Part> want{ReasoningPart{"need tool", "c2ln"}, TextPart{"héllo €😀"},
                         ToolUsePart{"tooluse_1", "get_weather", {R"({"city":"Paris"})"}},
                         ToolUsePart{"tooluse_2", "get_time", {"{}"}}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
  EXPECT_EQ(got.sum().usage.cache_read, 100);
}

TEST(ConverseStream, ReadsTheSameHoweverSplitAndNeverLooksWholeWhenCut) {
  for (const auto* name : {"whole_stream", "throttled_stream", "error_frame_stream"})
    codec_test::expect_same_however_split(bedrock_dialect(), golden_stream(name));
  codec_test::expect_truncation_shows(bedrock_dialect(), golden_stream("whole_stream"));
}

TEST(ConverseStream, EndsWithTheClassOfAnExceptionInside) {
  auto code = [](const char* name) {
    auto got = decode_whole(bedrock_dialect(), golden_stream(name));
    EXPECT_EQ(got.sum().text(), "Hi");
    EXPECT_TRUE(got.error() != nullptr && got.error()->maybe_billed);
    EXPECT_FALSE(got.finished) << "failure must be final";
    return got.error() != nullptr ? got.error()->code : Errc::internal;
  };
  EXPECT_EQ(code("throttled_stream"), Errc::rate_limited);
  EXPECT_EQ(code("error_frame_stream"), Errc::transient_server);
  EXPECT_EQ(code("new_exception_stream"), Errc::transient_server);
  EXPECT_EQ(code("validation_stream"), Errc::context_length_exceeded);
}

TEST(ConverseStream, SurvivesAnyFlippedByte) {
  auto bytes = golden_stream("whole_stream");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto corrupt = bytes;
    corrupt[i] = static_cast<char>(corrupt[i] ^ 0x5a);
    auto got = decode_whole(bedrock_dialect(), corrupt);
    EXPECT_FALSE(got.fed && got.finished) << i;
  }
}

TEST(ConverseStream, ReadsTheCapturedStreams) {
  auto whole = shared_fixture("eventstream/converse_reasoning_tool_ok.stream.hex");
  if (whole.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto got = decode_whole(bedrock_dialect(), from_hex(whole));
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<Part> want{ReasoningPart{"think", "c2ln"},
                         ToolUsePart{"tooluse_AbC123", "get_weather", {R"({"city":"Paris"})"}}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
  auto text = from_hex(shared_fixture("eventstream/converse_text_ok.stream.hex"));
  EXPECT_TRUE(decode_whole(bedrock_dialect(), text).finished);
  codec_test::expect_same_however_split(bedrock_dialect(), text);
  codec_test::expect_truncation_shows(bedrock_dialect(), text);
  auto code = [](const char* name) {
    return decode_whole(bedrock_dialect(), from_hex(shared_fixture(name))).error()->code;
  };
  EXPECT_EQ(code("eventstream/converse_midstream_throttle.stream.hex"), Errc::rate_limited);
  EXPECT_EQ(code("eventstream/converse_midstream_error_frame.stream.hex"), Errc::transient_server);
}

}  // namespace
}  // namespace troupe::providers
