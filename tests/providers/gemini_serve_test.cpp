// Gemini's server side: what official clients send is read, what it writes the dialect reads back.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::serve_stream;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& gemini_client() { return *find_dialect("vertex_gemini"); }
const DialectServer& gemini_server() { return *find_dialect_server("vertex_gemini"); }

Target gemini_target() {
  Target target;
  target.model = "gemini-x";
  target.host = "h";
  target.project = "p";
  target.location = "l";
  return target;
}

Result<ServedCall> read_body(std::string body, const char* verb = "generateContent") {
  return gemini_server().read_request({"POST", std::string("/v1beta/models/m:") + verb, {}, std::move(body)});
}

std::string served_model(std::string path) {
  auto call = gemini_server().read_request(
      {"POST", std::move(path), {}, R"({"contents":[{"parts":[{"text":"x"}]}]})"});
  return call ? call->model + (call->stream ? " stream" : "") : std::string(to_string(call.error().code));
}

TEST(ServeGemini, KnowsItsPathsAndNoOthers) {
  EXPECT_EQ(served_model("/v1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent"),
            "gemini-x");
  EXPECT_EQ(served_model("/v1beta1/projects/p/locations/global/publishers/google/models/g%40x:"
                         "streamGenerateContent?alt=sse"),
            "g@x stream");
  EXPECT_EQ(served_model("/v1beta/models/gemini-x:streamGenerateContent?key=k&alt=sse"), "gemini-x stream");
  EXPECT_EQ(served_model("/eu/v1/projects/p/locations/l/endpoints/42:generateContent"), "endpoints/42");
  EXPECT_EQ(served_model("/v1/projects/p/locations/l/publishers/meta/models/ll:generateContent"),
            "publishers/meta/models/ll");
  EXPECT_EQ(served_model("/v1beta/models/m:streamGenerateContent"), "bad_request") << "an array, not events";
  for (const auto* path : {"/", "/:generateContent", "/v1beta/models/:generateContent", "/models",
                           "/v1beta/models/m:countTokens", "/v1beta/cats/m:generateContent",
                           "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict"}) {
    EXPECT_EQ(served_model(path), "not_found") << path;
    EXPECT_FALSE(gemini_server().serves({"POST", path, {}, ""})) << path;
  }
  EXPECT_FALSE(gemini_server().serves({"GET", "/v1beta/models/m:generateContent", {}, ""}));
}

CompletionRequest whole_request() {
  CompletionRequest request;
  request.messages = {
      {Role::system, {TextPart{"Be terse."}}},
      {Role::user, {TextPart{"Hello"}, ImagePart{"image/png", "\x89PNG"}}},
      {Role::assistant,
       {ReasoningPart{"hm", "", {}}, TextPart{"Looking."}, ReasoningPart{"", "c2ln", {}},
        ToolUsePart{"call_0", "look", {R"({"q":1})"}, "QUJD"}, ToolUsePart{"call_1", "look", {"{}"}, {}},
        ToolUsePart{"toolu_9", "look", {"{}"}, {}}}},
      {Role::user,
       {ToolResultPart{"call_0", "found", false}, ToolResultPart{"call_1", R"({"output":"x"})", true},
        ToolResultPart{"toolu_9", R"({"a":[1,2.5]})", false}, TextPart{"and?"}}},
      {Role::assistant, {ToolUsePart{"call_3", "look", {"{}"}, {}}}},
      {Role::user, {ToolResultPart{"call_3", "{ \"spaced\": 1 }", false}}}};
  request.tools = {{"look", "Looks", {R"({"type":"object"})"}}, {"wait", "", {R"({"type":"object"})"}}};
  request.sampling = {.temperature = 0.5, .top_p = 0.25, .stop = {"END"}, .seed = -7};
  request.response_schema = {"response", {R"({"type":"object"})"}};
  request.output_tokens_max = 77;
  request.reasoning_tokens_max = 2048;
  return request;
}

