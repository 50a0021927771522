// The server's side of Messages bodies on their three hosts: official clients' requests are read, and what is
// written reads back as it was.
#include "tests/providers/anthropic_support.hpp"

namespace troupe::providers {
namespace {

using anthropic_test::client;
using anthropic_test::family_target;
using anthropic_test::server;
using codec_test::ask;
using codec_test::decode_whole;
using codec_test::serve_stream;
using codec_test::shared_fixture;
using codec_test::unordered;

class ServeMessages : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Family, ServeMessages, testing::ValuesIn(anthropic_test::kFamily),
                         [](const auto& test) { return std::string(test.param); });

// All that travels. The schema's name and the seed do not; a budget excludes forced calls and temperatures.
CompletionRequest whole_request() {
  CompletionRequest request;
  request.messages = {
      {Role::system, {TextPart{"Be terse.", true}, TextPart{"Be kind."}}},
      {Role::user, {TextPart{"Hello", true}, ImagePart{"image/png", "\x89PNG"}}},
      {Role::assistant,
       {ReasoningPart{"hm", "c2ln", {}}, ReasoningPart{{}, {}, "ZW5j"}, TextPart{"Looking."},
        ToolUsePart{"call_1", "look", {R"({"q":1})"}, {}}, ToolUsePart{"call_2", "look", {"{}"}, {}}}},
      {Role::user,
       {ToolResultPart{"call_1", "found", false}, ToolResultPart{"call_2", "", true}, TextPart{"So?"}}},
      {Role::assistant, {TextPart{"Done."}}},
      {Role::user, {TextPart{"Thanks"}}}};
  request.tools = {{"look", "Looks", {R"({"type":"object"})"}}, {"leap", "", {R"({"type":"object"})"}}};
  request.sampling = {.temperature = 0.5, .top_p = 0.25, .stop = {"END", "STOP"}};
  request.response_schema = ResponseSchema{"", {R"({"type":"object"})"}};
  request.output_tokens_max = 7700;
  return request;
}

std::vector<CompletionRequest> requests_that_travel() {
  std::vector<CompletionRequest> out(5, whole_request());
  out[1].tool_choice = ToolChoice::any;
  out[1].parallel_tools = false;
  out[2].tool_choice = ToolChoice::none;
  out[3].forced_tool = "leap";
  out[3].reasoning_tokens_max = 0;
  out[4].sampling.temperature.reset();
  out[4].sampling.top_p = 0.95;
  out[4].reasoning_tokens_max = 2000;
  return out;
}

TEST_P(ServeMessages, ReadsWhatClientsWrite) {
  auto target = family_target(GetParam());
  for (bool stream : {false, true}) {
    for (auto want : requests_that_travel()) {
      want.stream = stream;
      auto wire = client(GetParam()).encode(want, target);
      ASSERT_TRUE(wire) << wire.error().what;
      ASSERT_TRUE(server(GetParam()).serves(*wire));
      auto got = server(GetParam()).read_request(*wire);
      ASSERT_TRUE(got) << got.error().what << got.error().vendor_text;
      EXPECT_EQ(got->request, want);
      EXPECT_EQ(got->model, target.model);
      EXPECT_EQ(got->stream, stream);
    }
  }
}

Completion random_answer(Rng& rng) {
  auto answer = codec_test::random_completion(rng, true);
  answer.model = "claude-x";
  answer.usage.cache_write_1h = answer.usage.cache_write / 2;
  answer.usage.reasoning = answer.usage.output / 3;
  if (rng.below(2) == 0) answer.tier = "priority";
  if (rng.below(2) == 0) answer.extra = {R"({"container":{"id":"c"},"usage":{"speed":"fast"}})"};
  return answer;
}

TEST_P(ServeMessages, AnswersWhatClientsRead) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    auto want = random_answer(rng);
    auto got = client(GetParam()).decode(server(GetParam()).write_response(want, {}));
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(*got, want) << "answer " << i << " " << got->extra.text;
  }
}

TEST_P(ServeMessages, StreamsWhatClientsRead) {
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    auto want = random_answer(rng);
    auto events = codec_test::events_of(want, rng);
    if (!want.tier.empty() || !want.extra.text.empty())
      events.emplace_back(DetailsReported{want.tier, want.extra});
    auto got = decode_whole(client(GetParam()), serve_stream(server(GetParam()), events));
    ASSERT_EQ(got.error(), nullptr) << got.error()->what;
    ASSERT_EQ(got.sum(), want) << "answer " << i;
  }
}

