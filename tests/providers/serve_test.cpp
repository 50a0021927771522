// The server's side and the client's side agree: what one writes the other reads.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::random_completion;
using codec_test::target;

struct Sides {
  const Dialect& client;
  const DialectServer& server;
};
Sides sides(std::string_view name) { return {*find_dialect(name), *find_dialect_server(name)}; }

class BothDialects : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Serve, BothDialects, testing::Values("openai", "bedrock"),
                         [](const auto& test) { return std::string(test.param); });

Completion for_dialect(Rng& rng, const char* name) {
  bool openai = std::string_view(name) == "openai";
  auto answer = random_completion(rng, !openai);
  // OpenAI names the model and counts reasoning; Bedrock knows more stop reasons.
  if (openai) answer.model = "gpt-x";
  if (openai) answer.usage.reasoning = answer.usage.output / 2;
  if (!openai && answer.stop == StopReason::length) answer.stop = StopReason::stop_sequence;
  return answer;
}

TEST_P(BothDialects, DecodeWhatTheServerAnswers) {
  auto [client, server] = sides(GetParam());
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    auto want = for_dialect(rng, GetParam());
    auto got = client.decode(server.write_response(want, {}));
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(*got, want) << "answer " << i;
  }
}

TEST_P(BothDialects, DecodeWhatTheServerStreams) {
  auto [client, server] = sides(GetParam());
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    auto want = for_dialect(rng, GetParam());
    auto got =
        codec_test::decode_whole(client, codec_test::serve_stream(server, codec_test::events_of(want, rng)));
    ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
    ASSERT_EQ(got.sum(), want) << "answer " << i;
  }
}

TEST_P(BothDialects, StreamsSurviveSplittingAndShowTruncation) {
  auto [client, server] = sides(GetParam());
  Rng rng(3);
  auto answer = for_dialect(rng, GetParam());
  auto bytes = codec_test::serve_stream(server, codec_test::events_of(answer, rng));
  codec_test::expect_same_however_split(client, bytes);
  codec_test::expect_truncation_shows(client, bytes);
}

TEST_P(BothDialects, StreamsInterleavedToolCalls) {
  auto [client, server] = sides(GetParam());
  auto got = codec_test::decode_whole(
      client, codec_test::serve_stream(
                  server, {StreamStarted{}, ToolUseStarted{0, "a", "f"}, ToolUseStarted{1, "b", "g"},
                           ToolInputDelta{0, "{"}, ToolInputDelta{1, "{}"}, ToolInputDelta{0, "}"},
                           StreamStopped{StopReason::tool_calls}}));
  std::vector<Part> want{ToolUsePart{"a", "f", {"{}"}}, ToolUsePart{"b", "g", {"{}"}}};
  EXPECT_EQ(got.sum().parts, want);
}

TEST_P(BothDialects, ClassifyWhatTheServerRefusesWith) {
  auto [client, server] = sides(GetParam());
  for (auto code :
       {Errc::rate_limited, Errc::overloaded, Errc::quota_exhausted, Errc::timeout, Errc::model_not_ready,
        Errc::transient_server, Errc::bad_request, Errc::context_length_exceeded, Errc::content_filtered,
        Errc::auth, Errc::permission, Errc::not_found}) {
    for (const auto* words : {"", "boo"}) {
      auto error = make_error(code, "x");
      error.vendor_text = words;
      auto got = client.classify(server.write_error(error), {0});
      EXPECT_EQ(to_string(got.code), std::string(to_string(code)));
      EXPECT_FALSE(got.retry_after) << "no hint was given";
      EXPECT_NE(got.vendor_text.find(words), std::string::npos);
    }
  }
}

TEST_P(BothDialects, CarryRetryHintsToTheMillisecond) {
  auto [client, server] = sides(GetParam());
  auto error = make_error(Errc::rate_limited, "x");
  error.retry_after = std::chrono::milliseconds(1500);
  auto answer = server.write_error(error);
  EXPECT_EQ(*http::find_header(answer.headers, "retry-after"), "2");
  auto got = client.classify(answer, {0});
  // Bedrock's seconds header is the coarser one and is read first.
  auto want = std::string_view(GetParam()) == "openai" ? 1500 : 2000;
  EXPECT_EQ(got.retry_after, std::chrono::milliseconds(want));
}

CompletionRequest round_trip_request() {
  CompletionRequest request;
  request.messages = {
      {Role::system, {TextPart{"Be terse."}}},
      {Role::user, {TextPart{"Hello"}, ImagePart{"image/png", "\x89PNG"}}},
      {Role::assistant, {TextPart{"Looking."}, ToolUsePart{"call_1", "look", {R"({"q":1})"}}}},
      {Role::user, {ToolResultPart{"call_1", "found", false}, ToolResultPart{"call_2", "lost", false}}},
      {Role::assistant, {TextPart{"Done."}}},
      {Role::user, {TextPart{"Thanks"}}}};
  request.tools = {{"look", "Looks", {R"({"type":"object"})"}}};
  request.tool_choice = ToolChoice::any;
  request.sampling = {.temperature = 0.5, .top_p = 0.25, .stop = {"END"}};
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  request.output_tokens_max = 77;
  return request;
}

