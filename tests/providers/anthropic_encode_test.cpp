// Messages bodies on their three hosts: as the official clients write them, and what each translation does.
#include "providers/auth/sigv4.hpp"
#include "tests/providers/anthropic_support.hpp"

#include <sstream>

namespace troupe::providers {
namespace {

using anthropic_test::client;
using anthropic_test::family_target;
using codec_test::ask;
using codec_test::shared_fixture;
using codec_test::unordered;

std::string body_of(const CompletionRequest& request, Target target = family_target("anthropic")) {
  auto wire = client("anthropic").encode(request, target);
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? wire->body : "";
}
codec_test::Unordered parsed_body(const CompletionRequest& request,
                                  Target target = family_target("anthropic")) {
  return unordered(body_of(request, std::move(target)));
}
Errc refusal(const CompletionRequest& request, const Target& target = family_target("anthropic")) {
  auto wire = client("anthropic").encode(request, target);
  return wire ? Errc::internal : wire.error().code;
}

struct Capture {
  const char* file;
  const char* dialect;
  bool stream = false;
  int tokens = 64;
  const char* version = "";
  const char* model = "";
  const char* host = "";
  const char* base_path = "";
  const char* location = "";
};

// Every captured call whose inputs a CompletionRequest can express and whose members stand in our order.
const std::vector<Capture>& captures() {
  static const char* arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl";
  static const std::vector<Capture> all{
      {"anthropic/messages_min", "anthropic", false, 64, "2026-10-21"},
      {"anthropic/messages_bearer", "anthropic", false, 64, "2026-10-21", "", "gw.example.com"},
      {"anthropic/messages_authtoken_v2023-06-01", "anthropic"},
      {"anthropic/messages_stream_helper", "anthropic", true, 64, "2026-10-21"},
      {"anthropic/messages_stream_v2023-06-01", "anthropic", true, 64, "2023-06-01"},
      {"anthropic/beta_messages", "anthropic", false, 64, "2026-10-21"},
      {"bedrock/mantle_anthropic_messages", "anthropic", false, 16, "2026-10-21", "anthropic.claude-opus-4-7",
       "bedrock-mantle.us-east-1.api.aws", "/anthropic"},
      {"bedrock/invoke_model_anthropic", "bedrock_invoke", false, 16},
      {"bedrock/invoke_model_stream_anthropic", "bedrock_invoke", true, 16},
      {"bedrock/invoke_model_stream_provisioned", "bedrock_invoke", true, 16, "", arn},
      {"vertex/anthropic_rawpredict", "vertex_anthropic", false, 64, "2026-10-21"},
      {"vertex/anthropic_rawpredict_v0", "vertex_anthropic"},
      {"vertex/anthropic_rawpredict_global", "vertex_anthropic", false, 64, "2026-10-21", "",
       "aiplatform.googleapis.com", "", "global"},
      {"vertex/anthropic_streamrawpredict", "vertex_anthropic", true, 64, "2026-10-21"},
      {"vertex/anthropic_streamrawpredict_v0", "vertex_anthropic", true},
  };
  return all;
}

http::Request encode_capture(const Capture& capture) {
  auto target = family_target(capture.dialect);
  target.api_version = capture.version;
  target.base_path = capture.base_path;
  if (*capture.model != '\0') target.model = capture.model;
  if (*capture.host != '\0') target.host = capture.host;
  if (*capture.location != '\0') target.location = capture.location;
  auto request = ask("Hello");
  request.stream = capture.stream;
  request.output_tokens_max = capture.tokens;
  return client(capture.dialect).encode(request, target).value();
}

http::Headers headers_of(const codec_test::Unordered& fixture) {
  http::Headers out;
  for (const auto& header : fixture["headers"]) out.emplace_back(header[0], header[1]);
  return out;
}

TEST(EncodeMessages, WritesTheCapturedRequestsByteForByte) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  for (const auto& capture : captures()) {
    auto want = unordered(shared_fixture(std::string(capture.file) + ".request.json"));
    auto wire = encode_capture(capture);
    EXPECT_EQ(wire.method, want["method"].get<std::string>()) << capture.file;
    EXPECT_EQ(wire.target, want["target"].get<std::string>()) << capture.file;
    EXPECT_EQ(wire.body, want["body_raw"].get<std::string>()) << capture.file;
    auto headers = headers_of(want);
    for (const auto& [name, value] : wire.headers) {
      const auto* sent = http::find_header(headers, name);
      ASSERT_NE(sent, nullptr) << capture.file << " " << name;
      EXPECT_EQ(value, *sent) << capture.file << " " << name;
    }
  }
}

// With the official client's own headers our bytes have its signature.
TEST(EncodeMessages, SignsTheCapturedRequestsAlike) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  int seen = 0;
  for (const auto& capture : captures()) {
    auto want = unordered(shared_fixture(std::string(capture.file) + ".request.json"));
    if (!want.contains("sigv4")) continue;
    ++seen;
    auto wire = encode_capture(capture);
    wire.headers = headers_of(want);
    auto authorization = *http::find_header(wire.headers, "authorization");
    auto from = authorization.find("SignedHeaders=") + 14;
    std::istringstream listed(authorization.substr(from, authorization.find(',', from) - from));
    std::vector<std::string> names;
    for (std::string name; std::getline(listed, name, ';');) names.push_back(name);
    const auto& sig = want["sigv4"];
    SigningScope scope{sig["region"], sig["service"]};
    auto date = sig["amz_date"].get<std::string>();
    auto to_sign = string_to_sign(canonical_request(wire, names), date, scope);
    auto key = signing_key(sig["secret_access_key"].get<std::string>(), date.substr(0, 8), scope);
    EXPECT_EQ(signature(key, to_sign), sig["signature_expected"].get<std::string>()) << capture.file;
  }
  EXPECT_EQ(seen, 4);
}