TEST_P(ServeMessages, CarriesEveryStopReason) {
  for (auto reason :
       {StopReason::stop, StopReason::stop_sequence, StopReason::length, StopReason::tool_calls,
        StopReason::content_filter, StopReason::context_length, StopReason::pause, StopReason::model_error}) {
    Completion want;
    want.stop = reason;
    want.extra = {R"({"stop_sequence":"END"})"};
    EXPECT_EQ(*client(GetParam()).decode(server(GetParam()).write_response(want, {})), want);
    auto bytes = serve_stream(server(GetParam()),
                              {StreamStarted{}, StreamStopped{reason, {}}, DetailsReported{{}, want.extra}});
    EXPECT_EQ(decode_whole(client(GetParam()), bytes).sum(), want);
  }
  Completion odd;
  odd.stop = StopReason::model_error;
  odd.unrecognised_stop = "tired";
  EXPECT_EQ(*client(GetParam()).decode(server(GetParam()).write_response(odd, {})), odd);
}

TEST_P(ServeMessages, CarriesEveryKindOfEvent) {
  auto answer = anthropic_test::golden_answer();
  Rng rng(3);
  std::vector<StreamEvent> events{StreamStarted{"claude-x"},
                                  ReasoningDelta{"h", {}, {}},
                                  ReasoningDelta{"m", {}, {}},
                                  ReasoningDelta{{}, "c2ln", {}},
                                  ReasoningDelta{{}, {}, "ZW5j"},
                                  TextDelta{"Hé "},
                                  TextDelta{"€😀"},
                                  ToolUseStarted{0, "toolu_1", "look", "ignored"},
                                  ToolInputDelta{0, R"({"q":)"},
                                  ToolInputDelta{0, "1}"},
                                  StreamStopped{StopReason::tool_calls, {}},
                                  UsageReported{answer.usage},
                                  DetailsReported{answer.tier, answer.extra}};
  auto bytes = serve_stream(server(GetParam()), events);
  auto got = decode_whole(client(GetParam()), bytes);
  ASSERT_EQ(got.error(), nullptr);
  EXPECT_EQ(got.sum(), answer);
  EXPECT_TRUE(server(GetParam()).stream_writer({})->finish().empty()) << "nothing was said, so nothing ended";
}

TEST_P(ServeMessages, StreamsInterleavedToolCalls) {
  auto bytes = serve_stream(
      server(GetParam()), {StreamStarted{}, ToolUseStarted{0, "a", "f", {}}, ToolUseStarted{1, "b", "g", {}},
                           ToolInputDelta{0, "{"}, ToolInputDelta{1, "{}"}, ToolInputDelta{0, "}"},
                           ToolUseStarted{2, "c", "h", {}}, StreamStopped{StopReason::tool_calls, {}}});
  auto got = decode_whole(client(GetParam()), bytes);
  std::vector<Part> want{ToolUsePart{"a", "f", {"{}"}, {}}, ToolUsePart{"b", "g", {"{}"}, {}},
                         ToolUsePart{"c", "h", {"{}"}, {}}};
  EXPECT_EQ(got.sum().parts, want);
}