TEST(ServeGemini, ReadsWhatTheClientWrites) {  // G5
  for (bool stream : {false, true}) {
    for (int choice = 0; choice < 4; ++choice) {
      auto want = whole_request();
      want.stream = stream;
      if (choice < 3) want.tool_choice = static_cast<ToolChoice>(choice);
      if (choice == 3) want.forced_tool = "wait";
      auto wire = gemini_client().encode(want, gemini_target());
      ASSERT_TRUE(wire) << wire.error().what;
      auto got = gemini_server().read_request(*wire);
      ASSERT_TRUE(got) << got.error().what;
      EXPECT_EQ(got->request, want) << wire->body;
      EXPECT_EQ(got->model, "gemini-x");
      EXPECT_EQ(got->stream, stream);
    }
  }
}

TEST(ServeGemini, ReadsWhatOfficialClientsSend) {
  auto read = [](const char* name) {
    auto fixture = unordered(shared_fixture(std::string("vertex/") + name));
    http::Request wire{fixture["method"].get<std::string>(),
                       fixture["target"].get<std::string>(),
                       {},
                       fixture["body_raw"].get<std::string>()};
    return gemini_server().read_request(wire);
  };
  if (shared_fixture("vertex/generate_tools.request.json").empty())
    GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto tools = read("generate_tools.request.json");
  ASSERT_TRUE(tools) << tools.error().what;
  EXPECT_EQ(tools->request.forced_tool, "get_weather");
  EXPECT_EQ(tools->request.tools[0].input_schema.text,
            R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})");
  EXPECT_EQ(tools->request.messages[2].parts[0], Part(ToolResultPart{"call_0", R"({"temp_c":18})", false}));
  auto rich = read("generate_rich_pt_dedicated.request.json");
  ASSERT_TRUE(rich) << rich.error().what;
  EXPECT_EQ(rich->request.reasoning_tokens_max, 512);
  EXPECT_EQ(rich->request.sampling.seed, 7);
  EXPECT_EQ(rich->request.response_schema->schema.text,
            R"({"type":"object","properties":{"a":{"type":"string"}}})");
  for (const auto* name : {"generate_global.request.json", "generate_min_regional.request.json",
                           "gemini_developer_api_generate.request.json", "stream_regional.request.json"}) {
    auto got = read(name);
    ASSERT_TRUE(got) << name;
    EXPECT_EQ(got->model, "gemini-2.5-flash");
    EXPECT_EQ(got->stream, std::string_view(name).starts_with("stream"));
  }
}

TEST(ServeGemini, ReadsSnakeCaseLevelsAndGooglesSchema) {
  auto got = read_body(R"({"system_instruction":{"parts":[{"text":"s"}]},
    "contents":[{"parts":[{"text":"x"},{"inline_data":{"mime_type":"image/png","data":"QUJD"}}]}],
    "tools":[{"function_declarations":[{"name":"a"},{"name":"b","parameters":{"type":"OBJECT","properties":
      {"n":{"type":"INTEGER","nullable":true,"format":"int32"},"l":{"type":"ARRAY","maxItems":"3",
      "items":{"type":"STRING","format":"enum","enum":["p"]}}},"propertyOrdering":["n"]}}]}],
    "tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["b","c"]}},
    "generation_config":{"max_output_tokens":9,"top_k":40,"thinking_config":{"thinking_level":"HIGH"},
      "response_mime_type":"application/json"}})");
  ASSERT_TRUE(got) << got.error().what;
  const auto& request = got->request;
  EXPECT_EQ(request.messages[0].role, Role::system);
  EXPECT_EQ(request.messages[1].parts[1], Part(ImagePart{"image/png", "ABC"}));
  ASSERT_EQ(request.tools.size(), 1u);
  EXPECT_EQ(request.tools[0].input_schema.text,
            R"({"type":"object","properties":{"n":{"type":["integer","null"],"format":"int32"},)"
            R"("l":{"type":"array","maxItems":3,"items":{"type":"string","enum":["p"]}}}})");
  EXPECT_EQ(request.tool_choice, ToolChoice::any);
  EXPECT_EQ(request.output_tokens_max, 9);
  EXPECT_EQ(request.reasoning_tokens_max, 16384);
  EXPECT_EQ(request.response_schema->schema.text, R"({"type":"object"})");
}