// Anthropic's own Bedrock client writes anthropic_version last and leaves colons of the path raw; AWS's,
// which we follow, does neither. So these compare as parsed.
TEST(EncodeMessages, SaysWhatAnthropicsBedrockClientSays) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  const char* profile = "us.anthropic.claude-sonnet-4-20250514-v1:0";
  const char* arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl";
  for (const auto& capture : std::vector<Capture>{
           {"anthropic/bedrock_sdk_messages", "bedrock_invoke", false, 64, "2026-10-21", profile},
           {"anthropic/bedrock_sdk_messages_stream", "bedrock_invoke", true, 64, "2026-10-21", profile},
           {"anthropic/bedrock_sdk_messages_v0", "bedrock_invoke", false, 64, "", profile},
           {"anthropic/bedrock_sdk_messages_stream_provisioned_v0", "bedrock_invoke", true, 64, "", arn}}) {
    auto want = unordered(shared_fixture(std::string(capture.file) + ".request.json"));
    auto wire = encode_capture(capture);
    EXPECT_EQ(percent_decode(wire.target), percent_decode(want["target"].get<std::string>()));
    EXPECT_EQ(unordered(wire.body), want["body"]) << capture.file;
  }
}

CompletionRequest rich() {
  CompletionRequest request;
  request.messages = {
      {Role::system, {TextPart{"Be terse.", true}}},
      {Role::user, {TextPart{"Weather?"}}},
      {Role::assistant, {ToolUsePart{"toolu_01A", "get_weather", {R"({"city":"Paris"})"}, {}}}},
      {Role::user, {ToolResultPart{"toolu_01A", "18C", false}}}};
  request.tools = {{"get_weather",
                    "W",
                    {R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"}}};
  request.sampling.stop = {"END"};
  request.output_tokens_max = 2048;
  request.reasoning_tokens_max = 1024;
  return request;
}

// metadata and service_tier have no place in a CompletionRequest; the captured budget exceeds max_tokens and
// its temperature does not go with thinking, neither of which the API takes.
TEST(EncodeMessages, WritesTheCapturedRichRequestInItsOrder) {
  std::string want =
      R"({"model":"claude-sonnet-4-20250514","max_tokens":2048,"messages":[{"role":"user","content":"Weather?"},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A","name":"get_weather",)"
      R"("input":{"city":"Paris"}}]},{"role":"user","content":[{"type":"tool_result",)"
      R"("tool_use_id":"toolu_01A","content":"18C","is_error":false}]}],"stream":true,)"
      R"("system":[{"type":"text","text":"Be terse.","cache_control":{"type":"ephemeral"}}],)"
      R"("stop_sequences":["END"],"tools":[{"name":"get_weather","description":"W","input_schema":)"
      R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],)"
      R"("tool_choice":{"type":"auto"},"thinking":{"type":"enabled","budget_tokens":1024}})";
  EXPECT_EQ(body_of(rich()), want);
  auto text = shared_fixture("anthropic/messages_stream_rich.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = unordered(text)["body"];
  for (const auto* key : {"metadata", "service_tier", "temperature"}) captured.erase(key);
  captured["max_tokens"] = 2048;
  EXPECT_EQ(unordered(want), captured);
}

TEST(EncodeMessages, SendsSamplingOnlyWhereItIsAllowed) {
  auto request = ask("Hello");
  request.sampling.temperature = 0.5;
  request.sampling.top_p = 0.9;
  EXPECT_EQ(body_of(request),
            R"({"model":"claude-sonnet-4-20250514","max_tokens":64,"messages":[{"role":"user",)"
            R"("content":"Hello"}],"temperature":0.5,"top_p":0.9})");
  for (const auto* name : anthropic_test::kFamily) {
    auto target = family_target(name);
    auto sent = [&] {
      auto body = unordered(client(name).encode(request, target)->body);
      return body.contains("temperature") && body.contains("top_p");
    };
    EXPECT_TRUE(sent()) << name;
    target.api_version = "2026-10-21";
    EXPECT_FALSE(sent()) << name;
  }
}

TEST(EncodeMessages, PutsTheKeyWhereItsVersionWantsIt) {
  auto headers = [](const char* version) {
    auto target = family_target("anthropic");
    target.api_version = version;
    auto wire = client("anthropic").encode(ask("x"), target).value();
    client("anthropic").put_api_key(wire, "K");
    return wire.headers;
  };
  for (const auto* version : {"", "2023-06-01"}) {
    EXPECT_EQ(*http::find_header(headers(version), "x-api-key"), "K");
    EXPECT_EQ(http::find_header(headers(version), "authorization"), nullptr);
  }
  EXPECT_EQ(*http::find_header(headers("2026-10-21"), "authorization"), "Bearer K");
  EXPECT_EQ(http::find_header(headers("2026-10-21"), "x-api-key"), nullptr);
  http::Request vertex;
  client("vertex_anthropic").put_api_key(vertex, "T");
  EXPECT_EQ(*http::find_header(vertex.headers, "authorization"), "Bearer T");
}

TEST(EncodeMessages, TakesABaseWithOrWithoutItsVersion) {
  auto path = [](const char* base) {
    auto target = family_target("anthropic");
    target.base_path = base;
    return client("anthropic").encode(ask("x"), target)->target;
  };
  EXPECT_EQ(path(""), "/v1/messages");
  EXPECT_EQ(path("/v1"), "/v1/messages");
  EXPECT_EQ(path("/anthropic"), "/anthropic/v1/messages");
}

TEST(EncodeMessages, RefusesAVersionThatWouldBreakAHeader) {
  auto target = family_target("anthropic");
  for (const auto* version : {"2023-06-01\r\nx: y", " ", "2023 06"}) {
    target.api_version = version;
    EXPECT_EQ(refusal(ask("x"), target), Errc::bad_config) << version;
  }
}

TEST(EncodeMessages, EchoesReasoningAsItCame) {
  auto request = ask("x");
  request.messages.push_back(
      {Role::assistant,
       {ReasoningPart{"a", "s1", {}}, ReasoningPart{{}, {}, "enc"}, ReasoningPart{"b", {}, {}},
        ReasoningPart{{}, "s2", {}}, ReasoningPart{"unsigned", {}, {}}, TextPart{"t"},
        ReasoningPart{{}, "a text's, so Gemini's", {}}}});
  auto got = parsed_body(request)["messages"][1]["content"];
  EXPECT_EQ(got, unordered(R"([{"type":"thinking","thinking":"a","signature":"s1"},
    {"type":"redacted_thinking","data":"enc"},{"type":"thinking","thinking":"b","signature":"s2"},
    {"type":"text","text":"t"}])"));
}

TEST(EncodeMessages, MergesNeighboursAndPutsResultsFirst) {
  auto request = ask("first");
  request.messages.push_back({Role::user, {TextPart{""}, TextPart{"second"}}});
  request.messages.push_back({Role::assistant, {ReasoningPart{"unsigned", {}, {}}}});
  request.messages.push_back({Role::user, {ToolResultPart{"call:1", "", true}}});
  request.messages.push_back({Role::system, {TextPart{"late"}}});
  auto got = parsed_body(request);
  EXPECT_EQ(got["messages"], unordered(R"([{"role":"user","content":[
    {"type":"tool_result","tool_use_id":"call_1","is_error":true},
    {"type":"text","text":"first"},{"type":"text","text":"second"}]}])"));
  EXPECT_EQ(got["system"], unordered(R"([{"type":"text","text":"late"}])"));
}