TEST_P(ServeMessages, RefusesHostileRequestsClearly) {
  auto wire = client(GetParam()).encode(ask("x"), family_target(GetParam())).value();
  auto start = std::string(R"({"model":"m","anthropic_version":"v","max_tokens":9,)");
  for (
      const std::string& body :
      {std::string(),
       std::string("{"),
       std::string("[]"),
       std::string("null"),
       std::string("{}"),
       std::string(R"({"model":"m","anthropic_version":"v","messages":[{"role":"user","content":"x"}]})"),
       std::string(R"({"model":"m","anthropic_version":"v","max_tokens":0,"messages":[]})"),
       std::string(R"({"model":"m","anthropic_version":"v","max_tokens":1e300,"messages":[]})"),
       start + R"("messages":7})",
       start + R"("messages":[]})",
       start + R"("messages":[7]})",
       start + R"("messages":[{"role":"ghost","content":"x"}]})",
       start + R"("messages":[{"role":"user","content":7}]})",
       start + R"("messages":[{"role":"user","content":""}]})",
       start + R"("messages":[{"role":"user","content":[{"type":"text","text":""}]}]})",
       start + R"("messages":[{"role":"user","content":[{"type":"document"}]}]})",
       start +
           R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"!"}}]}]})",
       start + R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"url"}}]}]})",
       start + R"("messages":[{"role":"user","content":"x"}],"temperature":2})",
       start + R"("messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305"}]})",
       start + R"("messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"maybe"}})",
       start +
           R"("messages":[{"role":"user","content":"x"}],"thinking":{"type":"enabled","budget_tokens":5}})",
       start + R"("messages":[{"role":"user","content":"x"}],"stop_sequences":[7]})",
       start + R"("messages":)" + std::string(100'000, '[') + "}"}) {
    wire.body = body;
    auto got = server(GetParam()).read_request(wire);
    ASSERT_FALSE(got) << body.substr(0, 200);
    bool clear = got.error().code == Errc::bad_request || got.error().code == Errc::unsupported;
    EXPECT_TRUE(clear) << body.substr(0, 200);
    EXPECT_FALSE(got.error().what.empty());
  }
  auto whole = client(GetParam()).encode(whole_request(), family_target(GetParam())).value();
  Rng rng(4);
  for (int i = 0; i < 2000; ++i) {
    auto mutated = whole;
    for (int k = 0; k < 3; ++k)
      mutated.body[rng.below(mutated.body.size())] = static_cast<char>(rng.below(256));
    [[maybe_unused]] auto survives = server(GetParam()).read_request(mutated);
  }
}

// As the API does since that version, even for default values (WIRE 5.4).
TEST_P(ServeMessages, RefusesSamplingInTheNewerVersionOnly) {
  auto target = family_target(GetParam());
  auto verdict = [&](const char* version, const char* member) {
    target.api_version = version;
    auto wire = client(GetParam()).encode(ask("x"), target).value();
    wire.body.insert(wire.body.size() - 1, std::string(",\"") + member + "\":1");
    auto got = server(GetParam()).read_request(wire);
    return got ? std::string() : got.error().vendor_text;
  };
  for (const auto* member : {"temperature", "top_p", "top_k"}) {
    EXPECT_EQ(verdict("2026-10-21", member), std::string(member) + ": Extra inputs are not permitted");
    EXPECT_EQ(verdict("", member), "");
  }
  EXPECT_EQ(verdict("2026-10-21", "metadata"), "");
}

http::Request captured(const std::string& name) {
  auto fixture = unordered(shared_fixture(name + ".request.json"));
  http::Request out{fixture["method"], fixture["target"], {}, fixture["body_raw"]};
  for (const auto& header : fixture["headers"]) out.headers.emplace_back(header[0], header[1]);
  return out;
}

TEST(ServeMessagesFixtures, ReadWhatOfficialClientsSend) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  struct Sent {
    const char* file;
    const char* dialect;
    const char* model;
  };
  const char* arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl";
  const char* sonnet = "claude-sonnet-4-20250514";
  const char* profile = "us.anthropic.claude-sonnet-4-20250514-v1:0";
  const char* vertex = "claude-sonnet-4@20250514";
  for (auto [file, dialect, model] :
       {Sent{"anthropic/messages_min", "anthropic", sonnet},
        Sent{"anthropic/messages_min_v2023-06-01", "anthropic", sonnet},
        Sent{"anthropic/messages_bearer", "anthropic", sonnet},
        Sent{"anthropic/messages_authtoken_v2023-06-01", "anthropic", sonnet},
        Sent{"anthropic/messages_stream_helper", "anthropic", sonnet},
        Sent{"anthropic/messages_stream_v2023-06-01", "anthropic", sonnet},
        Sent{"anthropic/beta_messages", "anthropic", sonnet},
        Sent{"anthropic/beta_messages_v2023-06-01", "anthropic", sonnet},
        Sent{"bedrock/mantle_anthropic_messages", "anthropic", "anthropic.claude-opus-4-7"},
        Sent{"anthropic/bedrock_sdk_messages", "bedrock_invoke", profile},
        Sent{"anthropic/bedrock_sdk_messages_v0", "bedrock_invoke", profile},
        Sent{"anthropic/bedrock_sdk_messages_stream", "bedrock_invoke", profile},
        Sent{"anthropic/bedrock_sdk_messages_stream_provisioned_v0", "bedrock_invoke", arn},
        Sent{"bedrock/invoke_model_anthropic", "bedrock_invoke", "anthropic.claude-3-haiku-20240307-v1:0"},
        Sent{"bedrock/invoke_model_stream_provisioned", "bedrock_invoke", arn},
        Sent{"vertex/anthropic_rawpredict", "vertex_anthropic", vertex},
        Sent{"vertex/anthropic_rawpredict_v0", "vertex_anthropic", vertex},
        Sent{"vertex/anthropic_rawpredict_global", "vertex_anthropic", vertex},
        Sent{"vertex/anthropic_streamrawpredict", "vertex_anthropic", vertex},
        Sent{"vertex/anthropic_streamrawpredict_v0", "vertex_anthropic", vertex}}) {
    auto wire = captured(file);
    ASSERT_TRUE(server(dialect).serves(wire)) << file;
    auto got = server(dialect).read_request(wire);
    ASSERT_TRUE(got) << file << got.error().vendor_text;
    EXPECT_EQ(got->model, model) << file;
    EXPECT_EQ(got->stream, std::string_view(file).find("stream") != std::string_view::npos) << file;
    EXPECT_EQ(got->request.messages, (std::vector<Message>{{Role::user, {TextPart{"Hello"}}}})) << file;
  }
}

