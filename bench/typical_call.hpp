// The model call that benchmarks make: a system prompt, two turns and a tool, about 4 KiB of JSON.
#pragma once

#include "providers/dialect.hpp"

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <string>
#include <string_view>

namespace troupe::bench {

/// `bytes` of plain prose with a quotation mark and a line break now and then, as people write.
inline std::string prose(std::size_t bytes) {
  constexpr std::string_view passage =
      "Rosa asked whether the \"blue\" build may ship on Thursday, and Imre said the tests of the importer "
      "still fail once in ten runs.\nNobody objected. ";
  std::string out;
  while (out.size() < bytes) out += passage;
  out.resize(bytes);
  return out;
}

inline ToolSpec lookup_tool() {
  return {"look_up",
          "Finds messages of one channel by their words.",
          {R"({"type":"object","properties":{"channel":{"type":"string"},"words":{"type":"array",)"
           R"("items":{"type":"string"}},"limit":{"type":"integer","minimum":1}},"required":["channel"]})"}};
}

inline CompletionRequest typical_request(bool tools = true) {
  CompletionRequest request;
  request.feature = "bench";
  request.messages = {{Role::system, {TextPart{prose(700), false}}},
                      {Role::user, {TextPart{prose(1'400), false}}},
                      {Role::assistant, {TextPart{prose(300), false}}},
                      {Role::user, {TextPart{prose(1'000), false}}}};
  if (tools) request.tools = {lookup_tool()};
  request.sampling.temperature = 0.2;
  return request;
}

/// A kilobyte of text and a tool call.
inline Completion typical_completion(bool tools = true) {
  Completion out;
  out.parts.emplace_back(TextPart{prose(1'024), false});
  if (tools) {
    out.parts.emplace_back(ToolUsePart{"call_1", "look_up", {R"({"channel":"builds","limit":5})"}, {}});
    out.stop = StopReason::tool_calls;
  }
  out.usage.input = 900;
  out.usage.output = 260;
  return out;
}

inline providers::Target typical_target(std::string_view dialect) {
  providers::Target target;
  bool amazon = dialect.starts_with("bedrock");
  target.model = amazon ? "anthropic.claude-3-5-sonnet-20241022-v2:0" : "model-1";
  target.host = amazon ? "bedrock-runtime.us-east-1.amazonaws.com" : "models.example.com";
  target.project = "project-1";
  target.location = "us-central1";
  return target;
}

}  // namespace troupe::bench