TEST(EncodeMessages, WritesImagesAndFormats) {
  auto request = ask("x");
  request.messages[0].parts.emplace_back(ImagePart{"image/png", "\x89PNG\r\n\x1a\n"});
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  auto got = parsed_body(request);
  EXPECT_EQ(got["messages"][0]["content"][1],
            unordered(R"({"type":"image","source":{"type":"base64","media_type":"image/png",
                          "data":"iVBORw0KGgo="}})"));
  EXPECT_EQ(got["output_config"],
            unordered(R"({"format":{"type":"json_schema","schema":{"type":"object"}}})"));
}

TEST(EncodeMessages, KeepsTheLastFourCachePoints) {
  auto request = ask("x");
  request.messages[0].parts.clear();
  for (int i = 0; i < 6; ++i) request.messages[0].parts.emplace_back(TextPart{std::to_string(i), true});
  std::string marked;
  auto body = parsed_body(request);
  for (const auto& block : body["messages"][0]["content"])
    if (block.contains("cache_control")) marked += block["text"].get<std::string>();
  EXPECT_EQ(marked, "2345");
}

TEST(EncodeMessages, SaysWhichToolsMayBeCalled) {
  auto request = ask("x");
  request.tools = {{"look", "", {R"({"type":"object"})"}}};
  auto choice = [&] { return parsed_body(request)["tool_choice"].dump(); };
  EXPECT_EQ(choice(), R"({"type":"auto"})");
  request.parallel_tools = false;
  EXPECT_EQ(choice(), R"({"disable_parallel_tool_use":true,"type":"auto"})");
  request.tool_choice = ToolChoice::any;
  EXPECT_EQ(choice(), R"({"disable_parallel_tool_use":true,"type":"any"})");
  request.forced_tool = "look";
  EXPECT_EQ(choice(), R"({"disable_parallel_tool_use":true,"name":"look","type":"tool"})");
  request.forced_tool = "";
  request.tool_choice = ToolChoice::none;
  EXPECT_EQ(choice(), R"({"type":"none"})");
  request.forced_tool = "ghost";
  EXPECT_EQ(refusal(request), Errc::bad_request);
}

