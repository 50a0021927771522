// Converse to the byte: captured requests with their signatures, reasoning, tiers, and both sides of each.
#include "providers/auth/sigv4.hpp"
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::serve_stream;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& converse() { return *find_dialect("bedrock"); }
const DialectServer& converse_server() { return *find_dialect_server("bedrock"); }

Target converse_target(std::string model = "us.anthropic.claude-sonnet-4-20250514-v1:0") {
  Target target;
  target.model = std::move(model);
  target.host = "bedrock-runtime.us-east-1.amazonaws.com";
  return target;
}

std::string converse_body(const CompletionRequest& request, const Target& target = converse_target()) {
  auto wire = converse().encode(request, target);
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? wire->body : std::string();
}

Errc converse_refusal(const CompletionRequest& request, const Target& target = converse_target()) {
  auto wire = converse().encode(request, target);
  return wire ? Errc::internal : wire.error().code;
}

std::string without(std::string text, std::string_view piece) {
  auto at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return at == std::string::npos ? text : text.erase(at, piece.size());
}

ToolSpec converse_tool() {
  return {"get_weather",
          "Weather",
          {R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},)"
           R"("required":["city"]})"}};
}

CompletionRequest rich_turn() {
  CompletionRequest request;
  request.messages = {
      {Role::system, {TextPart{"Be terse.", true}}},
      {Role::user, {TextPart{"Weather in Paris?"}}},
      {Role::assistant,
       {ReasoningPart{"Need tool.", "c2ln", {}},
        ToolUsePart{"tooluse_AbC123", "get_weather", {R"({"city":"Paris","days":1})"}, {}}}},
      {Role::user,
       {ToolResultPart{"tooluse_AbC123", "ok", false}, ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}}};
  request.tools = {converse_tool()};
  request.sampling = {.temperature = 0.5, .top_p = 0.9, .stop = {"END"}, .seed = {}};
  request.output_tokens_max = 512;
  request.stream = false;
  return request;
}

// Our request, with the headers of the capture, signed as the capture was.
void expect_signature(const codec_test::Unordered& fixture, const http::Request& ours, std::string body) {
  const auto& want = fixture["sigv4"];
  http::Request request{ours.method, ours.target, {}, std::move(body)};
  std::vector<std::string> names;
  for (const auto& pair : fixture["headers"])
    request.headers.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  auto authorization = *http::find_header(request.headers, "authorization");
  auto list = authorization.substr(authorization.find("SignedHeaders=") + 14);
  list = list.substr(0, list.find(','));
  for (std::size_t at = 0; at < list.size();
       at = list.find(';', at) == list.npos ? list.size() : list.find(';', at) + 1)
    names.push_back(list.substr(at, list.find(';', at) - at));
  std::string date = want["amz_date"];
  SigningScope scope{want["region"], want["service"]};
  auto to_sign = string_to_sign(canonical_request(request, names), date, scope);
  auto key = signing_key(want["secret_access_key"].get<std::string>(), date.substr(0, 8), scope);
  EXPECT_EQ(signature(key, to_sign), want["signature_expected"].get<std::string>());
}

TEST(EncodeConverse, ReproducesTheCapturesToTheByteAndTheirSignatures) {
  if (shared_fixture("bedrock/converse_min.request.json").empty())
    GTEST_SKIP() << "the captured fixtures are not on this machine";
  struct Capture {
    const char* name;
    const char* model;
    bool stream = false;
    bool bounded = false;
  };
  const std::string arn = "arn:aws:bedrock:us-east-1:123456789012:";
  auto profile = arn + "inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0";
  auto application = arn + "application-inference-profile/a1b2c3d4e5f6";
  auto provisioned = arn + "provisioned-model/abcdefghijkl";
  for (const auto& capture :
       {Capture{"converse_min", "anthropic.claude-3-5-sonnet-20241022-v2:0", false, true},
        Capture{"converse_provisioned_arn", provisioned.c_str()},
        Capture{"converse_sysprofile_arn", profile.c_str(), true},
        Capture{"converse_app_inference_profile_arn_session_token", application.c_str()},
        Capture{"converse_bearer", "amazon.nova-lite-v1:0"}}) {
    auto fixture = unordered(shared_fixture(std::string("bedrock/") + capture.name + ".request.json"));
    auto request = ask("Hello");
    request.stream = capture.stream;
    auto wire = converse().encode(request, converse_target(capture.model));
    ASSERT_TRUE(wire) << capture.name;
    EXPECT_EQ(wire->target, fixture["target"].get<std::string>());
    // Output is always bounded here, since providers reserve it; most captures are not.
    auto body = capture.bounded ? wire->body : without(wire->body, R"(,"inferenceConfig":{"maxTokens":64})");
    EXPECT_EQ(body, fixture["body_raw"].get<std::string>()) << capture.name;
    if (fixture.contains("sigv4")) expect_signature(fixture, *wire, body);
  }
}

