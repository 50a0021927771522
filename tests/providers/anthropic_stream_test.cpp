// Messages answers on their three hosts: whole, streamed and cut anywhere, odd, and hostile.
#include "tests/providers/anthropic_support.hpp"

namespace troupe::providers {
namespace {

using anthropic_test::client;
using anthropic_test::framed;
using anthropic_test::golden_answer;
using anthropic_test::golden_stream;
using anthropic_test::stream_of;
using codec_test::decode_whole;
using codec_test::shared_fixture;

class MessagesStream : public testing::TestWithParam<const char*> {
 protected:
  const Dialect& dialect() const { return client(GetParam()); }
  codec_test::Decoded decoded(const std::vector<std::string>& events) const {
    return decode_whole(dialect(), stream_of(GetParam(), events));
  }
};
INSTANTIATE_TEST_SUITE_P(Family, MessagesStream, testing::ValuesIn(anthropic_test::kFamily),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(MessagesStream, ReadsEverythingAnAnswerSays) {
  auto got = decode_whole(dialect(), golden_stream(GetParam()));
  ASSERT_EQ(got.error(), nullptr) << got.error()->what;
  EXPECT_EQ(got.sum(), golden_answer());
  EXPECT_EQ(std::get<StreamStarted>(got.events.front()).model, "claude-x");
  EXPECT_TRUE(std::holds_alternative<DetailsReported>(got.events.back()));
}

// How splitting and cutting fare on every dialect's streams: stream_split_test.cpp.
TEST_P(MessagesStream, ShowsWhereverItIsCut) {
  codec_test::expect_truncation_shows(dialect(), golden_stream(GetParam()));
}

// Cut anywhere before message_stop the answer has no StreamStopped, even where its reason was already known.
TEST_P(MessagesStream, IsNotWholeWithoutItsTerminalEvent) {
  auto got = decode_whole(
      dialect(), framed(GetParam(), std::vector<std::string>{
                                        R"({"type":"message_start","message":{}})",
                                        R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})"}));
  EXPECT_FALSE(got.stopped());
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->code, Errc::stream_broken);
  auto speechless = decode_whole(
      dialect(), framed(GetParam(), std::vector<std::string>{R"({"type":"message_start","message":{}})",
                                                             R"({"type":"message_stop"})"}));
  ASSERT_NE(speechless.error(), nullptr);
  EXPECT_EQ(speechless.error()->code, Errc::stream_broken);
}

TEST_P(MessagesStream, SkipsWhatItDoesNotKnow) {
  auto got = decoded(
      {R"({"type":"ping"})", R"({"type":"weather_report","rain":true})", R"({"no":"type"})",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"w"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{}}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}})",
       R"({"type":"content_block_delta","index":1})", R"({"type":"content_block_stop","index":9})"});
  ASSERT_EQ(got.error(), nullptr) << got.error()->what;
  EXPECT_EQ(got.sum().parts, (std::vector<Part>{TextPart{"ab"}}));
}

TEST_P(MessagesStream, TakesToolInputThatComesWholeWithItsStart) {
  auto got = decoded(
      {R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"x":1}}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}})"});
  std::vector<Part> want{ToolUsePart{"a", "f", {R"({"x":1})"}, {}}, ToolUsePart{"b", "g", {"{}"}, {}}};
  EXPECT_EQ(got.sum().parts, want);
}

TEST_P(MessagesStream, RefusesABrokenOrder) {
  for (
      const auto& events : std::vector<std::vector<std::string>>{
          {R"({"type":"message_start","message":{}})"},
          {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
           R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"},
          {R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}})"},
          {"[1]"},
          {"nonsense"}}) {
    auto got = decoded(events);
    ASSERT_NE(got.error(), nullptr) << events.back();
    EXPECT_EQ(got.error()->code, Errc::stream_broken) << events.back();
  }
}

TEST_P(MessagesStream, BoundsItsBlocks) {
  std::vector<std::string> starts;
  for (int i = 0; i < 1025; ++i) {
    auto index = std::to_string(i);
    starts.push_back(R"({"type":"content_block_start","index":)" + index +
                     R"(,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})");
    starts.push_back(R"({"type":"content_block_stop","index":)" + index + "}");
  }
  auto got = decoded(starts);
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->what, "too many tool calls in one answer");
  starts.resize(2048);
  EXPECT_EQ(decoded(starts).error(), nullptr) << "1,024 calls are within the bound";
}