TEST(ServeMessagesFixtures, ReadTheRichRequestInTheVersionThatAllowsIt) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto wire = captured("anthropic/messages_stream_rich");
  auto refused = server("anthropic").read_request(wire);
  ASSERT_FALSE(refused) << "it was captured with a temperature in version 2026-10-21";
  EXPECT_EQ(refused.error().vendor_text, "temperature: Extra inputs are not permitted");
  http::set_header(wire.headers, "anthropic-version", "2023-06-01");
  auto got = server("anthropic").read_request(wire);
  ASSERT_TRUE(got) << got.error().vendor_text;
  EXPECT_EQ(got->request.messages.size(), 4u);
  EXPECT_EQ(got->request.messages[0], (Message{Role::system, {TextPart{"Be terse.", true}}}));
  EXPECT_EQ(got->request.reasoning_tokens_max, 1024);
  EXPECT_EQ(got->request.sampling.temperature, 0.5);
}

TEST(ServeMessagesFixtures, LeaveOtherOperationsAlone) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  for (const auto* file : {"anthropic/count_tokens", "anthropic/models_list", "anthropic/models_retrieve",
                           "bedrock/count_tokens", "bedrock/converse_min", "vertex/anthropic_count_tokens",
                           "vertex/generate_min_regional"})
    for (const auto* dialect : anthropic_test::kFamily)
      EXPECT_FALSE(server(dialect).serves(captured(file))) << file << " " << dialect;
}