TEST(EncodeConverse, ReproducesTheRichCaptures) {
  for (bool stream : {false, true}) {
    auto text = shared_fixture(stream ? "bedrock/converse_stream_rich.request.json"
                                      : "bedrock/converse_rich.request.json");
    if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
    auto fixture = unordered(text);
    auto want = fixture["body_raw"].get<std::string>();
    // Taken out: what a CompletionRequest cannot say, and thinking beside a temperature, which the models
    // refuse.
    want = want.substr(0, want.find(R"(,"guardrailConfig")")) + "}";
    want = without(want, R"({"json":{"temp_c":18}},)");
    auto request = rich_turn();
    request.stream = stream;
    auto wire = converse().encode(request, converse_target());
    ASSERT_TRUE(wire);
    EXPECT_EQ(wire->target, fixture["target"].get<std::string>());
    EXPECT_EQ(wire->body, want);
  }
}

TEST(EncodeConverse, SaysThinkingAsTheCaptureDoes) {
  auto request = ask("x");
  request.output_tokens_max = 4096;
  request.reasoning_tokens_max = 1024;
  request.sampling = {.temperature = 0.5, .top_p = 0.9, .stop = {}, .seed = {}};
  EXPECT_EQ(converse_body(request),
            R"({"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"maxTokens":4096},)"
            R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}})");
  auto thinking = [&](auto change, const Target& target = converse_target()) {
    auto changed = request;
    change(changed);
    return unordered(converse_body(changed, target))["additionalModelRequestFields"]["thinking"].dump();
  };
  EXPECT_EQ(thinking([](auto& r) { r.reasoning_tokens_max = 9999; }),
            R"({"budget_tokens":4095,"type":"enabled"})");
  EXPECT_EQ(thinking([](auto& r) { r.reasoning_tokens_max = 0; }), R"({"type":"disabled"})");
  auto force = [](auto& r) {
    r.tools = {converse_tool()};
    r.forced_tool = "get_weather";
  };
  EXPECT_EQ(thinking(force), R"({"type":"disabled"})");
  EXPECT_EQ(converse_refusal(request, converse_target("amazon.nova-lite-v1:0")), Errc::unsupported);
  EXPECT_EQ(converse_refusal(request, converse_target("arn:aws:bedrock:r:1:provisioned-model/a")),
            Errc::unsupported);
}

TEST(EncodeConverse, ForcesOneToolAndCannotForbidParallelOnes) {
  auto request = ask("x");
  request.tools = {converse_tool()};
  request.forced_tool = "get_weather";
  request.tool_choice = ToolChoice::none;
  EXPECT_EQ(unordered(converse_body(request))["toolConfig"]["toolChoice"].dump(),
            R"({"tool":{"name":"get_weather"}})");
  request.forced_tool = "ghost";
  EXPECT_EQ(converse_refusal(request), Errc::bad_request);
  request.forced_tool.clear();
  request.parallel_tools = false;
  EXPECT_EQ(converse_refusal(request), Errc::internal) << "no tool may be called, so none in parallel";
  request.tool_choice = ToolChoice::automatic;
  EXPECT_EQ(converse_refusal(request), Errc::unsupported);
}

TEST(EncodeConverse, ReturnsOnlyReasoningThatIsTheProvidersOwn) {
  auto request = ask("a");
  request.messages.push_back(
      {Role::assistant,
       {ReasoningPart{"half", "", {}}, ReasoningPart{"", "c2ln", {}}, ReasoningPart{"", "", "cmVk"},
        TextPart{"b"}, ReasoningPart{"", "Z2Vt", {}}, ToolUsePart{"t", "get_weather", {"{}"}, "Z2Vt"},
        ReasoningPart{"", "d2l0aA==", {}}}});
  EXPECT_EQ(unordered(converse_body(request))["messages"][1]["content"],
            unordered(R"([{"reasoningContent":{"reasoningText":{"text":"half","signature":"c2ln"}}},
    {"reasoningContent":{"redactedContent":"cmVk"}},{"text":"b"},
    {"toolUse":{"toolUseId":"t","name":"get_weather","input":{}}},
    {"reasoningContent":{"reasoningText":{"text":"","signature":"d2l0aA=="}}}])"));
}

