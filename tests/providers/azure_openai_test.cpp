// Azure's surface of the OpenAI dialect: its two paths, its key header, its filters and its errors.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& azure_dialect() { return *find_dialect("azure_openai"); }
const DialectServer& azure_server() { return *find_dialect_server("azure_openai"); }

Target classic() {
  return {.model = "gpt-4o-deploy", .host = "my-resource.openai.azure.com", .api_version = "2024-10-21"};
}

// The captures leave the limit of output tokens out; we always send it.
void expect_captured(const char* fixture, const CompletionRequest& request, const Target& target) {
  auto text = shared_fixture(fixture);
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = unordered(text);
  auto wire = azure_dialect().encode(request, target);
  ASSERT_TRUE(wire);
  azure_dialect().put_api_key(*wire, "EXAMPLE");
  EXPECT_EQ(wire->method, captured["method"]);
  EXPECT_EQ(wire->target, captured["target"].get<std::string>());
  auto body = unordered(wire->body);
  EXPECT_EQ(body.erase("max_completion_tokens"), 1u);
  auto want = unordered(captured["body_raw"].get<std::string>());
  want["model"] = target.model;
  EXPECT_EQ(body, want);
  for (const auto& header : captured["headers"]) {
    const auto* ours = http::find_header(wire->headers, header[0].get<std::string>());
    if (ours != nullptr) {
      EXPECT_EQ(*ours, header[1].get<std::string>());
    }
  }
}

TEST(EncodeAzure, WritesTheClassicPathAndKeyHeaderAsCaptured) {
  auto request = ask("Hello");
  request.stream = true;
  expect_captured("openai/azure_chat_apikey.request.json", request, classic());
  auto wire = azure_dialect().encode(request, classic()).value();
  azure_dialect().put_api_key(wire, "k");
  EXPECT_EQ(*http::find_header(wire.headers, "api-key"), "k");
  EXPECT_EQ(http::find_header(wire.headers, "authorization"), nullptr);
}

// The capture's body names another model than the path; on this surface the body's is ignored.
TEST(EncodeAzure, WritesTheClassicPathForATokenAsCaptured) {
  expect_captured("openai/azure_chat_aad.request.json", ask("Hello"), classic());
}

TEST(EncodeAzure, WritesTheV1PathWithoutAVersion) {
  auto v1 = classic();
  v1.api_version.clear();
  expect_captured("openai/azure_v1_chat.request.json", ask("Hello"), v1);
  EXPECT_EQ(azure_dialect().encode(ask("x"), v1)->target, "/openai/v1/chat/completions");
}

TEST(EncodeAzure, EncodesNamesIntoItsPath) {
  Target odd{.model = "a/b?c", .base_path = "/gate", .host = "h", .api_version = "2024&x"};
  EXPECT_EQ(azure_dialect().encode(ask("x"), odd)->target,
            "/gate/openai/deployments/a%2Fb%3Fc/chat/completions?api-version=2024%26x");
  odd.model.clear();
  EXPECT_FALSE(azure_dialect().encode(ask("x"), odd));
}

TEST(ServeAzure, TakesTheModelFromThePathAndKnowsNoOtherPaths) {
  const auto* body = R"({"model":"ignored","messages":[{"role":"user","content":"x"}]})";
  auto read = [&](const char* path) { return azure_server().read_request({"POST", path, {}, body}); };
  EXPECT_EQ(read("/openai/deployments/my%2Ddeploy/chat/completions?api-version=1")->model, "my-deploy");
  EXPECT_EQ(read("/gate/openai/v1/chat/completions")->model, "ignored");
  for (const auto* path : {"/v1/chat/completions", "/openai/deployments/chat/completions",
                           "/openai/deployments//chat/completions",
                           "/openai/deployments/a/b/chat/completions", "/openai/deployments/a/embeddings"})
    EXPECT_EQ(read(path).error().code, Errc::not_found) << path;
  EXPECT_FALSE(azure_server().serves({"GET", "/openai/v1/chat/completions", {}, ""}));
}

std::string azure_stream(std::initializer_list<const char*> data) {
  std::string out;
  for (const auto* text : data) out += std::string("data: ") + text + "\n\n";
  return out + "data: [DONE]\n\n";
}

constexpr const char* kFirst =
    R"({"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":)"
    R"([{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]})";

TEST(AzureStream, KeepsTheFiltersVerdicts) {
  auto bytes =
      azure_stream({kFirst,
                    R"({"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},)"
                    R"("content_filter_results":{"hate":{"filtered":false}}}]})",
                    R"({"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop",)"
                    R"("content_filter_results":{}}]})"});
  auto got = decode_whole(azure_dialect(), bytes);
  ASSERT_TRUE(got.fed && got.finished);
  auto sum = got.sum();
  EXPECT_EQ(sum.model, "gpt-4o");
  EXPECT_EQ(sum.text(), "Hi");
  auto extra = unordered(sum.extra.text);
  EXPECT_EQ(extra["prompt_filter_results"][0]["content_filter_results"]["hate"]["severity"], "safe");
  EXPECT_EQ(extra["content_filter_results"], unordered(R"({"hate":{"filtered":false}})"));
  EXPECT_EQ(got.events.front(), StreamEvent(StreamStarted{"gpt-4o"})) << "the first chunk names no model";
  codec_test::expect_same_however_split(azure_dialect(), bytes);
}

TEST(AzureStream, OfOursBeginsWithAChunkWithoutChoices) {
  auto writer = azure_server().stream_writer({});
  auto first = writer->write(StreamStarted{"m"});
  EXPECT_TRUE(first.starts_with("data: {\"choices\":[]")) << first;
}

TEST(ClassifyAzure, ReadsItsInnerErrorsAndEnvelopelessBodies) {
  auto code = [](int status, const char* body) { return azure_dialect().classify({status, {}, body}, {0}); };
  auto inner = code(400, R"({"error":{"message":"m","code":"BadRequest","innererror":)"
                         R"({"code":"ResponsibleAIPolicyViolation"}}})");
  EXPECT_EQ(inner.code, Errc::content_filtered);
  EXPECT_FALSE(inner.unrecognised);
  auto flat = code(401, R"({"statusCode":401,"message":"Unauthorized."})");
  EXPECT_EQ(flat.code, Errc::auth);
  EXPECT_EQ(flat.vendor_text, "Unauthorized.");
  EXPECT_EQ(code(429, R"({"error":{"code":"429","message":"m"}})").code, Errc::rate_limited);
}

TEST(ClassifyAzure, ReadsResetsInWholeSeconds) {
  http::Response answer{429,
                        {{"x-ratelimit-reset-tokens", "17"}, {"x-ratelimit-reset-requests", "-1"}},
                        R"({"error":{"code":"429","message":"m"}})"};
  EXPECT_EQ(azure_dialect().classify(answer, {0}).retry_after, std::chrono::seconds(17));
  answer.headers[0].second = "0";
  EXPECT_FALSE(azure_dialect().classify(answer, {0}).retry_after) << "-1 and 0 mean nothing";
}

TEST(ServeAzure, RefusesAFilteredPromptInAzuresWords) {
  auto body = unordered(azure_server().write_error(make_error(Errc::content_filtered, "x")).body);
  EXPECT_EQ(body["error"]["code"], "content_filter");
  EXPECT_EQ(body["error"]["innererror"]["code"], "ResponsibleAIPolicyViolation");
}

}  // namespace
}  // namespace troupe::providers