TEST_P(MessagesStream, SurvivesGarbage) {
  std::string deep(100'000, '[');
  for (const auto& event :
       {deep, std::string(R"({"type":"message_delta","usage":)") + deep, std::string(R"({"type":7})"),
        std::string(R"({"type":"content_block_start","index":1e300,"content_block":[]})"),
        std::string(R"({"type":"content_block_delta","index":"x","delta":{"type":"text_delta","text":7}})"),
        std::string(R"({"type":"message_delta","delta":"x","usage":[1]})"),
        std::string("{\"type\":\"\xff\"}")})
    [[maybe_unused]] auto survives = decoded({event});
  auto whole = golden_stream(GetParam());
  Rng rng(5);
  for (int i = 0; i < 1000; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    auto got = decode_whole(dialect(), bytes);
    bool looks_whole = got.error() == nullptr;
    EXPECT_TRUE(!looks_whole || got.stopped());
  }
}

TEST_P(MessagesStream, ClampsNumbersNoProviderCounts) {
  auto got = decoded({R"({"type":"message_delta","delta":{},"usage":{"input_tokens":-5,)"
                      R"("output_tokens":18446744073709551615,"cache_read_input_tokens":1e300,)"
                      R"("cache_creation":{"ephemeral_5m_input_tokens":9223372036854775807,)"
                      R"("ephemeral_1h_input_tokens":9223372036854775807}}})"});
  auto usage = got.sum().usage;
  EXPECT_EQ(usage.input, 0);
  EXPECT_EQ(usage.cache_read, 0);
  EXPECT_EQ(usage.cache_write_1h, 1'000'000'000'000);
  EXPECT_EQ(usage.cache_write, 2'000'000'000'000);
}

TEST_P(MessagesStream, SaysWhyItEnded) {
  struct Row {
    const char* word;
    StopReason reason;
  };
  for (auto [word, reason] :
       {Row{"end_turn", StopReason::stop}, Row{"max_tokens", StopReason::length},
        Row{"stop_sequence", StopReason::stop_sequence}, Row{"tool_use", StopReason::tool_calls},
        Row{"pause_turn", StopReason::pause}, Row{"refusal", StopReason::content_filter},
        Row{"model_context_window_exceeded", StopReason::context_length},
        Row{"tired", StopReason::model_error}}) {
    std::string delta = R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(word) + "\"}}";
    auto sum = decode_whole(dialect(),
                            framed(GetParam(), std::vector<std::string>{delta, R"({"type":"message_stop"})"}))
                   .sum();
    EXPECT_EQ(sum.stop, reason) << word;
    EXPECT_EQ(sum.unrecognised_stop, std::string_view(word) == "tired" ? "tired" : "") << word;
    http::Response whole{200, {}, R"({"content":[],"stop_reason":")" + std::string(word) + "\"}"};
    EXPECT_EQ(dialect().decode(whole)->stop, reason) << word;
    EXPECT_EQ(dialect().decode(whole)->unrecognised_stop, sum.unrecognised_stop) << word;
  }
}

TEST_P(MessagesStream, KeepsMembersItHasNoPlaceFor) {
  auto got = decoded({R"({"type":"message_delta","context_management":{"edits":[1]},"delta":)"
                      R"({"stop_sequence":"END","stop_details":{"type":"refusal"},"container":null},)"
                      R"("usage":{"output_tokens":1,"speed":"fast","service_tier":"batch"}})"});
  EXPECT_EQ(got.sum().tier, "batch");
  EXPECT_EQ(codec_test::unordered(got.sum().extra.text),
            codec_test::unordered(R"({"context_management":{"edits":[1]},"stop_sequence":"END",
                                      "stop_details":{"type":"refusal"},"usage":{"speed":"fast"}})"));
}

TEST_P(MessagesStream, TellsErrorsInsideByTheirType) {
  auto bytes = framed(
      GetParam(),
      std::vector<std::string>{R"({"type":"message_start","message":{}})",
                               R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})"});
  auto got = decode_whole(dialect(), bytes);
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->code, Errc::overloaded);
  EXPECT_TRUE(got.error()->maybe_billed);
  EXPECT_EQ(got.error()->vendor_text, "m");
  EXPECT_EQ(decode_whole(dialect(), bytes + bytes).error()->code, Errc::overloaded) << "an error is final";
}

TEST_P(MessagesStream, RefusesAnswersThatAreNotWhole) {
  for (const auto* body : {"", "{", "[]", "{}", R"({"content":7,"stop_reason":"end_turn"})",
                           R"({"content":[]})", R"({"content":[],"stop_reason":null})"}) {
    auto got = dialect().decode({200, {}, body});
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::stream_broken) << body;
  }
  auto error = dialect().decode({200, {}, R"({"type":"error","error":{"type":"api_error"}})"});
  EXPECT_EQ(error.error().code, Errc::transient_server);
}

TEST(DecodeMessage, ReadsThinkingUsageAndDetails) {
  auto got =
      client("anthropic")
          .decode(
              {200, {}, R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
        {"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"ZW5j"},
        {"type":"text","text":"Hé €😀","citations":null},{"type":"server_tool_use","id":"s"},7,
        {"type":"tool_use","id":"toolu_1","name":"look","input":{"q":1}}],
        "stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,
        "usage":{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":10,
        "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":3},"output_tokens":42,
        "output_tokens_details":{"thinking_tokens":5},"server_tool_use":null,"service_tier":"priority",
        "inference_geo":"eu"}})"});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(*got, golden_answer());
}