TEST(EncodeConverse, KeepsTheLastFourCachePoints) {
  auto request = ask("0");
  request.messages[0].parts.clear();
  for (int i = 0; i < 6; ++i) request.messages[0].parts.emplace_back(TextPart{std::to_string(i), true});
  auto content = unordered(converse_body(request))["messages"][0]["content"];
  ASSERT_EQ(content.size(), 10u);
  EXPECT_EQ(content[2]["text"], "2");
  EXPECT_TRUE(content[3].contains("cachePoint"));
}

TEST(DecodeConverse, ReadsEveryFieldOfTheCapturedAnswer) {
  auto text = shared_fixture("bedrock/converse.response.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto got = converse().decode({200, {}, text});
  ASSERT_TRUE(got);
  std::vector<Part> want{ReasoningPart{"think", "c2ln", {}}, TextPart{"Hi"},
                         ToolUsePart{"tooluse_AbC123", "get_weather", {R"({"city":"Paris"})"}, {}}};
  EXPECT_EQ(got->parts, want);
  EXPECT_EQ(got->stop, StopReason::tool_calls);
  EXPECT_EQ(got->usage, (Usage{.input = 12, .output = 5, .cache_read = 100, .cache_write = 20}));
  EXPECT_EQ(got->tier, "default");
  EXPECT_EQ(unordered(got->extra.text),
            unordered(R"({"performanceConfig":{"latency":"standard"},)"
                      R"("usage":{"cacheReadInputTokenCount":100,"cacheWriteInputTokenCount":20}})"));
}

TEST(DecodeConverse, SplitsCacheWritesByHowLongTheyAreKept) {
  auto usage = [](const char* details, int written) {
    return converse()
        .decode({200,
                 {},
                 R"({"output":{"message":{"content":[]}},"stopReason":"end_turn","usage":{)"
                 R"("cacheWriteInputTokens":)" +
                     std::to_string(written) + R"(,"cacheDetails":)" + details + "}}"})
        ->usage;
  };
  EXPECT_EQ(usage(R"([{"ttl":"1h","inputTokens":7},{"ttl":"5m","inputTokens":3}])", 10),
            (Usage{.cache_write = 10, .cache_write_1h = 7}));
  EXPECT_EQ(usage(R"([{"ttl":"1h","inputTokens":99}])", 10),
            (Usage{.cache_write = 10, .cache_write_1h = 10}));
  EXPECT_EQ(usage(R"([7,{"ttl":"1h"}])", 10), (Usage{.cache_write = 10}));
}

TEST(DecodeConverse, KeepsAStopReasonItDoesNotKnow) {
  auto got = converse().decode(
      {200, {}, R"({"output":{"message":{"content":[{"new":{}}]}},"stopReason":"new_reason","usage":{}})"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->stop, StopReason::model_error);
  EXPECT_EQ(got->unrecognised_stop, "new_reason");
  EXPECT_TRUE(got->parts.empty());
}

// An answer with everything Converse can say.
Completion converse_answer(Rng& rng) {
  auto answer = codec_test::random_completion(rng, true);
  if (rng.below(3) == 0) answer.parts.insert(answer.parts.begin(), ReasoningPart{"", "", "cmVkYWN0ZWQ="});
  if (rng.below(2) == 0) answer.usage.cache_write_1h = answer.usage.cache_write / 2;
  if (rng.below(2) == 0) answer.tier = "priority";
  if (rng.below(2) == 0)
    answer.extra.text =
        R"({"performanceConfig":{"latency":"optimized"},"usage":{"serverToolUsage":{"n":1}}})";
  if (rng.below(5) == 0) {
    answer.stop = StopReason::model_error;
    answer.unrecognised_stop = "new_reason";
  }
  return answer;
}

TEST(ServeConverse, IsReadBackWhole) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    auto want = converse_answer(rng);
    auto got = converse().decode(converse_server().write_response(want, {}));
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(*got, want) << "answer " << i;
  }
}

