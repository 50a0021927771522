// The OpenAI Responses dialect: requests as captured, responses and streams however they arrive.
#include "tests/providers/codec_support.hpp"

namespace troupe::providers {
namespace {

using codec_test::ask;
using codec_test::decode_whole;
using codec_test::shared_fixture;
using codec_test::unordered;

const Dialect& responses_dialect() { return *find_dialect("openai_responses"); }
const DialectServer& responses_server() { return *find_dialect_server("openai_responses"); }

Target responses_target() { return {.model = "gpt-4o-mini", .base_path = "/v1", .host = "api.openai.com"}; }

codec_test::Unordered responses_body(const CompletionRequest& request) {
  auto wire = responses_dialect().encode(request, responses_target());
  EXPECT_TRUE(wire) << wire.error().what;
  return wire ? unordered(wire->body) : codec_test::Unordered();
}

CompletionRequest captured_inputs() {
  auto request = ask("Hello");
  request.messages.insert(request.messages.begin(), {Role::system, {TextPart{"Be terse."}}});
  request.output_tokens_max = 16;
  request.stream = true;
  request.reasoning_tokens_max = 1024;
  request.tools = {{"f", "", {R"({"type":"object","properties":{}})"}}};
  return request;
}

// Ours differs from the capture in two members that are ours to choose: reasoning is asked for in encrypted
// form, for nothing is stored, and strict is off, for our schemas are the caller's.
TEST(EncodeResponses, WritesTheCapturedRequestButForEncryptedReasoningAndStrict) {
  auto wire = responses_dialect().encode(captured_inputs(), responses_target());
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->target, "/v1/responses");
  EXPECT_EQ(wire->body,
            R"({"model":"gpt-4o-mini","input":"Hello","instructions":"Be terse.","max_output_tokens":16,)"
            R"("stream":true,"store":false,"reasoning":{"effort":"low"},)"
            R"("include":["reasoning.encrypted_content"],"tools":[{"type":"function","name":"f",)"
            R"("parameters":{"type":"object","properties":{}},"strict":false}]})");
  auto text = shared_fixture("openai/responses_stream.request.json");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto captured = parse_json(text).value();
  auto want = get_string(captured, "body_raw");
  auto ours = wire->body;
  std::string_view include = R"(,"include":["reasoning.encrypted_content"])";
  ours.erase(ours.find(include), include.size());
  ours.replace(ours.find(R"("strict":false)"), 14, R"("strict":true)");
  EXPECT_EQ(ours, want);
  EXPECT_EQ(wire->target, get_string(captured, "target"));
}

TEST(EncodeResponses, WritesItemsInTheirOrderAndEchoesEncryptedReasoning) {
  CompletionRequest request;
  request.messages = {
      {Role::user, {TextPart{"Hello", true}, ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}},
      {Role::assistant,
       {ReasoningPart{"foreign", "c2ln", {}}, TextPart{"Let me look."}, ReasoningPart{"hm", {}, {}},
        ReasoningPart{{}, {}, "ZW5j"}, ToolUsePart{"call_1", "look", {R"({"q":1})"}, {}}}},
      {Role::user, {TextPart{"And?"}, ToolResultPart{"call_1", "18C", false}}}};
  request.stream = false;
  auto got = responses_body(request);
  EXPECT_EQ(got["input"], unordered(R"([
    {"role":"user","content":[{"type":"input_text","text":"Hello"},
      {"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]},
    {"role":"assistant","content":"Let me look."},
    {"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"ZW5j"},
    {"type":"function_call","call_id":"call_1","name":"look","arguments":"{\"q\":1}"},
    {"type":"function_call_output","call_id":"call_1","output":"18C"},
    {"role":"user","content":"And?"}])"));
  EXPECT_EQ(got["include"], unordered(R"(["reasoning.encrypted_content"])"));
  EXPECT_EQ(got["store"], false);
  EXPECT_FALSE(responses_body(ask("x")).contains("include")) << "models without reasoning refuse it";
}

TEST(EncodeResponses, WritesTheSchemaToolChoicesAndEfforts) {
  auto request = captured_inputs();
  request.response_schema = {"answer", {R"({"type":"object"})"}};
  request.tool_choice = ToolChoice::any;
  request.parallel_tools = false;
  auto got = responses_body(request);
  EXPECT_EQ(got["text"], unordered(R"({"format":{"type":"json_schema","name":"answer",)"
                                   R"("schema":{"type":"object"},"strict":true}})"));
  EXPECT_EQ(got["tool_choice"], "required");
  EXPECT_EQ(got["parallel_tool_calls"], false);
  request.forced_tool = "f";
  EXPECT_EQ(responses_body(request)["tool_choice"], unordered(R"({"type":"function","name":"f"})"));
  auto effort = [&](int tokens) {
    request.reasoning_tokens_max = tokens;
    return responses_body(request)["reasoning"]["effort"];
  };
  EXPECT_EQ(effort(2047), "low");
  EXPECT_EQ(effort(2048), "medium");
  EXPECT_EQ(effort(16383), "medium");
  EXPECT_EQ(effort(16384), "high");
}

TEST(EncodeResponses, SaysAtOnceThatThereAreNoStopSequences) {
  auto request = ask("Hello");
  request.sampling.stop = {"END"};
  auto got = responses_dialect().encode(request, responses_target());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::unsupported);
}

Result<Completion> decoded(const std::string& body) { return responses_dialect().decode({200, {}, body}); }

TEST(DecodeResponses, ReadsItemsUsageTierAndWhatIsLeft) {
  auto got = decoded(R"({"id":"r","object":"response","status":"completed","model":"gpt-x","output":[
    {"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text",)"
                     R"("text":"b"}],"encrypted_content":"ZW5j"},
    {"type":"web_search_call","id":"ws","status":"completed"},
    {"type":"message","content":[{"type":"output_text","text":"Hi"},{"type":"hologram","depth":3}]},
    {"type":"function_call","call_id":"c","name":"f","arguments":""}],
    "service_tier":"flex","temperature":1,"novelty":{"x":1},
    "usage":{"input_tokens":132,"input_tokens_details":{"cached_tokens":100,"cache_write_tokens":20},
      "output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":137}})");
  ASSERT_TRUE(got) << got.error().what;
  std::vector<Part> want{ReasoningPart{"a\n\nb", {}, {}}, ReasoningPart{{}, {}, "ZW5j"}, TextPart{"Hi"},
                         ToolUsePart{"c", "f", {"{}"}, {}}};
  EXPECT_EQ(got->parts, want);
  EXPECT_EQ(got->stop, StopReason::tool_calls);
  EXPECT_EQ(got->tier, "flex");
  EXPECT_EQ(got->extra.text,
            R"({"novelty":{"x":1},"output":[{"type":"web_search_call","id":"ws","status":"completed"}]})");
  EXPECT_EQ(got->usage,
            (Usage{.input = 12, .output = 5, .cache_read = 100, .cache_write = 20, .reasoning = 2}));
}

std::string ended(const std::string& members) {
  return R"({"output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}],)" + members + "}";
}

