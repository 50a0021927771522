// SageMaker endpoints with OpenAI-chat containers: requests and signatures as captured, streams in frames.
#include "providers/auth/sigv4.hpp"

#include "tests/providers/sagemaker_test_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;
using sagemaker_test::event_frame;
using sagemaker_test::exception_frame;
using sagemaker_test::in_frames;

const Dialect& chat_endpoint() { return *find_dialect("sagemaker"); }
const DialectServer& chat_endpoint_server() { return *find_dialect_server("sagemaker"); }

Target my_endpoint() {
  return {.model = "my-llm-endpoint", .host = "runtime.sagemaker.us-east-1.amazonaws.com"};
}

CompletionRequest hello(bool stream) {
  auto request = ask("Hello");
  request.output_tokens_max = 16;
  request.stream = stream;
  return request;
}

TEST(EncodeSageMaker, WritesTheContainersBodyWithoutAModel) {
  auto whole = chat_endpoint().encode(hello(false), my_endpoint());
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->target, "/endpoints/my-llm-endpoint/invocations");
  EXPECT_EQ(whole->body,
            R"({"messages":[{"role":"user","content":"Hello"}],"max_tokens":16,"stream":false})");
  EXPECT_EQ(*http::find_header(whole->headers, "accept"), "application/json");
  auto streamed = chat_endpoint().encode(hello(true), my_endpoint());
  ASSERT_TRUE(streamed);
  EXPECT_EQ(streamed->target, "/endpoints/my-llm-endpoint/invocations-response-stream");
  EXPECT_EQ(streamed->body,
            R"({"messages":[{"role":"user","content":"Hello"}],"max_tokens":16,"stream":true,)"
            R"("stream_options":{"include_usage":true}})");
  EXPECT_EQ(*http::find_header(streamed->headers, "x-amzn-sagemaker-accept"), "application/json");
  EXPECT_EQ(http::find_header(streamed->headers, "accept"), nullptr);
}

// The captures carry variant, component, inference and session ids of the SDK's caller, which a target has no
// place for; and a stream does not ask for usage, which ours does.
void expect_captured_call(const char* fixture, bool stream) {
  auto text = shared_fixture(fixture);
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = unordered(text);
  auto wire = chat_endpoint().encode(hello(stream), my_endpoint()).value();
  std::string_view usage = R"(,"stream_options":{"include_usage":true})";
  if (stream) wire.body.erase(wire.body.find(usage), usage.size());
  EXPECT_EQ(wire.body, captured["body_raw"].get<std::string>());
  EXPECT_EQ(wire.target, captured["target"].get<std::string>());
  EXPECT_EQ(wire.method, captured["method"].get<std::string>());
  for (const auto& [name, value] : wire.headers) {
    bool found = false;
    for (const auto& header : captured["headers"])
      found = found || (http::same_header_name(header[0].get<std::string>(), name) &&
                        header[1].get<std::string>() == value);
    EXPECT_TRUE(found) << name;
  }
}

TEST(EncodeSageMaker, AgreesWithTheCapturedCall) {
  expect_captured_call("sagemaker/invoke_endpoint.request.json", false);
}
TEST(EncodeSageMaker, AgreesWithTheCapturedStreamingCall) {
  expect_captured_call("sagemaker/invoke_endpoint_stream.request.json", true);
}

