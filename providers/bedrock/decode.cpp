#include "providers/bedrock/decode.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace troupe::providers::bedrock {
namespace {

struct StopWord {
  std::string_view word;
  StopReason reason;
};

// The first word of a reason is the one written back.
constexpr std::array kStopWords{
    StopWord{"end_turn", StopReason::stop},
    StopWord{"tool_use", StopReason::tool_calls},
    StopWord{"max_tokens", StopReason::length},
    StopWord{"stop_sequence", StopReason::stop_sequence},
    StopWord{"content_filtered", StopReason::content_filter},
    StopWord{"guardrail_intervened", StopReason::content_filter},
    StopWord{"model_context_window_exceeded", StopReason::context_length},
    StopWord{"malformed_model_output", StopReason::model_error},
    StopWord{"malformed_tool_use", StopReason::model_error},
};

std::unexpected<Error> not_whole(std::string_view what) {
  return fail(Errc::stream_broken, "not a whole Converse answer: " + std::string(what));
}

void read_block(const Json& block, std::vector<Part>& parts) {
  if (auto text = get_string(block, "text"); !text.empty()) parts.emplace_back(TextPart{std::move(text)});
  if (const auto* use = find(block, "toolUse")) {
    const auto* input = find(*use, "input");
    JsonText json{input != nullptr ? dump_json(*input) : "{}"};
    parts.emplace_back(ToolUsePart{get_string(*use, "toolUseId"), get_string(*use, "name"), std::move(json)});
  }
  const auto* reasoning = find(block, "reasoningContent");
  const auto* said = reasoning != nullptr ? find(*reasoning, "reasoningText") : nullptr;
  if (said != nullptr)
    parts.emplace_back(ReasoningPart{get_string(*said, "text"), get_string(*said, "signature")});
}

}  // namespace

StopReason read_stop_reason(std::string_view reason) {
  for (const auto& row : kStopWords)
    if (row.word == reason) return row.reason;
  return StopReason::model_error;
}

const char* stop_word(StopReason reason) {
  for (const auto& row : kStopWords)
    if (row.reason == reason) return row.word.data();
  return "end_turn";
}

Usage read_token_usage(const Json& usage) {
  auto count = [&](const char* key) { return std::max<std::int64_t>(0, get_int(usage, key)); };
  return {.input = count("inputTokens"),
          .output = count("outputTokens"),
          .cache_read = count("cacheReadInputTokens"),
          .cache_write = count("cacheWriteInputTokens")};
}

Json write_token_usage(const Usage& usage) {
  Json out{{"inputTokens", usage.input}, {"outputTokens", usage.output}};
  out["totalTokens"] = usage.input + usage.cache_read + usage.cache_write + usage.output;
  if (usage.cache_read > 0) out["cacheReadInputTokens"] = usage.cache_read;
  if (usage.cache_write > 0) out["cacheWriteInputTokens"] = usage.cache_write;
  return out;
}

Result<Completion> read_converse(const Json& body) {
  const auto* output = find(body, "output");
  const auto* message = output != nullptr ? find(*output, "message") : nullptr;
  const auto* content = message != nullptr ? find(*message, "content") : nullptr;
  if (content == nullptr || !content->is_array()) return not_whole("output");
  auto reason = get_string(body, "stopReason");
  if (reason.empty()) return not_whole("stopReason");
  Completion out;
  for (const auto& block : *content) read_block(block, out.parts);
  out.stop = read_stop_reason(reason);
  if (const auto* usage = find(body, "usage")) out.usage = read_token_usage(*usage);
  return out;
}

}  // namespace troupe::providers::bedrock