TEST(DecodeResponses, KnowsEachWayToEnd) {
  auto stop = [](const std::string& members) {
    auto got = decoded(ended(members));
    EXPECT_TRUE(got) << members;
    return got ? got->stop : StopReason::pause;
  };
  EXPECT_EQ(stop(R"("status":"completed")"), StopReason::stop);
  EXPECT_EQ(stop(R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})"),
            StopReason::length);
  EXPECT_EQ(stop(R"("status":"incomplete","incomplete_details":{"reason":"content_filter"})"),
            StopReason::content_filter);
  EXPECT_EQ(stop(R"("status":"failed","error":null)"), StopReason::model_error);
  auto odd = decoded(ended(R"("status":"incomplete","incomplete_details":{"reason":"tired"})"));
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->stop, StopReason::model_error);
  EXPECT_EQ(odd->unrecognised_stop, "tired");
  auto refused = decoded(
      R"({"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]})");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->text(), "No.");
  EXPECT_EQ(refused->stop, StopReason::content_filter);
}

TEST(DecodeResponses, NeverTakesAFailedOrUnfinishedResponseForAnAnswer) {
  auto code = [](const std::string& members) {
    auto got = decoded(ended(members));
    EXPECT_FALSE(got) << members;
    return got ? Errc::internal : got.error().code;
  };
  EXPECT_EQ(code(R"("status":"failed","error":{"code":"rate_limit_exceeded","message":"x"})"),
            Errc::rate_limited);
  EXPECT_EQ(code(R"("status":"in_progress")"), Errc::stream_broken);
  EXPECT_EQ(code(R"("status":"queued")"), Errc::stream_broken);
  EXPECT_EQ(code(R"("status":"cancelled")"), Errc::cancelled);
  EXPECT_EQ(code(R"("id":"r")"), Errc::stream_broken);
}

std::string typed(std::initializer_list<const char*> data) {
  std::string out;
  for (const auto* text : data) out += std::string("data: ") + text + "\n\n";
  return out;
}