TEST(EncodeMessages, DeclaresToolsOnlyTheHistoryKnows) {
  auto request = rich();
  request.tools.clear();
  auto got = parsed_body(request);
  EXPECT_EQ(got["tools"], unordered(R"([{"name":"get_weather","input_schema":{"type":"object"}}])"));
  EXPECT_EQ(got["tool_choice"], unordered(R"({"type":"none"})"));
}

TEST(EncodeMessages, FitsThinkingIntoTheAnswer) {
  auto request = ask("x");
  auto thinking = [&](int budget, int output) {
    request.reasoning_tokens_max = budget;
    request.output_tokens_max = output;
    return parsed_body(request)["thinking"].value("budget_tokens", 0);
  };
  EXPECT_FALSE(parsed_body(request).contains("thinking"));
  EXPECT_EQ(thinking(2000, 8000), 2000);
  EXPECT_EQ(thinking(8000, 4000), 3999) << "the budget must stay below max_tokens";
  EXPECT_EQ(thinking(1023, 8000), 0) << "below the least budget nothing may be thought";
  EXPECT_EQ(thinking(8000, 1024), 0);
  request.tools = {{"look", "", {R"({"type":"object"})"}}};
  request.tool_choice = ToolChoice::any;
  EXPECT_EQ(thinking(2000, 8000), 0) << "a forced call and thinking exclude each other";
}