TEST(ServeMessagesFixtures, WriteWhatOfficialClientsAccepted) {
  auto text = shared_fixture("serve/anthropic_messages_nonstream.response.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  Completion answer;
  answer.parts = {TextPart{"Hi"}};
  answer.usage = {.input = 25, .output = 2, .cache_read = 10};
  answer.model = "claude-sonnet-4-20250514";
  answer.tier = "standard";
  AnswerHead head{"msg_gw1", "", {}, {}};
  auto got = server("anthropic").write_response(answer, head);
  EXPECT_EQ(unordered(got.body), unordered(text));
  EXPECT_EQ(*http::find_header(got.headers, "request-id"), "msg_gw1");
}

// The events between a message's start and its end, byte for byte, with their event: lines; pings and the
// empty first piece of a tool's input are the provider's ornaments.
TEST(ServeMessagesFixtures, StreamWhatOfficialClientsAccepted) {
  auto want = shared_fixture("serve/anthropic_messages_stream.sse");
  if (want.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto drop = [&](const std::string& piece) {
    auto at = want.find(piece);
    ASSERT_NE(at, std::string::npos) << piece;
    want.erase(at, piece.size());
  };
  drop("event: ping\ndata: {\"type\":\"ping\"}\n\n");
  drop(R"(event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

)");
  auto got =
      serve_stream(server("anthropic"),
                   {StreamStarted{"claude-sonnet-4-20250514"}, ReasoningDelta{"hm", {}, {}},
                    ReasoningDelta{{}, "c2ln", {}}, TextDelta{"Hi"}, TextDelta{" €😀"},
                    ToolUseStarted{0, "toolu_01A", "get_weather", {}}, ToolInputDelta{0, R"({"city":"Par)"},
                    ToolInputDelta{0, R"(is"})"}, StreamStopped{StopReason::tool_calls, {}},
                    UsageReported{{.input = 25, .output = 42, .cache_read = 10}}});
  auto middle = [](const std::string& sse) {
    auto from = sse.find("event: content_block_start");
    return sse.substr(from, sse.find("event: message_delta") - from);
  };
  EXPECT_EQ(middle(got), middle(want));
  auto ours = anthropic_test::events_in(got), theirs = anthropic_test::events_in(want);
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_EQ(unordered(ours[ours.size() - 2])["delta"], unordered(theirs[theirs.size() - 2])["delta"]);
  EXPECT_EQ(ours.back(), theirs.back());
}

TEST(ServeAnthropic, KnowsItsPathWhateverThePrefix) {
  auto serves = [](std::string path) {
    return server("anthropic").serves({"POST", std::move(path), {}, ""});
  };
  for (const auto* path : {"/v1/messages", "/anthropic/v1/messages", "/v1/messages?beta=true"})
    EXPECT_TRUE(serves(path)) << path;
  for (const auto* path : {"/", "/v1/messages/count_tokens", "/v1/messages/", "/v1/models"})
    EXPECT_FALSE(serves(path)) << path;
  EXPECT_FALSE(server("anthropic").serves({"GET", "/v1/messages", {}, ""}));
}

TEST(ServeAnthropic, ReadsSystemTextsAndMessagesWhereverTheyStand) {
  auto got = server("anthropic")
                 .read_request({"POST", "/v1/messages", {}, R"({"model":"m","max_tokens":9,"system":"a",
                   "messages":[{"role":"user","content":"b"},{"role":"system","content":"c"},
                   {"role":"user","content":[{"type":"tool_result","tool_use_id":"t",
                    "content":[{"type":"text","text":"d"},{"type":"text","text":"e"}]}]}]})"});
  ASSERT_TRUE(got) << got.error().vendor_text;
  std::vector<Message> want{{Role::system, {TextPart{"a"}}},
                            {Role::user, {TextPart{"b"}}},
                            {Role::system, {TextPart{"c"}}},
                            {Role::user, {ToolResultPart{"t", "de", false}}}};
  EXPECT_EQ(got->request.messages, want);
  EXPECT_EQ(got->request.output_tokens_max, 9);
}

TEST(ServeInvoke, ReportsInvocationMetricsAndPadsItsChunks) {
  AnswerHead head;
  head.latency = std::chrono::milliseconds(321);
  auto writer = server("bedrock_invoke").stream_writer(head);
  auto bytes = writer->write(StreamStarted{"m"});
  bytes += writer->write(StreamStopped{});
  bytes += writer->write(UsageReported{{.input = 8, .output = 2}});
  bytes += writer->finish();
  FrameDecoder decoder;
  std::vector<Frame> frames;
  ASSERT_TRUE(decoder.feed(bytes, frames));
  for (const auto& frame : frames) {
    EXPECT_EQ(string_header(frame, ":event-type"), "chunk");
    EXPECT_FALSE(get_string(parse_json(frame.payload).value(), "p").empty());
  }
  auto last = base64_decode(get_string(parse_json(frames.back().payload).value(), "bytes")).value();
  EXPECT_EQ(last, R"({"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":8,)"
                  R"("outputTokenCount":2,"invocationLatency":321,"firstByteLatency":321}})");
}

// A frame has a limit; an answer that lost a piece to it must not look whole.
TEST(ServeInvoke, BreaksTheStreamRatherThanLosingAPiece) {
  auto text = std::string(12 * 1024 * 1024, 'x');
  auto bytes = serve_stream(server("bedrock_invoke"), {StreamStarted{}, TextDelta{text}, StreamStopped{}});
  auto got = decode_whole(client("bedrock_invoke"), bytes);
  EXPECT_FALSE(got.stopped());
  ASSERT_NE(got.error(), nullptr);
  EXPECT_EQ(got.error()->code, Errc::transient_server);
}

}  // namespace
}  // namespace troupe::providers