constexpr const char* kCreated = R"({"type":"response.created","response":{"model":"gpt-x"}})";
constexpr const char* kDelta = R"({"type":"response.output_text.delta","output_index":0,"delta":"Hi"})";
constexpr const char* kCompleted = R"({"type":"response.completed","response":{"status":"completed"}})";

TEST(ResponseStream, ReadsReasoningInPartsAndItsEncryptedForm) {
  auto bytes = typed(
      {kCreated,
       R"({"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","summary":[]}})",
       R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"a"})",
       R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"b"})",
       R"({"type":"response.reasoning_summary_text.done","output_index":0,"summary_index":1,"text":"b"})",
       R"({"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning",)"
       R"("summary":[{"text":"a"},{"text":"b"}],"encrypted_content":"ZW5j"}})",
       R"({"type":"response.output_text.delta","output_index":1,"delta":"Hi"})", kCompleted});
  auto got = decode_whole(responses_dialect(), bytes);
  ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
  std::vector<Part> want{ReasoningPart{"a\n\nb", {}, {}}, ReasoningPart{{}, {}, "ZW5j"}, TextPart{"Hi"}};
  EXPECT_EQ(got.sum().parts, want);
}

TEST(ResponseStream, UnderstandsServersThatSendOnlyFinishedThings) {
  auto bytes = typed(
      {kCreated, R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"})",
       R"({"type":"response.output_item.done","output_index":0,"item":{"type":"message",)"
       R"("content":[{"type":"output_text","text":"Hi"}]}})",
       R"({"type":"response.output_item.done","output_index":1,"item":{"type":"function_call",)"
       R"("call_id":"c","name":"f","arguments":"{}"}})",
       kCompleted, "[DONE]"});
  auto got = decode_whole(responses_dialect(), bytes);
  ASSERT_TRUE(got.fed && got.finished) << got.error()->what;
  std::vector<Part> want{TextPart{"Hi"}, ToolUsePart{"c", "f", {"{}"}, {}}};
  EXPECT_EQ(got.sum().parts, want);
  EXPECT_EQ(got.sum().stop, StopReason::tool_calls);
}

TEST(ResponseStream, EndsWithTheClassOfAnErrorInside) {
  auto code = [](const char* last) {
    auto got = decode_whole(responses_dialect(), typed({kCreated, kDelta, last, kCompleted}));
    EXPECT_NE(got.error(), nullptr) << last;
    EXPECT_FALSE(got.stopped());
    return got.error() != nullptr && got.error()->maybe_billed ? got.error()->code : Errc::internal;
  };
  EXPECT_EQ(code(R"({"type":"error","code":"server_error","message":"x","param":null})"),
            Errc::transient_server);
  EXPECT_EQ(code(R"({"type":"error","error":{"code":"insufficient_quota","message":"x"}})"),
            Errc::quota_exhausted);
  EXPECT_EQ(code(R"({"type":"error","code":429,"message":"x"})"), Errc::rate_limited);
  EXPECT_EQ(code(R"({"error":{"type":"invalid_request_error","message":"x"}})"), Errc::bad_request);
  EXPECT_EQ(code(R"({"type":"response.failed","response":{"status":"failed",)"
                 R"("error":{"code":"rate_limit_exceeded","message":"x"}}})"),
            Errc::rate_limited);
}

TEST(ResponseStream, RefusesHostileEventsClearly) {
  for (const auto* bad : {"nonsense", "[]", "\xff",
                          R"({"type":"response.function_call_arguments.delta","output_index":7,"delta":"x"})",
                          R"({"type":"response.completed"})",
                          R"({"type":"response.completed","response":{"status":"in_progress"}})"}) {
    auto got = decode_whole(responses_dialect(), typed({kCreated, bad, kCompleted}));
    ASSERT_NE(got.error(), nullptr) << bad;
    EXPECT_EQ(got.error()->code, Errc::stream_broken) << bad;
  }
  EXPECT_FALSE(decode_whole(responses_dialect(), typed({kCreated, kCompleted, kDelta})).fed);
  for (const auto* odd : {"{}", R"({"type":5})", R"({"type":"response.output_item.added","item":3})",
                          R"({"type":"response.output_item.done"})", R"({"type":"response.sung.solo"})"})
    EXPECT_TRUE(decode_whole(responses_dialect(), typed({kCreated, kDelta, odd, kCompleted})).finished)
        << odd;
  EXPECT_EQ(decode_whole(responses_dialect(), typed({kCreated, kDelta})).error()->code, Errc::stream_broken);
}

