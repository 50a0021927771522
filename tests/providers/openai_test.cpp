// The OpenAI dialect: requests as captured, answers and streams however they arrive.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& openai_dialect() { return *find_dialect("openai"); }

Target mini() { return {"gpt-4o-mini", "/v1", "api.openai.com"}; }

codec_test::Unordered chat_body(const CompletionRequest& request) {
  auto wire = openai_dialect().encode(request, mini());
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? unordered(wire->body) : codec_test::Unordered();
}

TEST(EncodeChat, WritesTheMinimalRequestByteForByte) {
  auto request = ask("Hello");
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"Be terse."}}});
  request.output_tokens_max = 16;
  request.sampling.temperature = 0.2;
  auto wire = openai_dialect().encode(request, mini());
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->target, "/v1/chat/completions");
  EXPECT_EQ(wire->body,
            R"({"model":"gpt-4o-mini","messages":[{"role":"system","content":"Be terse."},{"role":"user",)"
            R"("content":"Hello"}],"max_completion_tokens":16,"temperature":0.2})");
  EXPECT_EQ(*http::find_header(wire->headers, "host"), "api.openai.com");
  EXPECT_EQ(http::find_header(wire->headers, "authorization"), nullptr);
}

CompletionRequest rich_chat() {
  CompletionRequest request;
  request.messages = {
      {Role::user, {TextPart{"Hello", true}, ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}},
      {Role::assistant,
       {ReasoningPart{"hm", "c2ln"}, ToolUsePart{"call_1", "get_weather", {R"({"city":"Paris"})"}}}},
      {Role::user, {ToolResultPart{"call_1", "18C", false}}}};
  request.tools = {{"get_weather",
                    "W",
                    {R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"],)"
                     R"("additionalProperties":false})"}}};
  request.sampling.stop = {"END"};
  request.sampling.seed = 7;
  return request;
}

TEST(EncodeChat, WritesToolsImagesAndStreamOptions) {
  auto got = chat_body(rich_chat());
  EXPECT_EQ(got["messages"], unordered(R"([{"role":"user","content":[{"type":"text","text":"Hello"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
    {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",)"
                                       R"("function":{"name":"get_weather",
      "arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"18C"}])"));
  EXPECT_EQ(got["stream_options"], unordered(R"({"include_usage":true})"));
  EXPECT_EQ(got["tool_choice"], "auto");
  EXPECT_EQ(got["seed"], 7);
  EXPECT_EQ(got["max_completion_tokens"], 1024);
}

TEST(EncodeChat, AgreesWithTheCapturedRichRequest) {
  auto text = shared_fixture("openai/chat_stream_tools.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto want = unordered(unordered(text)["body_raw"].get<std::string>());
  want["messages"][0]["content"][1]["image_url"].erase("detail");
  want["tools"][0]["function"].erase("strict");
  auto got = chat_body(rich_chat());
  for (const auto* key :
       {"model", "stream", "stream_options", "messages", "tools", "tool_choice", "stop", "seed"})
    EXPECT_EQ(got[key], want[key]) << key;
}

// Our members in the capture's order. Left out of ours: the limit, which the capture's caller did not give;
// of the capture: what a CompletionRequest has no words for (detail, strict, json_object, service tier, user,
// metadata). Parallel calls, there said to be allowed, are written only when they are not.
TEST(EncodeChat, WritesTheCapturedRichRequestInItsOrder) {
  auto text = shared_fixture("openai/chat_stream_tools.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = parse_json(text).value();
  auto want = parse_json(get_string(captured, "body_raw")).value();
  want["messages"][0]["content"][1]["image_url"].erase("detail");
  want["tools"][0]["function"].erase("strict");
  for (const auto* name : {"response_format", "service_tier", "user", "metadata"}) want.erase(name);
  want["parallel_tool_calls"] = false;
  auto request = rich_chat();
  request.parallel_tools = false;
  auto wire = openai_dialect().encode(request, mini()).value();
  auto got = parse_json(wire.body).value();
  got.erase("max_completion_tokens");
  EXPECT_EQ(dump_json(got), dump_json(want));
  EXPECT_EQ(wire.target, get_string(captured, "target"));
}

TEST(EncodeChat, SendsTheHeadersOfTheMinimalCapture) {
  auto text = shared_fixture("openai/chat_min.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = unordered(text);
  auto request = ask("Hello");
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"Be terse."}}});
  request.output_tokens_max = 16;
  request.sampling.temperature = 0.2;
  auto wire = openai_dialect().encode(request, mini()).value();
  openai_dialect().put_api_key(wire, "sk-EXAMPLE");
  EXPECT_EQ(wire.body, captured["body_raw"].get<std::string>());
  int seen = 0;
  for (const auto& header : captured["headers"])
    if (const auto* ours = http::find_header(wire.headers, header[0].get<std::string>())) {
      EXPECT_EQ(*ours, header[1].get<std::string>());
      ++seen;
    }
  EXPECT_EQ(seen, 3) << "host, content-type, authorization";
}