TEST(DecodeMessage, ReadsTheTierOfAnInvocationFromItsHeader) {
  auto got = client("bedrock_invoke")
                 .decode({200,
                          {{"X-Amzn-Bedrock-Service-Tier", "priority"}},
                          R"({"content":[],"stop_reason":"end_turn"})"});
  EXPECT_EQ(got->tier, "priority");
}

TEST(MessagesStreamFixtures, ReadWhatOfficialClientsAccepted) {
  auto sse = shared_fixture("serve/anthropic_messages_stream.sse");
  if (sse.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  for (const auto* name : anthropic_test::kFamily) {
    auto bytes =
        std::string_view(name) == "bedrock_invoke" ? framed(name, anthropic_test::events_in(sse)) : sse;
    auto got = decode_whole(client(name), bytes);
    ASSERT_EQ(got.error(), nullptr) << got.error()->what;
    std::vector<Part> want{ReasoningPart{"hm", "c2ln", {}}, TextPart{"Hi €😀"},
                           ToolUsePart{"toolu_01A", "get_weather", {R"({"city":"Paris"})"}, {}}};
    EXPECT_EQ(got.sum().parts, want);
    EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
    EXPECT_EQ(got.sum().usage, (Usage{.input = 25, .output = 42, .cache_read = 10}));
    EXPECT_EQ(got.sum().tier, "standard");
  }
  for (const auto* end : {"\r\n", "\r"}) {
    std::string other;
    for (char c : sse) c == '\n' ? other += end : other += c;
    EXPECT_EQ(decode_whole(client("anthropic"), other).sum(), decode_whole(client("anthropic"), sse).sum());
  }
  auto whole = client("anthropic")
                   .decode({200, {}, shared_fixture("serve/anthropic_messages_nonstream.response.json")});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->text(), "Hi");
  EXPECT_EQ(whole->usage, (Usage{.input = 25, .output = 2, .cache_read = 10}));
}

TEST(InvokeStream, ReadsTheCapturedFrames) {
  auto text = shared_fixture("eventstream/frames.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto frames = codec_test::unordered(text);
  auto bytes = [&](const char* name) { return codec_test::from_hex(frames[name]["hex"].get<std::string>()); };
  auto stop =
      framed("bedrock_invoke",
             std::vector<std::string>{R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})"});
  auto got =
      decode_whole(client("bedrock_invoke"), bytes("invoke_chunk_anthropic_delta") + bytes("unknown_event") +
                                                 stop + bytes("invoke_chunk_anthropic_stop"));
  ASSERT_EQ(got.error(), nullptr) << got.error()->what;
  EXPECT_EQ(got.sum().text(), "Hi");
  EXPECT_EQ(got.sum().usage, (Usage{.input = 8, .output = 2})) << "from the invocation metrics";
  auto failed = [&](const char* name) {
    auto broken = decode_whole(client("bedrock_invoke"), bytes("invoke_chunk_anthropic_delta") + bytes(name));
    EXPECT_TRUE(broken.error() != nullptr && broken.error()->maybe_billed) << name;
    return broken.error() != nullptr ? broken.error()->code : Errc::internal;
  };
  EXPECT_EQ(failed("exception_model_timeout"), Errc::timeout);
  EXPECT_EQ(failed("exception_throttling"), Errc::rate_limited);
  EXPECT_EQ(failed("exception_model_stream_error"), Errc::stream_broken);
  EXPECT_EQ(failed("unmodeled_error"), Errc::transient_server);
}

TEST(InvokeStream, RefusesChunksThatAreNot) {
  auto code = [](const char* payload) {
    Frame frame;
    frame.headers = {{":event-type", std::string("chunk")}, {":message-type", std::string("event")}};
    frame.payload = payload;
    auto got = decode_whole(client("bedrock_invoke"), encode_frame(frame).value());
    return got.fed ? Errc::internal : got.fed.error().code;
  };
  for (const auto* payload : {"", "[]", R"({"bytes":"!"})", R"({"bytes":7})", R"({"bytes":"Nw=="})"})
    EXPECT_EQ(code(payload), Errc::stream_broken) << payload;
}

TEST(RawPredictStream, ReadsGooglesEnvelopeInside) {
  auto got = decode_whole(
      client("vertex_anthropic"),
      framed("vertex_anthropic",
             std::vector<std::string>{R"({"type":"message_start","message":{}})",
                                      R"({"error":{"code":503,"message":"x","status":"UNAVAILABLE"}})"}));
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->code, Errc::overloaded);
  EXPECT_TRUE(got.error()->maybe_billed);
}

}  // namespace
}  // namespace troupe::providers