TEST_P(BothDialects, ServersReadWhatClientsWrite) {
  auto [client, server] = sides(GetParam());
  for (bool stream : {false, true}) {
    auto want = round_trip_request();
    want.stream = stream;
    auto wire = client.encode(want, target());
    ASSERT_TRUE(wire);
    ASSERT_TRUE(server.serves(*wire));
    auto got = server.read_request(*wire);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->request, want);
    EXPECT_EQ(got->model, target().model);
    EXPECT_EQ(got->stream, stream);
  }
}

TEST_P(BothDialects, ServersRefuseHostileRequestsClearly) {
  auto [client, server] = sides(GetParam());
  auto wire = client.encode(ask("x"), target()).value();
  Rng rng(4);
  for (
      const auto* body :
      {"", "{", "[]", "null", "{}", R"({"model":"m"})", R"({"model":"m","messages":[]})",
       R"({"model":"m","messages":[7]})", R"({"model":"m","messages":[{"role":"user","content":7}]})",
       R"({"model":"m","messages":[{"role":"ghost","content":"x"}]})",
       R"({"model":"m","messages":[{"role":"user","content":[{"image_url":{"url":"data:x;base64,!"}}]}]})"}) {
    wire.body = body;
    auto got = server.read_request(wire);
    ASSERT_FALSE(got) << body;
    EXPECT_TRUE(got.error().code == Errc::bad_request || got.error().code == Errc::unsupported) << body;
  }
  auto whole = client.encode(round_trip_request(), target()).value();
  for (int i = 0; i < 2000; ++i) {
    auto mutated = whole;
    for (int k = 0; k < 3; ++k)
      mutated.body[rng.below(mutated.body.size())] = static_cast<char>(rng.below(256));
    [[maybe_unused]] auto survives = server.read_request(mutated);
  }
}

TEST(ServeBedrock, KnowsItsPathsAndNoOthers) {
  const auto& server = *find_dialect_server("bedrock");
  auto serves = [&](std::string path) { return server.serves({"POST", std::move(path), {}, ""}); };
  EXPECT_TRUE(serves("/model/a%3A0/converse"));
  EXPECT_TRUE(serves("/eu/model/arn:aws:x/converse-stream?x=1"));
  for (const auto* path :
       {"/", "/model/converse", "/model//converse", "/model/a/b/converse", "/model/a/invoke"})
    EXPECT_FALSE(serves(path)) << path;
  EXPECT_FALSE(server.serves({"GET", "/model/a/converse", {}, ""}));
}

TEST(ServeBedrock, RefusesWhatTheServiceRefuses) {
  const auto& server = *find_dialect_server("bedrock");
  auto refused = [&](const char* body) {
    auto got = server.read_request({"POST", "/model/m/converse", {}, body});
    return !got && got.error().code == Errc::bad_request && !got.error().vendor_text.empty();
  };
  EXPECT_TRUE(refused(R"({"messages":[{"role":"assistant","content":[{"text":"x"}]}]})"));
  EXPECT_TRUE(refused(
      R"({"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"user","content":[{"text":"x"}]}]})"));
  EXPECT_TRUE(
      refused(R"({"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[]}}]}]})"));
  EXPECT_TRUE(refused(R"({"messages":[{"role":"user","content":[]}]})"));
  EXPECT_TRUE(refused(
      R"({"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"maxTokens":0}})"));
}

TEST(ServeOpenAi, WritesWhatOfficialClientsAccepted) {
  auto text = codec_test::shared_fixture("serve/openai_chat_nonstream.response.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto want = codec_test::unordered(text);
  want.erase("service_tier");
  want.erase("system_fingerprint");
  Completion answer{
      {TextPart{"Hi"}}, StopReason::stop, {.input = 8, .output = 3, .cache_read = 4}, "gpt-4o-mini"};
  AnswerHead head{"chatcmpl-gw1", "", {1'440'938'160'000}, {}};
  auto got = find_dialect_server("openai")->write_response(answer, head);
  EXPECT_EQ(codec_test::unordered(got.body), want);
}

TEST(FindDialect, KnowsEachByNameOnBothSidesAndNoOthers) {
  for (auto name : dialect_names()) {
    ASSERT_NE(find_dialect(name), nullptr) << name;
    ASSERT_NE(find_dialect_server(name), nullptr) << name;
    EXPECT_EQ(find_dialect(name)->name(), name);
    EXPECT_EQ(find_dialect_server(name)->name(), name);
  }
  EXPECT_EQ(find_dialect("gopher"), nullptr);
  EXPECT_EQ(find_dialect_server("gopher"), nullptr);
}

}  // namespace
}  // namespace troupe::providers