TEST(EncodeChat, ForcesAToolAndAsksForAnEffort) {
  auto request = rich_chat();
  request.forced_tool = "get_weather";
  request.tool_choice = ToolChoice::none;
  request.reasoning_tokens_max = 2048;
  auto got = chat_body(request);
  EXPECT_EQ(got["tool_choice"], unordered(R"({"type":"function","function":{"name":"get_weather"}})"));
  EXPECT_EQ(got["reasoning_effort"], "medium");
  EXPECT_FALSE(chat_body(rich_chat()).contains("reasoning_effort"));
  EXPECT_FALSE(chat_body(rich_chat()).contains("parallel_tool_calls")) << "some models refuse the member";
}

TEST(EncodeChat, PutsToolResultsAheadOfTheRestOfTheirMessage) {
  auto request = rich_chat();
  request.messages[2].parts.insert(request.messages[2].parts.begin(), TextPart{"And tomorrow?"});
  auto messages = chat_body(request)["messages"];
  EXPECT_EQ(messages[2]["role"], "tool");
  EXPECT_EQ(messages[3], unordered(R"({"role":"user","content":"And tomorrow?"})"));
}

TEST(EncodeChat, WritesTheResponseSchemaAndToolChoices) {
  auto request = rich_chat();
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  request.tool_choice = ToolChoice::any;
  auto got = chat_body(request);
  EXPECT_EQ(got["response_format"],
            unordered(R"({"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},)"
                      R"("strict":true}})"));
  EXPECT_EQ(got["tool_choice"], "required");
  request.tool_choice = ToolChoice::none;
  EXPECT_EQ(chat_body(request)["tool_choice"], "none");
}

TEST(EncodeChat, RefusesNonsense) {
  auto refused = [](auto change) {
    auto request = rich_chat();
    change(request);
    auto wire = openai_dialect().encode(request, mini());
    return !wire && wire.error().code == Errc::bad_request;
  };
  EXPECT_TRUE(refused([](auto& r) { r.messages.clear(); }));
  EXPECT_TRUE(refused([](auto& r) { r.output_tokens_max = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.tools[0].name = std::string(65, 'a'); }));
  EXPECT_FALSE(refused([](auto& r) { r.tools[0].name = std::string(64, 'a'); }));
  EXPECT_TRUE(refused([](auto& r) { r.tools.push_back(r.tools[0]); }));
  EXPECT_TRUE(refused([](auto& r) { r.tools[0].input_schema.text = "[]"; }));
  EXPECT_TRUE(refused([](auto& r) { r.messages[0].parts.push_back(ToolUsePart{"x", "y", {"{}"}}); }));
  EXPECT_TRUE(refused([](auto& r) { r.messages[0].role = Role::assistant; }));
  EXPECT_TRUE(refused([](auto& r) { std::get<ImagePart>(r.messages[0].parts[1]).media_type = "image/svg"; }));
  EXPECT_TRUE(refused([](auto& r) { r.response_schema = {"x", {"nonsense"}}; }));
  EXPECT_FALSE(openai_dialect().encode(rich_chat(), {"", "/v1", "h"}));
}