TEST(ServeConverse, IsReadBackWholeWhenStreamed) {
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    auto want = converse_answer(rng);
    auto events = codec_test::events_of(want, rng);
    const auto* redacted = want.parts.empty() ? nullptr : std::get_if<ReasoningPart>(&want.parts.front());
    if (redacted != nullptr && !redacted->redacted.empty())
      events.insert(events.begin() + 1, ReasoningDelta{{}, {}, redacted->redacted});
    for (auto& event : events)
      if (auto* stopped = std::get_if<StreamStopped>(&event)) stopped->unrecognised = want.unrecognised_stop;
    if (!want.tier.empty() || !want.extra.text.empty())
      events.emplace_back(DetailsReported{want.tier, want.extra});
    auto got = decode_whole(converse(), serve_stream(converse_server(), events));
    ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
    ASSERT_EQ(got.sum(), want) << "answer " << i;
  }
}

TEST(ServeConverse, ReadsWhatTheClientWrites) {
  for (int choice = 0; choice < 4; ++choice) {
    auto want = rich_turn();
    want.messages[2].parts.insert(want.messages[2].parts.begin(), ReasoningPart{"", "", "cmVk"});
    want.sampling = {.temperature = {}, .top_p = 0.99, .stop = {"END"}, .seed = {}};
    want.output_tokens_max = 4096;
    want.reasoning_tokens_max = choice == 0 ? 2048 : 0;
    want.response_schema = {"answer", {R"({"type":"object"})"}};
    if (choice == 1) want.tool_choice = ToolChoice::any;
    if (choice == 2) want.forced_tool = "get_weather";
    if (choice == 3) want.reasoning_tokens_max.reset();
    auto got = converse_server().read_request(converse().encode(want, converse_target()).value());
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->request, want) << choice;
  }
}

TEST(ServeConverse, ReadsWhatOfficialClientsSend) {
  for (const auto* name : {"converse_rich", "converse_stream_rich"}) {
    auto text = shared_fixture(std::string("bedrock/") + name + ".request.json");
    if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
    auto fixture = unordered(text);
    auto got = converse_server().read_request(
        {"POST", fixture["target"].get<std::string>(), {}, fixture["body_raw"].get<std::string>()});
    ASSERT_TRUE(got) << got.error().what;
    auto want = rich_turn();
    want.stream = std::string_view(name) == "converse_stream_rich";
    want.reasoning_tokens_max = 1024;
    std::get<ToolResultPart>(want.messages[3].parts[0]).text = R"({"temp_c":18}ok)";
    EXPECT_EQ(got->request, want);
    EXPECT_EQ(got->model, "us.anthropic.claude-sonnet-4-20250514-v1:0");
  }
}

TEST(ServeConverse, ReadsSystemMessagesAmongTheOthers) {
  auto got = converse_server().read_request({"POST",
                                             "/model/m/converse",
                                             {},
                                             R"({"messages":[{"role":"system","content":[{"text":"s"}]},)"
                                             R"({"role":"user","content":[{"text":"x"}]}]})"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->request.messages[0].role, Role::system);
}

TEST(ServeConverse, SaysWhatTheModelItselfAnswered) {
  auto back = [](int status) {
    return converse().classify(converse_server().write_model_error(status), {0});
  };
  EXPECT_EQ(back(500).code, Errc::transient_server);
  EXPECT_FALSE(back(500).retryable);
  EXPECT_EQ(back(429).code, Errc::rate_limited);
  EXPECT_EQ(back(400).code, Errc::bad_request);
}

TEST(ClassifyConverse, SaysSoWhenAnErrorTypeIsNew) {  // G1
  auto error = converse().classify({403, {{"x-amzn-errortype", "NewException"}}, "{}"}, {0});
  EXPECT_EQ(error.code, Errc::permission);
  EXPECT_TRUE(error.unrecognised);
  EXPECT_FALSE(converse().classify({502, {}, "<html>"}, {0}).unrecognised);
  EXPECT_FALSE(
      converse().classify({429, {{"x-amzn-errortype", "ThrottlingException"}}, "{}"}, {0}).unrecognised);
}

}  // namespace
}  // namespace troupe::providers