TEST(EncodeMessages, LeavesOutSamplingThatThinkingForbids) {
  auto request = ask("x");
  request.sampling.temperature = 0.5;
  request.sampling.top_p = 0.5;
  request.output_tokens_max = 8000;
  request.reasoning_tokens_max = 2000;
  auto got = parsed_body(request);
  EXPECT_FALSE(got.contains("temperature"));
  EXPECT_FALSE(got.contains("top_p"));
  request.sampling.top_p = 0.97;
  EXPECT_TRUE(parsed_body(request).contains("top_p"));
}

TEST(EncodeMessages, RefusesWhatTheWireCannotCarry) {
  auto request = ask("x");
  request.sampling.temperature = 1.5;
  EXPECT_EQ(refusal(request), Errc::unsupported);
  EXPECT_EQ(refusal(ask("")), Errc::bad_request);
  request = ask("x");
  request.messages.push_back({Role::assistant, {ToolUsePart{"", "look", {"{}"}, {}}}});
  EXPECT_EQ(refusal(request), Errc::bad_request);
  request = ask("x");
  request.tools = {{"look", "", {"[]"}}};
  EXPECT_EQ(refusal(request), Errc::bad_request);
  auto target = family_target("anthropic");
  target.model = "";
  EXPECT_EQ(refusal(ask("x"), target), Errc::bad_request);
}

TEST(EncodeRawPredict, SaysWhichCapacityMayServe) {
  auto target = family_target("vertex_anthropic");
  auto type = [&](Capacity capacity) {
    target.capacity = capacity;
    auto wire = client("vertex_anthropic").encode(ask("x"), target).value();
    const auto* header = http::find_header(wire.headers, "X-Vertex-AI-LLM-Request-Type");
    return header != nullptr ? *header : "absent";
  };
  EXPECT_EQ(type(Capacity::reserved), "dedicated");
  EXPECT_EQ(type(Capacity::on_demand), "shared");
  EXPECT_EQ(type(Capacity::any), "absent");
}

TEST(EncodeRawPredict, KnowsTheHostsOfLocations) {
  auto target = family_target("vertex_anthropic");
  target.host = "";
  auto host = [&](const char* location) {
    target.location = location;
    auto wire = client("vertex_anthropic").encode(ask("x"), target).value();
    return *http::find_header(wire.headers, "host");
  };
  EXPECT_EQ(host("us-east5"), "us-east5-aiplatform.googleapis.com");
  EXPECT_EQ(host("global"), "aiplatform.googleapis.com");
  EXPECT_EQ(host("eu"), "aiplatform.eu.rep.googleapis.com");
  target.project = "";
  EXPECT_EQ(client("vertex_anthropic").encode(ask("x"), target).error().code, Errc::bad_config);
}

TEST(EncodeInvoke, RefusesModelIdsBeyondTheLimit) {
  auto target = family_target("bedrock_invoke");
  target.model = std::string(2048, 'm');
  EXPECT_TRUE(client("bedrock_invoke").encode(ask("x"), target));
  for (auto model : {std::string(2049, 'm'), std::string()}) {
    target.model = model;
    EXPECT_EQ(client("bedrock_invoke").encode(ask("x"), target).error().code, Errc::bad_request);
  }
}

}  // namespace
}  // namespace troupe::providers