TEST(DecodeChat, SplitsCachedTokensOut) {
  http::Response answer{
      200,
      {},
      R"({"model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi",
    "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]},)"
      R"("finish_reason":"stop"}],
    "usage":{"prompt_tokens":132,"completion_tokens":5,)"
      R"("prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":20},
    "completion_tokens_details":{"reasoning_tokens":2}}})"};
  auto got = openai_dialect().decode(answer);
  ASSERT_TRUE(got);
  std::vector<Part> want{TextPart{"Hi"}, ToolUsePart{"c", "f", {"{}"}}};
  EXPECT_EQ(got->parts, want);
  EXPECT_EQ(got->stop, StopReason::tool_calls);
  EXPECT_EQ(got->model, "gpt-x");
  EXPECT_EQ(got->usage,
            (Usage{.input = 12, .output = 5, .cache_read = 100, .cache_write = 20, .reasoning = 2}));
}

TEST(DecodeChat, KeepsTheTierTheUnknownMembersAndTheUnknownWord) {
  auto got = openai_dialect().decode(
      {200,
       {},
       R"({"id":"c","object":"chat.completion","created":1,"model":"m","service_tier":"flex",)"
       R"("system_fingerprint":"fp","choices":[{"index":0,"finish_reason":"abort","logprobs":null,)"
       R"("stop_token":7,"message":{"role":"assistant","content":"Hi","annotations":[],"mood":"good"}}],)"
       R"("usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4,"cost":0.5,)"
       R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":2}}})"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->tier, "flex");
  EXPECT_EQ(got->stop, StopReason::model_error);
  EXPECT_EQ(got->unrecognised_stop, "abort");
  EXPECT_EQ(got->extra.text,
            R"({"system_fingerprint":"fp","usage":{"cost":0.5,"prompt_tokens_details":{"audio_tokens":2}},)"
            R"("stop_token":7,"mood":"good"})");
}

TEST(DecodeChat, TakesAnErrorUnderStatus200ForOne) {
  auto got = openai_dialect().decode({200, {}, R"({"error":{"message":"m","code":429}})"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::rate_limited);
  EXPECT_TRUE(got.error().maybe_billed);
}

TEST(DecodeChat, TreatsARefusalAsFiltered) {
  auto got = openai_dialect().decode(
      {200, {}, R"({"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]})"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text(), "No.");
  EXPECT_EQ(got->stop, StopReason::content_filter);
}

TEST(DecodeChat, NeverTakesHalfAnAnswerForAWholeOne) {
  for (const auto* body :
       {"", "<html>", "[]", "{}", R"({"choices":[]})", R"({"choices":[{"message":{"content":"x"}}]})",
        R"({"choices":[{"finish_reason":"stop"}]})", R"({"choices":["x"]})"}) {
    auto got = openai_dialect().decode({200, {}, body});
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::stream_broken);
  }
}

TEST(ChatStream, ReadsTextAndUsage) {
  auto got = decode_whole(openai_dialect(), codec_test::golden("openai/text.sse"));
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<StreamEvent> want{
      StreamStarted{"gpt-x"}, TextDelta{"hé"}, TextDelta{"llo €😀"}, StreamStopped{StopReason::stop},
      UsageReported{{.input = 12, .output = 5, .cache_read = 100, .cache_write = 20, .reasoning = 2}}};
  EXPECT_EQ(got.events, want);
}

TEST(ChatStream, ReadsInterleavedToolCalls) {
  auto got = decode_whole(openai_dialect(), codec_test::golden("openai/tools_crlf.sse"));
  ASSERT_TRUE(got.fed && got.finished);
  std::vector<Part> want{ToolUsePart{"call_1", "get_weather", {R"({"city":"Paris"})"}},
                         ToolUsePart{"call_2", "get_time", {"{}"}}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
}

TEST(ChatStream, ReadsTheSameHoweverSplitAndNeverLooksWholeWhenCut) {
  for (const auto* name : {"openai/text.sse", "openai/tools_crlf.sse"}) {
    auto bytes = codec_test::golden(name);
    codec_test::expect_same_however_split(openai_dialect(), bytes);
    codec_test::expect_truncation_shows(openai_dialect(), bytes);
    std::string bare_cr;
    for (char c : bytes)
      if (c != '\r') bare_cr += c == '\n' ? '\r' : c;
    EXPECT_EQ(decode_whole(openai_dialect(), bare_cr).events, decode_whole(openai_dialect(), bytes).events);
  }
}

std::string sse_of(std::initializer_list<const char*> data) {
  std::string out;
  for (const auto* text : data) out += std::string("data: ") + text + "\n\n";
  return out;
}

constexpr const char* kHi = R"({"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})";
constexpr const char* kStop = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";

