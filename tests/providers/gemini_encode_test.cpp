// What the Gemini dialect asks: requests as captured, and what it says it cannot.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& gemini() { return *find_dialect("vertex_gemini"); }

Target regional() {
  Target target;
  target.model = "gemini-2.5-flash";
  target.host = "us-central1-aiplatform.googleapis.com";
  target.project = "demo-project";
  target.location = "us-central1";
  return target;
}

std::string body_of(const CompletionRequest& request) {
  auto wire = gemini().encode(request, regional());
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? wire->body : std::string();
}

Errc gemini_refusal(const CompletionRequest& request, const Target& target = regional()) {
  auto wire = gemini().encode(request, target);
  return wire ? Errc::internal : wire.error().code;
}

ToolSpec weather_tool() {
  return {"get_weather",
          "W",
          {R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"}};
}

CompletionRequest tool_turn() {
  CompletionRequest request;
  request.messages = {
      {Role::user, {TextPart{"Weather?"}}},
      {Role::assistant, {ToolUsePart{"call_0", "get_weather", {R"({"city":"Paris"})"}, {}}}},
      {Role::user,
       {ToolResultPart{"call_0", R"({"temp_c":18})", false}, ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}}};
  request.tools = {weather_tool()};
  request.forced_tool = "get_weather";
  request.stream = false;
  return request;
}

std::string target_of(const Target& target, bool stream = false) {
  auto request = ask("x");
  request.stream = stream;
  auto wire = gemini().encode(request, target);
  return wire ? wire->target : std::string(to_string(wire.error().code));
}

TEST(EncodeGemini, NamesModelsEndpointsAndTheDeveloperApi) {
  auto target = regional();
  const std::string base = "/v1/projects/demo-project/locations/us-central1/";
  EXPECT_EQ(target_of(target), base + "publishers/google/models/gemini-2.5-flash:generateContent");
  EXPECT_EQ(target_of(target, true),
            base + "publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
  target.model = "endpoints/42";
  EXPECT_EQ(target_of(target), base + "endpoints/42:generateContent");
  target.model = "publishers/meta/models/llama@1";
  EXPECT_EQ(target_of(target), base + "publishers/meta/models/llama@1:generateContent");
  target.model = "projects/p/locations/l/endpoints/7";
  EXPECT_EQ(target_of(target), "/v1/projects/p/locations/l/endpoints/7:generateContent");
  target.model = "a b/c:d";
  EXPECT_EQ(target_of(target), base + "publishers/google/models/a%20b%2Fc%3Ad:generateContent");
  target = regional();
  target.base_path = "/eu";
  target.api_version = "v1beta1";
  target.location = "global";
  EXPECT_EQ(target_of(target),
            "/eu/v1beta1/projects/demo-project/locations/global/publishers/google/models/"
            "gemini-2.5-flash:generateContent");
  Target developer{.model = "gemini-2.5-flash", .host = "h"};
  EXPECT_EQ(target_of(developer), "/v1beta/models/gemini-2.5-flash:generateContent");
  developer.model = "endpoints/1";
  EXPECT_EQ(target_of(developer), "bad_config");
  target.location.clear();
  EXPECT_EQ(target_of(target), "bad_config");
  target.model.clear();
  EXPECT_EQ(target_of(target), "bad_request");
}

TEST(EncodeGemini, ChoosesTheKindOfCapacity) {  // C2
  auto type = [](Capacity capacity, bool project) {
    auto target = regional();
    target.capacity = capacity;
    if (!project) target.project.clear();
    auto wire = gemini().encode(ask("x"), target).value();
    const auto* value = http::find_header(wire.headers, "x-vertex-ai-llm-request-type");
    return value == nullptr ? std::string("absent") : *value;
  };
  EXPECT_EQ(type(Capacity::reserved, true), "dedicated");
  EXPECT_EQ(type(Capacity::on_demand, true), "shared");
  EXPECT_EQ(type(Capacity::any, true), "absent");
  EXPECT_EQ(type(Capacity::reserved, false), "absent");
}

TEST(EncodeGemini, PutsAnApiKeyWhereGoogleWantsIt) {
  http::Request request;
  gemini().put_api_key(request, "k");
  EXPECT_EQ(*http::find_header(request.headers, "x-goog-api-key"), "k");
}

TEST(EncodeGemini, WritesWhatTheOfficialClientWrites) {
  auto request = ask("Hello");
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"x"}}});
  request.output_tokens_max = 5;
  EXPECT_EQ(body_of(request),
            R"({"contents":[{"parts":[{"text":"Hello"}],"role":"user"}],"systemInstruction":{"parts":)"
            R"([{"text":"x"}],"role":"user"},"generationConfig":{"maxOutputTokens":5}})");
  request = tool_turn();
  EXPECT_EQ(
      body_of(request),
      R"({"contents":[{"parts":[{"text":"Weather?"}],"role":"user"},{"parts":[{"functionCall":)"
      R"({"name":"get_weather","args":{"city":"Paris"}}}],"role":"model"},{"parts":[{"functionResponse":)"
      R"({"name":"get_weather","response":{"temp_c":18}}},{"inlineData":{"mimeType":"image/png",)"
      R"("data":"iVBORw0KGgo="}}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"get_weather",)"
      R"("description":"W","parametersJsonSchema":{"type":"object","properties":{"city":)"
      R"({"type":"string"}},"required":["city"]}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY",)"
      R"("allowedFunctionNames":["get_weather"]}},"generationConfig":{"maxOutputTokens":1024}})");
}