TEST(ResponseStream, ReadsTheCapturedStreamsAndShowsTruncation) {
  auto text = shared_fixture("serve/openai_responses_stream.sse");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  auto got = decode_whole(responses_dialect(), text);
  ASSERT_TRUE(got.finished) << got.error()->what;
  EXPECT_EQ(got.sum(),
            (Completion{
                {TextPart{"Hi!"}}, StopReason::stop, {.input = 12, .output = 3}, "gpt-4o-mini", {}, {}, {}}));
  auto tool = shared_fixture("serve/openai_responses_stream_tool.sse");
  std::vector<Part> want{ToolUsePart{"call_1", "f", {R"({"a":1})"}, {}}};
  EXPECT_EQ(decode_whole(responses_dialect(), tool).sum().parts, want);
  codec_test::expect_truncation_shows(responses_dialect(), tool);
}

std::string served(const std::vector<StreamEvent>& events) {
  auto writer = responses_server().stream_writer({"resp_gw1", "gpt-4o-mini", {1'440'938'160'000}, {}});
  std::string bytes;
  for (const auto& event : events) bytes += writer->write(event);
  return bytes + writer->finish();
}

TEST(ServeResponses, WritesTheStreamsOfficialClientsAcceptedByteForByte) {
  auto text = shared_fixture("serve/openai_responses_stream.sse");
  if (text.empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  Usage usage{.input = 12, .output = 3};
  EXPECT_EQ(served({StreamStarted{}, TextDelta{"Hi"}, TextDelta{"!"}, StreamStopped{}, UsageReported{usage}}),
            text);
  EXPECT_EQ(
      served({StreamStarted{}, ToolUseStarted{0, "call_1", "f", {}}, ToolInputDelta{0, "{\"a\":"},
              ToolInputDelta{0, "1}"}, StreamStopped{StopReason::tool_calls, {}}, UsageReported{usage}}),
      shared_fixture("serve/openai_responses_stream_tool.sse"));
}

TEST(ServeResponses, WritesAnErrorEventThatClientsDeliver) {
  auto writer = responses_server().stream_writer({});
  auto error = make_error(Errc::transient_server, "x");
  error.vendor_text = "boom";
  EXPECT_EQ(writer->write_error(error),
            "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"server_error\","
            "\"message\":\"boom\",\"param\":null}\n\n");
}

Result<ServedCall> read_served(const std::string& body) {
  return responses_server().read_request({"POST", "/v1/responses", {}, body});
}

TEST(ServeResponses, ReadsWhatOfficialClientsSend) {
  auto got = read_served(R"({"model":"m","input":[
    {"type":"message","role":"developer","content":"Be kind."},
    {"role":"user","content":[{"type":"input_text","text":"a"},
      {"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}]},
    {"type":"message","id":"msg_1","status":"completed","role":"assistant",
      "content":[{"type":"output_text","text":"b","annotations":[]}]},
    {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s"}],
      "encrypted_content":"ZW5j"},
    {"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}","status":"completed"},
    {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"r"}]}],
    "tools":[{"type":"function","name":"f","parameters":null,"strict":true}],
    "text":{"format":{"type":"text"}},
    "tool_choice":{"type":"function","name":"f"},"reasoning":{"effort":"high"},"max_output_tokens":null})");
  ASSERT_TRUE(got) << got.error().what;
  std::vector<Message> want{{Role::system, {TextPart{"Be kind."}}},
                            {Role::user, {TextPart{"a"}, ImagePart{"image/png", "\x89PNG\r\n\x1a\n"}}},
                            {Role::assistant,
                             {TextPart{"b"}, ReasoningPart{"s", {}, {}}, ReasoningPart{{}, {}, "ZW5j"},
                              ToolUsePart{"c", "f", {"{}"}, {}}}},
                            {Role::user, {ToolResultPart{"c", "r", false}}}};
  EXPECT_EQ(got->request.messages, want);
  EXPECT_EQ(got->request.forced_tool, "f");
  EXPECT_EQ(got->request.reasoning_tokens_max, 16384);
  EXPECT_FALSE(got->stream);
  EXPECT_TRUE(got->stream_usage);
}

TEST(ServeResponses, RefusesWhatWouldNeedStoredState) {
  for (const auto* body : {R"({"model":"m","input":"x","previous_response_id":"resp_1"})",
                           R"({"model":"m","input":"x","conversation":"conv_1"})",
                           R"({"model":"m","input":"x","background":true})",
                           R"({"model":"m","input":[{"type":"item_reference","id":"msg_1"}]})",
                           R"({"model":"m","input":"x","tools":[{"type":"web_search"}]})"}) {
    auto got = read_served(body);
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::unsupported) << body;
  }
}

}  // namespace
}  // namespace troupe::providers