TEST(ServeGemini, RefusesClearly) {
  auto code = [](const char* body) {
    auto got = read_body(body);
    return got ? Errc::internal : got.error().code;
  };
  for (const auto* body :
       {"", "{", "[]", "{}", R"({"contents":[]})", R"({"contents":[7]})", R"({"contents":[{"parts":[]}]})",
        R"({"contents":[{"role":"ghost","parts":[{"text":"x"}]}]})", R"({"contents":[{"parts":[{}]}]})",
        R"({"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"!"}}]}]})",
        R"({"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]})",
        R"({"contents":[{"role":"model","parts":[{"functionCall":{}}]}]})",
        R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":0}})",
        R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"seed":18446744073709551615}})",
        R"({"contents":[{"parts":[{"text":"x"}]}],)"
        R"("toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}})"})
    EXPECT_EQ(code(body), Errc::bad_request) << body;
  for (const auto* body :
       {R"({"contents":[{"parts":[{"fileData":{"fileUri":"gs://x"}}]}]})",
        R"({"contents":[{"parts":[{"text":"x"}]}],"tools":[{"googleSearch":{}}]})",
        R"({"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"c"})",
        R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":2}})"})
    EXPECT_EQ(code(body), Errc::unsupported) << body;
}

TEST(ServeGemini, SurvivesMutatedRequests) {
  auto whole = gemini_client().encode(whole_request(), gemini_target()).value();
  Rng rng(4);
  for (int i = 0; i < 3000; ++i) {
    auto mutated = whole;
    for (int k = 0; k < 3; ++k)
      mutated.body[rng.below(mutated.body.size())] = static_cast<char>(rng.below(256));
    [[maybe_unused]] auto survives = gemini_server().read_request(mutated);
  }
}

// An answer with everything Gemini can say.
Completion gemini_answer(Rng& rng) {
  auto answer = codec_test::random_completion(rng, false);
  if (rng.below(2) == 0 && !answer.parts.empty() && std::holds_alternative<TextPart>(answer.parts.back()))
    answer.parts.emplace_back(ReasoningPart{"", "c2ln", {}});
  for (auto& part : answer.parts) {
    auto* use = std::get_if<ToolUsePart>(&part);
    if (use == nullptr) continue;
    // Ids that a reader made ("call_0") do not travel; a provider's own do.
    use->id = "own-" + use->id;
    if (rng.below(2) == 0) use->signature = "QUJD";
  }
  answer.usage.cache_write = 0;
  answer.usage.reasoning = answer.usage.output / 3;
  answer.model = "gemini-x";
  if (rng.below(2) == 0) answer.tier = "PROVISIONED_THROUGHPUT";
  if (rng.below(2) == 0)
    answer.extra.text = R"({"avgLogprobs":-0.5,"usageMetadata":{"promptTokensDetails":[{"tokenCount":1}]}})";
  if (rng.below(5) == 0 && answer.stop != StopReason::tool_calls) {
    answer.stop = StopReason::model_error;
    answer.unrecognised_stop = "NEW_REASON";
  }
  return answer;
}

TEST(ServeGemini, IsReadBackWhole) {
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    auto want = gemini_answer(rng);
    auto got = gemini_client().decode(gemini_server().write_response(want, {}));
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(*got, want) << "answer " << i;
  }
}

std::vector<StreamEvent> gemini_events(const Completion& answer, Rng& rng) {
  auto events = codec_test::events_of(answer, rng);
  std::size_t tool = 0;
  std::vector<std::string> signatures;
  for (const auto& part : answer.parts)
    if (const auto* use = std::get_if<ToolUsePart>(&part)) signatures.push_back(use->signature);
  for (auto& event : events) {
    if (auto* started = std::get_if<ToolUseStarted>(&event)) started->signature = signatures[tool++];
    if (auto* stopped = std::get_if<StreamStopped>(&event)) stopped->unrecognised = answer.unrecognised_stop;
  }
  if (!answer.tier.empty() || !answer.extra.text.empty())
    events.emplace_back(DetailsReported{answer.tier, answer.extra});
  return events;
}

