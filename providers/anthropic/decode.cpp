#include "providers/anthropic/decode.hpp"

#include "providers/anthropic/details.hpp"
#include "providers/anthropic/errors.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

struct StopWord {
  std::string_view word;
  StopReason reason;
};

constexpr std::array kStopWords{
    StopWord{"end_turn", StopReason::stop},
    StopWord{"max_tokens", StopReason::length},
    StopWord{"stop_sequence", StopReason::stop_sequence},
    StopWord{"tool_use", StopReason::tool_calls},
    StopWord{"pause_turn", StopReason::pause},
    StopWord{"refusal", StopReason::content_filter},
    StopWord{"model_context_window_exceeded", StopReason::context_length},
    StopWord{"model_error", StopReason::model_error},
};

constexpr std::int64_t kTokensMax = 1'000'000'000'000;

std::int64_t tokens(const Json& object, std::string_view key) {
  return std::clamp<std::int64_t>(get_int(object, key), 0, kTokensMax);
}

void read_answer_block(const Json& block, std::vector<Part>& parts) {
  auto type = get_string(block, "type");
  if (type == "text") {
    if (auto text = get_string(block, "text"); !text.empty()) parts.emplace_back(TextPart{std::move(text)});
  } else if (type == "tool_use") {
    const auto* input = find(block, "input");
    JsonText json{input != nullptr && !input->is_null() ? dump_json(*input) : "{}"};
    parts.emplace_back(ToolUsePart{get_string(block, "id"), get_string(block, "name"), std::move(json), {}});
  } else if (type == "thinking") {
    parts.emplace_back(ReasoningPart{get_string(block, "thinking"), get_string(block, "signature"), {}});
  } else if (type == "redacted_thinking") {
    parts.emplace_back(ReasoningPart{{}, {}, get_string(block, "data")});
  }
}

}  // namespace

StreamStopped read_stop(std::string_view word) {
  for (const auto& row : kStopWords)
    if (row.word == word) return {row.reason, {}};
  return {StopReason::model_error, std::string(word)};
}

std::string stop_word(StopReason reason, std::string_view unrecognised) {
  if (!unrecognised.empty()) return std::string(unrecognised);
  for (const auto& row : kStopWords)
    if (row.reason == reason) return std::string(row.word);
  return "end_turn";
}

Usage read_usage(const Json& usage) {
  static const Json nothing = Json::object();
  const auto* written = find(usage, "cache_creation");
  const auto* details = find(usage, "output_tokens_details");
  if (written == nullptr) written = &nothing;
  if (details == nullptr) details = &nothing;
  Usage out{.input = tokens(usage, "input_tokens"),
            .output = tokens(usage, "output_tokens"),
            .cache_read = tokens(usage, "cache_read_input_tokens")};
  auto hour = tokens(*written, "ephemeral_1h_input_tokens");
  // The sum is redundant beside its parts, and some gateways leave it out.
  out.cache_write = std::max(tokens(usage, "cache_creation_input_tokens"),
                             hour + tokens(*written, "ephemeral_5m_input_tokens"));
  out.cache_write_1h = hour;
  out.reasoning = std::min(tokens(*details, "thinking_tokens"), out.output);
  return out;
}

Json write_usage(const Usage& usage) {
  Json kept{{"ephemeral_5m_input_tokens", usage.cache_write - usage.cache_write_1h},
            {"ephemeral_1h_input_tokens", usage.cache_write_1h}};
  Json out{{"input_tokens", usage.input},
           {"cache_creation_input_tokens", usage.cache_write},
           {"cache_read_input_tokens", usage.cache_read}};
  out["cache_creation"] = std::move(kept);
  out["output_tokens"] = usage.output;
  if (usage.reasoning > 0) out["output_tokens_details"]["thinking_tokens"] = usage.reasoning;
  return out;
}

Result<Completion> read_message(const Json& body) {
  if (is_error_body(body)) return std::unexpected(classify_event(body));
  const auto* content = find(body, "content");
  if (content == nullptr || !content->is_array())
    return fail(Errc::stream_broken, "not a whole message: no content");
  auto reason = get_string(body, "stop_reason");
  if (reason.empty()) return fail(Errc::stream_broken, "not a whole message: no stop_reason");
  Completion out;
  for (const auto& block : *content) read_answer_block(block, out.parts);
  auto stopped = read_stop(reason);
  out.stop = stopped.reason;
  out.unrecognised_stop = std::move(stopped.unrecognised);
  out.model = get_string(body, "model");
  AnswerDetails details;
  details.read_message(body);
  if (const auto* usage = find(body, "usage"); usage != nullptr) {
    out.usage = read_usage(*usage);
    details.read_usage(*usage);
  }
  auto said = details.take();
  out.tier = std::move(said.tier);
  out.extra = std::move(said.extra);
  return out;
}

}  // namespace troupe::providers::anthropic
