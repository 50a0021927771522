// What the tests of the three dialects with Messages bodies share: targets, fixtures, events in each framing.
#pragma once

#include "providers/eventstream.hpp"
#include "providers/text.hpp"
#include "tests/providers/codec_support.hpp"

namespace troupe::providers::anthropic_test {

inline constexpr std::array kFamily{"anthropic", "bedrock_invoke", "vertex_anthropic"};

inline const Dialect& client(std::string_view name) { return *find_dialect(name); }
inline const DialectServer& server(std::string_view name) { return *find_dialect_server(name); }

inline Target family_target(std::string_view name) {
  if (name == "bedrock_invoke")
    return {.model = "anthropic.claude-3-haiku-20240307-v1:0",
            .host = "bedrock-runtime.us-east-1.amazonaws.com"};
  if (name == "vertex_anthropic")
    return {.model = "claude-sonnet-4@20250514",
            .host = "us-east5-aiplatform.googleapis.com",
            .project = "demo-project",
            .location = "us-east5"};
  return {.model = "claude-sonnet-4-20250514", .host = "api.anthropic.com"};
}

/// One Messages event as this dialect frames it.
inline std::string framed(std::string_view dialect, const std::string& json) {
  if (dialect != "bedrock_invoke") return "event: x\ndata: " + json + "\n\n";
  Frame frame;
  frame.headers = {{":event-type", std::string("chunk")}, {":message-type", std::string("event")}};
  frame.payload = R"({"bytes":")" + base64_encode(json) + R"(","p":"abc"})";
  return encode_frame(frame).value();
}

inline std::string framed(std::string_view dialect, const std::vector<std::string>& events) {
  std::string out;
  for (const auto& event : events) out += framed(dialect, event);
  return out;
}

/// The data of each event of a stream of server-sent events.
inline std::vector<std::string> events_in(const std::string& sse) {
  std::vector<std::string> out;
  for (std::size_t at = sse.find("data: "); at != std::string::npos; at = sse.find("data: ", at))
    out.push_back(sse.substr(at + 6, sse.find('\n', at) - at - 6)), at += 6;
  return out;
}

inline std::string golden_stream(std::string_view dialect) {
  auto sse = codec_test::golden("anthropic/message.sse");
  return dialect == "bedrock_invoke" ? framed(dialect, events_in(sse)) : sse;
}

/// A stream that holds only these events between its start and its end.
inline std::string stream_of(std::string_view dialect, std::vector<std::string> events) {
  events.insert(events.begin(), R"({"type":"message_start","message":{"model":"m"}})");
  events.push_back(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})");
  events.push_back(R"({"type":"message_stop"})");
  return framed(dialect, events);
}

/// What tests/golden/anthropic/message.sse says.
inline Completion golden_answer() {
  Completion answer;
  answer.parts = {ReasoningPart{"hm", "c2ln", {}}, ReasoningPart{{}, {}, "ZW5j"}, TextPart{"Hé €😀"},
                  ToolUsePart{"toolu_1", "look", {R"({"q":1})"}, {}}};
  answer.stop = StopReason::tool_calls;
  answer.usage = {
      .input = 25, .output = 42, .cache_read = 10, .cache_write = 7, .reasoning = 5, .cache_write_1h = 3};
  answer.model = "claude-x";
  answer.tier = "priority";
  answer.extra = {R"({"usage":{"inference_geo":"eu"}})"};
  return answer;
}

}  // namespace troupe::providers::anthropic_test