TEST(ServeGemini, IsReadBackWholeWhenStreamed) {  // G4
  Rng rng(2);
  for (int i = 0; i < 500; ++i) {
    auto want = gemini_answer(rng);
    auto got = decode_whole(gemini_client(), serve_stream(gemini_server(), gemini_events(want, rng)));
    ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
    ASSERT_EQ(got.sum(), want) << "answer " << i;
  }
}

TEST(ServeGemini, WritesInterleavedCallsAndLaterTextInOrder) {
  auto bytes =
      serve_stream(gemini_server(),
                   {StreamStarted{"m"}, TextDelta{"a"}, ToolUseStarted{0, "x", "f", {}},
                    ToolUseStarted{1, "y", "g", {}}, ToolInputDelta{0, R"({"k":)"}, ToolInputDelta{1, "{}"},
                    ToolInputDelta{0, "1}"}, TextDelta{"b"}, StreamStopped{StopReason::tool_calls, {}}});
  std::vector<Part> want{TextPart{"a"}, ToolUsePart{"x", "f", {R"({"k":1})"}, {}},
                         ToolUsePart{"y", "g", {"{}"}, {}}, TextPart{"b"}};
  auto got = decode_whole(gemini_client(), bytes);
  EXPECT_EQ(got.sum().parts, want);
  codec_test::expect_same_however_split(gemini_client(), bytes);
  codec_test::expect_truncation_shows(gemini_client(), bytes);
}

TEST(ServeGemini, WritesEveryStopReasonAsTheNearestWord) {
  auto back = [](StopReason reason) {
    return gemini_client().decode(gemini_server().write_response({{TextPart{"x"}}, reason}, {}))->stop;
  };
  EXPECT_EQ(back(StopReason::stop), StopReason::stop);
  EXPECT_EQ(back(StopReason::stop_sequence), StopReason::stop);
  EXPECT_EQ(back(StopReason::length), StopReason::length);
  EXPECT_EQ(back(StopReason::context_length), StopReason::length);
  EXPECT_EQ(back(StopReason::content_filter), StopReason::content_filter);
  EXPECT_EQ(back(StopReason::pause), StopReason::pause);
  EXPECT_EQ(back(StopReason::model_error), StopReason::model_error);
}

TEST(ServeGemini, SaysWhoAnsweredAndWhen) {
  AnswerHead head{"resp-1", "gemini-x", {1'440'938'160'000}, {}};
  auto body = unordered(gemini_server().write_response({{TextPart{"Hi"}}, StopReason::stop}, head).body);
  EXPECT_EQ(body["createTime"], "2015-08-30T12:36:00.000000Z");
  EXPECT_EQ(body["responseId"], "resp-1");
  EXPECT_EQ(body["modelVersion"], "gemini-x");
  EXPECT_EQ(*http::find_header(gemini_server().stream_head(head).headers, "content-type"),
            "text/event-stream");
}

constexpr std::array kSayable{Errc::rate_limited,     Errc::overloaded,
                              Errc::quota_exhausted,  Errc::timeout,
                              Errc::model_not_ready,  Errc::transient_server,
                              Errc::bad_request,      Errc::context_length_exceeded,
                              Errc::content_filtered, Errc::auth,
                              Errc::permission,       Errc::not_found,
                              Errc::cancelled};

TEST(ServeGemini, RefusesInWordsThatAreReadBack) {
  for (auto code : kSayable) {
    for (const auto* words : {"", "boo"}) {
      auto error = make_error(code, "x");
      error.vendor_text = words;
      auto got = gemini_client().classify(gemini_server().write_error(error), {0});
      EXPECT_EQ(to_string(got.code), std::string(to_string(code)));
      EXPECT_FALSE(got.retry_after);
      EXPECT_FALSE(got.unrecognised);
      EXPECT_NE(got.vendor_text.find(words), std::string::npos);
      auto writer = gemini_server().stream_writer({});
      auto streamed =
          decode_whole(gemini_client(), writer->write(TextDelta{"Hi"}) + writer->write_error(error));
      ASSERT_NE(streamed.error(), nullptr);
      EXPECT_EQ(to_string(streamed.error()->code), std::string(to_string(code)));
      EXPECT_EQ(streamed.sum().text(), "Hi");
    }
  }
}