// Ours always bounds the output, so captures without generationConfig gain one.
std::string bounded(std::string body, int tokens) {
  auto config = R"("generationConfig":{"maxOutputTokens":)" + std::to_string(tokens) + "}}";
  if (auto empty = body.find(R"("generationConfig":{}})"); empty != std::string::npos)
    return body.substr(0, empty) + config;
  body.pop_back();
  return body + "," + config;
}

void expect_captured(const char* name, const CompletionRequest& request, const Target& target,
                     std::string want) {
  auto fixture = unordered(shared_fixture(std::string("vertex/") + name));
  auto wire = gemini().encode(request, target);
  ASSERT_TRUE(wire) << name;
  EXPECT_EQ(wire->method, fixture["method"].get<std::string>()) << name;
  EXPECT_EQ(wire->target, fixture["target"].get<std::string>()) << name;
  EXPECT_EQ(wire->body, want) << name;
  for (const auto& [header, value] : wire->headers) {
    bool found = false;
    for (const auto& pair : fixture["headers"])
      found = found || (http::same_header_name(pair[0].get<std::string>(), header) && pair[1] == value);
    EXPECT_TRUE(found) << name << ": " << header;
  }
}

std::string captured_body(const char* name) {
  return unordered(shared_fixture(std::string("vertex/") + name))["body_raw"].get<std::string>();
}

TEST(EncodeGemini, ReproducesEveryCapturedRequest) {
  if (shared_fixture("vertex/generate_global.request.json").empty())
    GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto target = regional();
  target.api_version = "v1beta1";
  auto request = ask("Hello");
  for (const auto* name : {"generate_min_regional.request.json", "stream_regional.request.json"}) {
    request.stream = name[0] == 's';
    expect_captured(name, request, target, bounded(captured_body(name), 64));
  }
  request.stream = false;
  // Google's Schema says types in capitals; we send JSON Schema in the member meant for it.
  auto tools = bounded(captured_body("generate_tools.request.json"), 1024);
  for (auto [from, to] : {std::pair{"\"parameters\"", "\"parametersJsonSchema\""},
                          std::pair{"\"OBJECT\"", "\"object\""}, std::pair{"\"STRING\"", "\"string\""}})
    tools.replace(tools.find(from), std::string_view(from).size(), to);
  expect_captured("generate_tools.request.json", tool_turn(), target, tools);
  auto global = target;
  global.location = "global";
  global.host = "aiplatform.googleapis.com";
  const char* name = "generate_global.request.json";
  expect_captured(name, request, global, bounded(captured_body(name), 64));
  Target developer{.model = "gemini-2.5-flash", .host = "generativelanguage.googleapis.com"};
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"x"}}});
  request.output_tokens_max = 5;
  name = "gemini_developer_api_generate.request.json";
  expect_captured(name, request, developer, captured_body(name));
}

TEST(EncodeGemini, ReproducesTheCapturedRichRequest) {
  const char* name = "generate_rich_pt_dedicated.request.json";
  if (shared_fixture(std::string("vertex/") + name).empty())
    GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto request = ask("Hello");
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"Be terse."}}});
  request.sampling = {.temperature = 0.5, .top_p = 0.9, .stop = {"END"}, .seed = 7};
  request.output_tokens_max = 256;
  request.reasoning_tokens_max = 512;
  request.response_schema = {"response", {R"({"type":"object","properties":{"a":{"type":"string"}}})"}};
  auto target = regional();
  target.api_version = "v1beta1";
  target.capacity = Capacity::reserved;
  // What a CompletionRequest cannot say is taken out, and the schema is said as JSON Schema.
  auto want = captured_body(name);
  auto replace = [&](std::string_view from, std::string_view to) {
    auto at = want.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    want.replace(at, from.size(), to);
  };
  replace(R"("safetySettings":[{"category":"HARM_CATEGORY_HATE_SPEECH","threshold":"BLOCK_ONLY_HIGH"}],)",
          "");
  replace(R"("labels":{"tenant":"t1"},)", "");
  replace(R"("topK":40,"candidateCount":1,)", "");
  replace("responseSchema", "responseJsonSchema");
  replace("OBJECT", "object");
  replace("STRING", "string");
  expect_captured(name, request, target, want);
}