TEST(ChatStream, ToleratesAMissingDoneAndUsageBesideTheFinish) {
  auto bytes = sse_of(
      {kHi, R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}})"});
  auto got = decode_whole(openai_dialect(), bytes);
  ASSERT_TRUE(got.finished);
  EXPECT_EQ(got.sum().usage.input, 3);
}

TEST(ChatStream, IsBrokenWithoutAFinishReasonEvenAfterDone) {
  EXPECT_EQ(decode_whole(openai_dialect(), sse_of({kHi, "[DONE]"})).error()->code, Errc::stream_broken);
  EXPECT_EQ(decode_whole(openai_dialect(), "").error()->code, Errc::stream_broken);
}

TEST(ChatStream, MapsRefusalsAndIgnoresOtherChoices) {
  auto got = decode_whole(
      openai_dialect(),
      sse_of({R"({"choices":[{"index":0,"delta":{"refusal":"No."}}]})",
              R"({"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":"stop"}]})", kStop}));
  EXPECT_EQ(got.sum().text(), "No.");
  EXPECT_EQ(got.sum().stop, StopReason::content_filter);
}

TEST(ChatStream, ReportsTheTierAndTheRestOnceAfterTheUsage) {
  auto bytes = sse_of(
      {R"({"system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})",
       R"({"service_tier":"flex","choices":[{"index":0,"delta":{},"finish_reason":"abort"}]})",
       R"({"obfuscation":"xx","choices":[],"usage":{"prompt_tokens":3}})", "[DONE]"});
  auto got = decode_whole(openai_dialect(), bytes);
  ASSERT_TRUE(got.finished);
  std::vector<StreamEvent> want{StreamStarted{}, TextDelta{"Hi"},
                                StreamStopped{StopReason::model_error, "abort"}, UsageReported{{.input = 3}},
                                DetailsReported{"flex", {R"({"system_fingerprint":"fp"})"}}};
  EXPECT_EQ(got.events, want);
}

TEST(ChatStream, EndsWithTheClassOfAnErrorInside) {
  auto got =
      decode_whole(openai_dialect(),
                   sse_of({kHi, R"({"error":{"message":"x","type":"server_error","code":null}})", kStop}));
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->code, Errc::transient_server);
  EXPECT_TRUE(got.error()->maybe_billed);
  EXPECT_FALSE(got.stopped());
  EXPECT_FALSE(got.finished) << "failure must be final";
}

TEST(ChatStream, RefusesHostileChunksClearly) {
  for (const auto* bad :
       {"nonsense", "[]", "1", "\xff",
        R"({"choices":[{"delta":{"tool_calls":[{"index":5,"function":{"arguments":"x"}}]}}]})"}) {
    auto got = decode_whole(openai_dialect(), sse_of({kHi, bad, kStop}));
    ASSERT_NE(got.error(), nullptr) << bad;
    EXPECT_EQ(got.error()->code, Errc::stream_broken) << bad;
  }
  EXPECT_FALSE(decode_whole(openai_dialect(), sse_of({kHi, kStop, kHi})).fed) << "content after the end";
  for (const auto* odd :
       {R"({"choices":5})", R"({"choices":[3]})", R"({"choices":[{"delta":7}]})", R"({"usage":4})", "{}"})
    EXPECT_TRUE(decode_whole(openai_dialect(), sse_of({kHi, odd, kStop})).finished) << odd;
}

TEST(ChatStream, ReadsTheCapturedStreams) {
  auto text = shared_fixture("serve/openai_chat_stream.sse");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  EXPECT_EQ(decode_whole(openai_dialect(), text).sum().text(), "Hi €😀");
  auto tools = decode_whole(openai_dialect(), shared_fixture("serve/openai_chat_stream_tools.sse"));
  ASSERT_TRUE(tools.finished);
  EXPECT_EQ(tools.sum().parts.size(), 2u);
  codec_test::expect_same_however_split(openai_dialect(), text);
  codec_test::expect_truncation_shows(openai_dialect(), text);
}

}  // namespace
}  // namespace troupe::providers