TEST(ServeGemini, GivesItsHintTwice) {  // G3
  auto error = make_error(Errc::rate_limited, "x");
  error.retry_after = std::chrono::milliseconds(1500);
  auto answer = gemini_server().write_error(error);
  EXPECT_EQ(*http::find_header(answer.headers, "retry-after"), "2");
  EXPECT_EQ(gemini_client().classify(answer, {0}).retry_after, std::chrono::seconds(2));
  answer.headers.clear();
  EXPECT_EQ(gemini_client().classify(answer, {0}).retry_after, std::chrono::milliseconds(1500));
}

Error google_said(int status, const char* word, const std::string& message,
                  const std::string& details = "[]") {
  auto body = R"({"error":{"code":)" + std::to_string(status) + R"(,"message":")" + message +
              R"(","status":")" + word + R"(","details":)" + details + "}}";
  return gemini_client().classify({status, {}, body}, {0});
}

TEST(ClassifyGoogle, TellsTheThreeMeaningsOfOneStatusApart) {  // G2
  auto pool = google_said(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.");
  EXPECT_EQ(pool.code, Errc::overloaded);
  EXPECT_FALSE(pool.counts_for_breaker) << "a contended pool is nobody's sickness";
  EXPECT_TRUE(pool.failover);
  auto quota = google_said(429, "RESOURCE_EXHAUSTED", "Quota exceeded for aiplatform.googleapis.com/x");
  EXPECT_EQ(quota.code, Errc::rate_limited);
  auto dedicated =
      google_said(429, "RESOURCE_EXHAUSTED", "Too many requests. Exceeded the Provisioned Throughput.");
  EXPECT_EQ(dedicated.code, Errc::rate_limited);
  EXPECT_FALSE(dedicated.counts_for_breaker);
  // Within bought throughput the provider answers 5xx where others get 429: its own failure.
  auto under_use = google_said(503, "UNAVAILABLE", "The service is currently unavailable.");
  EXPECT_EQ(under_use.code, Errc::overloaded);
  EXPECT_TRUE(under_use.counts_for_breaker);
  EXPECT_TRUE(google_said(500, "INTERNAL", "x").counts_for_breaker);
}

TEST(ClassifyGoogle, ParksADailyQuotaAndReadsHints) {
  EXPECT_EQ(google_said(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota",
                        R"([{"@type":"t/google.rpc.QuotaFailure","violations":[{"quotaId":"XPerDayY"}]}])")
                .code,
            Errc::quota_exhausted);
  auto hint = [](const char* delay) {
    return google_said(
               429, "RESOURCE_EXHAUSTED", "Quota exceeded",
               std::string(R"([7,{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")") +
                   delay + "\"}]")
        .retry_after;
  };
  EXPECT_EQ(hint("17.5s"), std::chrono::milliseconds(17500));
  EXPECT_EQ(hint("0s"), Duration::zero());
  EXPECT_EQ(hint("999999s"), std::chrono::hours(1));
  EXPECT_FALSE(hint("-5s"));
  EXPECT_FALSE(hint("soon"));
}

TEST(ClassifyGoogle, PutsWhatItDoesNotKnowInAConservativeClassAndSaysSo) {  // G1
  auto strange = google_said(403, "NEW_WORD", "x");
  EXPECT_EQ(strange.code, Errc::permission);
  EXPECT_TRUE(strange.unrecognised);
  EXPECT_EQ(google_said(429, "RESOURCE_EXHAUSTED", "new words").code, Errc::rate_limited);
  for (const auto* body :
       {"", "null", "[]", "7", "{}", R"({"error":7})", R"([{"error":{}}])", "\xff", "<html>"}) {
    auto error = gemini_client().classify({502, {}, body}, {0});
    EXPECT_EQ(error.code, Errc::transient_server) << body;
    EXPECT_FALSE(error.unrecognised) << body;
  }
}

}  // namespace
}  // namespace troupe::providers