TEST(EncodeGemini, PutsSignaturesOnThePartsTheyCameWith) {
  auto request = ask("a");
  request.messages.push_back({Role::assistant,
                              {ReasoningPart{"hm", "", {}}, TextPart{"b"}, ReasoningPart{"", "c2ln", {}},
                               ToolUsePart{"x1", "f", {"{}"}, "QUJD"}, ReasoningPart{"", "", "cmVk"}}});
  request.messages.push_back({Role::user, {ToolResultPart{"x1", "no", true}}});
  EXPECT_EQ(unordered(body_of(request))["contents"],
            unordered(R"([{"parts":[{"text":"a"}],"role":"user"},{"role":"model","parts":[
    {"text":"hm","thought":true},{"text":"b","thoughtSignature":"c2ln"},
    {"functionCall":{"id":"x1","name":"f","args":{}},"thoughtSignature":"QUJD"}]},
    {"role":"user","parts":[{"functionResponse":{"id":"x1","name":"f","response":{"error":"no"}}}]}])"));
}

TEST(EncodeGemini, AnswersParallelCallsInTheirOrder) {  // G5
  auto request = ask("a");
  request.messages.push_back(
      {Role::assistant, {ToolUsePart{"call_0", "f", {"{}"}, {}}, ToolUsePart{"call_1", "f", {"{}"}, {}}}});
  request.messages.push_back({Role::user,
                              {TextPart{"so?"}, ToolResultPart{"call_1", "second", false},
                               ToolResultPart{"call_0", "first", false}}});
  auto parts = unordered(body_of(request))["contents"][2]["parts"];
  EXPECT_EQ(parts[0]["functionResponse"]["response"]["output"], "first");
  EXPECT_EQ(parts[1]["functionResponse"]["response"]["output"], "second");
  EXPECT_EQ(parts[2]["text"], "so?");
  EXPECT_FALSE(parts[0]["functionResponse"].contains("id"));
}

TEST(EncodeGemini, SaysWhatItCannot) {
  EXPECT_EQ(gemini_refusal({}), Errc::bad_request);
  EXPECT_EQ(gemini_refusal(ask("")), Errc::bad_request);
  auto request = tool_turn();
  request.parallel_tools = false;
  EXPECT_EQ(gemini_refusal(request), Errc::unsupported);
  request.forced_tool.clear();
  request.tool_choice = ToolChoice::none;
  EXPECT_EQ(gemini_refusal(request), Errc::internal) << "no tool may be called, so none in parallel";
  request = tool_turn();
  request.forced_tool = "ghost";
  EXPECT_EQ(gemini_refusal(request), Errc::bad_request);
  request = tool_turn();
  std::get<ToolResultPart>(request.messages[2].parts[0]).tool_use_id = "ghost";
  EXPECT_EQ(gemini_refusal(request), Errc::bad_request);
  request = tool_turn();
  std::get<ToolUsePart>(request.messages[1].parts[0]).input.text = "[";
  EXPECT_EQ(gemini_refusal(request), Errc::bad_request);
  request = ask("x");
  request.messages[0].parts.emplace_back(ImagePart{"image/gif", "x"});
  EXPECT_EQ(gemini_refusal(request), Errc::unsupported);
  auto with = [](auto change) {
    auto one = ask("x");
    change(one);
    return gemini_refusal(one);
  };
  EXPECT_EQ(with([](auto& r) { r.sampling.temperature = 2.5; }), Errc::unsupported);
  EXPECT_EQ(with([](auto& r) { r.sampling.seed = 1LL << 40; }), Errc::unsupported);
  EXPECT_EQ(with([](auto& r) { r.sampling.stop.assign(6, "s"); }), Errc::unsupported);
  EXPECT_EQ(with([](auto& r) { r.sampling.stop.assign(5, "s"); }), Errc::internal);
  EXPECT_EQ(with([](auto& r) { r.reasoning_tokens_max = -1; }), Errc::bad_request);
  EXPECT_EQ(with([](auto& r) { r.response_schema = {"a", {"7"}}; }), Errc::bad_request);
}

}  // namespace
}  // namespace troupe::providers