// Given the capture's headers, our path and body sign to the capture's signature. The SDK signs every header
// it sends; sign() those AWS requires, so the steps are put together here.
void expect_captured_signature(const char* fixture, bool stream) {
  auto text = shared_fixture(fixture);
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = unordered(text);
  auto wire = chat_endpoint().encode(hello(stream), my_endpoint()).value();
  std::string_view usage = R"(,"stream_options":{"include_usage":true})";
  if (stream) wire.body.erase(wire.body.find(usage), usage.size());
  wire.headers.clear();
  std::string authorization;
  for (const auto& header : captured["headers"]) {
    auto name = header[0].get<std::string>();
    if (name == "authorization") authorization = header[1].get<std::string>();
    if (name != "authorization" && name != "Connection") wire.headers.emplace_back(name, header[1]);
  }
  auto from = authorization.find("SignedHeaders=") + 14;
  std::vector<std::string> names;
  for (auto rest = authorization.substr(from, authorization.find(',', from) - from); !rest.empty();) {
    auto end = std::min(rest.find(';'), rest.size());
    names.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  SigningScope scope{"us-east-1", "sagemaker"};
  auto key = signing_key(captured["sigv4"]["secret_access_key"].get<std::string>(), "20150830", scope);
  auto to_sign = string_to_sign(canonical_request(wire, names), "20150830T123600Z", scope);
  EXPECT_EQ(signature(key, to_sign), captured["sigv4"]["signature_expected"].get<std::string>());
}

TEST(SignSageMaker, ReproducesTheCapturedSignature) {
  expect_captured_signature("sagemaker/invoke_endpoint.request.json", false);
}
TEST(SignSageMaker, ReproducesTheCapturedStreamingSignature) {
  expect_captured_signature("sagemaker/invoke_endpoint_stream.request.json", true);
}

TEST(EncodeSageMaker, RefusesNamesNoEndpointCanHave) {
  for (const auto& name : {std::string(), std::string("a/b"), std::string("a b"), std::string(64, 'a')}) {
    auto got = chat_endpoint().encode(hello(false), {.model = name, .host = "h"});
    ASSERT_FALSE(got) << name;
    EXPECT_EQ(got.error().code, Errc::bad_request);
  }
  EXPECT_TRUE(chat_endpoint().encode(hello(false), {.model = std::string(63, 'a'), .host = "h"}));
}

TEST(SageMakerStream, ReassemblesPartsThatSplitAnything) {
  auto hex = shared_fixture("sagemaker/vllm_sse_split.stream.hex");
  if (hex.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  std::erase_if(hex, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  auto bytes = codec_test::from_hex(hex);
  auto got = decode_whole(chat_endpoint(), bytes);
  ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
  EXPECT_EQ(got.sum().text(), "héllo €😀");
  EXPECT_EQ(got.sum().stop, StopReason::stop);
  EXPECT_EQ(got.sum().usage, (Usage{.input = 9, .output = 4}));
  codec_test::expect_truncation_shows(chat_endpoint(), bytes);
}

TEST(SageMakerStream, ReadsTheSameWhereverPartsAreCut) {
  auto sse = codec_test::golden("openai/text.sse");
  auto whole = decode_whole(*find_dialect("openai"), sse);
  for (std::size_t part : {1u, 2u, 3u, 7u, 64u, 1000u, 100000u}) {
    auto got = decode_whole(chat_endpoint(), in_frames(sse, part));
    ASSERT_TRUE(got.finished) << part;
    EXPECT_EQ(got.events, whole.events) << part;
  }
}

TEST(SageMakerStream, SkipsEventsItDoesNotKnow) {
  auto sse = codec_test::golden("openai/text.sse");
  auto bytes = event_frame("Novelty", "x") + in_frames(sse.substr(0, 99), 9) + event_frame("Novelty", "{}") +
               in_frames(sse.substr(99), 50);
  auto got = decode_whole(chat_endpoint(), bytes);
  ASSERT_TRUE(got.finished);
  EXPECT_EQ(got.sum().text(), "héllo €😀");
}

TEST(SageMakerStream, EndsWithTheClassOfItsExceptions) {
  auto code = [](const std::string& last) {
    auto start = in_frames(codec_test::golden("openai/text.sse").substr(0, 600), 50);
    auto got = decode_whole(chat_endpoint(), start + last);
    EXPECT_FALSE(got.stopped());
    EXPECT_TRUE(got.error() != nullptr && got.error()->maybe_billed);
    return got.error() != nullptr ? got.error()->code : Errc::internal;
  };
  EXPECT_EQ(code(exception_frame("ModelStreamError", R"({"ErrorCode":"ModelInvocationTimeExceeded"})")),
            Errc::timeout);
  EXPECT_EQ(code(exception_frame("modelStreamError", R"({"Message":"x","ErrorCode":"StreamBroken"})")),
            Errc::stream_broken);
  EXPECT_EQ(code(exception_frame("InternalStreamFailure", "")), Errc::transient_server);
  EXPECT_EQ(code(exception_frame("NoveltyException", "{")), Errc::transient_server);
  Frame unmodelled;
  unmodelled.headers = {{":message-type", std::string("error")},
                        {":error-code", std::string("ThrottlingException")},
                        {":error-message", std::string("slow")}};
  EXPECT_EQ(code(encode_frame(unmodelled).value()), Errc::rate_limited);
  EXPECT_EQ(code(in_frames("\n\ndata: {\"error\":\"x\",\"error_type\":\"generation\"}\n\n", 5)),
            Errc::stream_broken);
}

TEST(ClassifySageMaker, KnowsItsOwnTypesAndTheContainersWords) {
  auto classified = [](int status, const char* type, const char* body) {
    return chat_endpoint().classify({status, {{"x-amzn-ErrorType", type}}, body}, {0});
  };
  EXPECT_EQ(classified(400, "ThrottlingException", R"({"message":null})").code, Errc::rate_limited);
  EXPECT_EQ(
      classified(400, "com.amazon#ValidationError:http://x", R"({"Message":"Endpoint e not found."})").code,
      Errc::not_found);
  auto model = [&](const char* body) { return classified(424, "ModelError", body); };
  EXPECT_EQ(model(R"({"OriginalStatusCode":0})").code, Errc::timeout);
  EXPECT_EQ(model(R"({"OriginalStatusCode":429,"OriginalMessage":"{\"error\":{\"message\":\"m\"}}"})").code,
            Errc::rate_limited);
  EXPECT_EQ(model(R"({"OriginalStatusCode":401})").code, Errc::auth);
  EXPECT_EQ(model(R"({"OriginalStatusCode":99999999999})").code, Errc::transient_server);
  EXPECT_EQ(model("{}").code, Errc::transient_server);
  auto tgi = model(
      R"({"OriginalStatusCode":422,"OriginalMessage":)"
      R"("{\"error\":\"`inputs` tokens + `max_new_tokens` must be <= 9\",\"error_type\":\"validation\"}"})");
  EXPECT_EQ(tgi.code, Errc::context_length_exceeded);
  EXPECT_TRUE(tgi.vendor_text.starts_with("`inputs`")) << "the container's words, not the wrapper's";
  auto novel = classified(530, "NovelException", "{}");
  EXPECT_TRUE(novel.unrecognised);
  EXPECT_EQ(novel.code, Errc::transient_server);
}

TEST(ServeSageMaker, SaysWhatTheContainerAnswered) {
  for (auto [status, code] :
       {std::pair{500, Errc::transient_server}, {503, Errc::overloaded}, {0, Errc::timeout}}) {
    auto answer = chat_endpoint_server().write_model_error(status);
    EXPECT_EQ(answer.status, 424);
    EXPECT_EQ(chat_endpoint().classify(answer, {0}).code, code) << status;
  }
}

TEST(ServeSageMaker, KnowsItsPathsAndLetsThemDecideAboutStreams) {
  const auto* body = R"({"messages":[{"role":"user","content":"x"}],"stream":true})";
  auto read = [&](const char* path) { return chat_endpoint_server().read_request({"POST", path, {}, body}); };
  EXPECT_FALSE(read("/gate/endpoints/my-llm/invocations?x=1")->stream);
  EXPECT_TRUE(read("/endpoints/my-llm/invocations-response-stream")->stream);
  EXPECT_EQ(read("/endpoints/my-llm/invocations")->model, "my-llm");
  for (const auto* path : {"/endpoints/invocations", "/endpoints//invocations", "/endpoints/a/b/invocations",
                           "/endpoints/a/async-invocations", "/endpoints/a%2Fb/invocations"})
    EXPECT_FALSE(chat_endpoint_server().serves({"POST", path, {}, ""})) << path;
}

}  // namespace
}  // namespace troupe::providers
