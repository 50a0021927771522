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

using Member = std::string_view;
constexpr std::size_t kStopWordMax = 64;
// Of the answer and of the events that close a stream; "p" is padding.
constexpr std::array kAnswerMembers{Member("output"),  Member("stopReason"),  Member("usage"),
                                    Member("metrics"), Member("serviceTier"), Member("p")};
constexpr std::array kUsageMembers{Member("inputTokens"),           Member("outputTokens"),
                                   Member("totalTokens"),           Member("cacheReadInputTokens"),
                                   Member("cacheWriteInputTokens"), Member("cacheDetails")};
constexpr std::array kMetricsMembers{Member("latencyMs")};

// A token count; hostile ones are cut before they are added up.
std::int64_t token_count(const Json& counts, const char* key) {
  return std::clamp<std::int64_t>(get_int(counts, key), 0, 1'000'000'000'000);
}

std::unexpected<Error> not_whole(std::string_view what) {
  return fail(Errc::stream_broken, "not a whole Converse answer: " + std::string(what));
}

void read_block(const Json& block, std::vector<Part>& parts) {
  if (auto text = get_string(block, "text"); !text.empty()) parts.emplace_back(TextPart{std::move(text)});
  if (const auto* use = find(block, "toolUse")) {
    const auto* input = find(*use, "input");
    JsonText json{input != nullptr ? dump_json(*input) : "{}"};
    parts.emplace_back(
        ToolUsePart{get_string(*use, "toolUseId"), get_string(*use, "name"), std::move(json), {}});
  }
  const auto* reasoning = find(block, "reasoningContent");
  if (reasoning == nullptr) return;
  if (const auto* said = find(*reasoning, "reasoningText"))
    parts.emplace_back(ReasoningPart{get_string(*said, "text"), get_string(*said, "signature"), {}});
  if (auto redacted = get_string(*reasoning, "redactedContent"); !redacted.empty())
    parts.emplace_back(ReasoningPart{{}, {}, std::move(redacted)});
}

}  // namespace

StreamStopped read_stop_reason(std::string_view reason) {
  for (const auto& row : kStopWords)
    if (row.word == reason) return {row.reason, {}};
  return {StopReason::model_error, to_valid_utf8(reason.substr(0, kStopWordMax))};
}

std::string stop_word(StopReason reason, const std::string& unrecognised) {
  if (!unrecognised.empty()) return unrecognised;
  for (const auto& row : kStopWords)
    if (row.reason == reason) return std::string(row.word);
  return "end_turn";
}

void ConverseDetails::take(const Json& object) {
  if (const auto* tier = find(object, "serviceTier"))
    if (auto type = get_string(*tier, "type"); !type.empty()) tier_ = std::move(type);
  extra_.keep(object, kAnswerMembers);
  extra_.keep_within(object, "usage", kUsageMembers);
  extra_.keep_within(object, "metrics", kMetricsMembers);
}

void write_details(const DetailsReported& details, Json& body) {
  if (!details.tier.empty()) body["serviceTier"]["type"] = details.tier;
  write_unknown_members(details.extra, body);
}

Usage read_token_usage(const Json& usage) {
  Usage out;
  out.input = token_count(usage, "inputTokens");
  out.output = token_count(usage, "outputTokens");
  out.cache_read = token_count(usage, "cacheReadInputTokens");
  out.cache_write = token_count(usage, "cacheWriteInputTokens");
  const auto* details = find(usage, "cacheDetails");
  if (details == nullptr || !details->is_array()) return out;
  for (const auto& detail : *details)
    if (get_string(detail, "ttl") == "1h") out.cache_write_1h += token_count(detail, "inputTokens");
  out.cache_write_1h = std::min(out.cache_write_1h, out.cache_write);
  return out;
}

Json write_token_usage(const Usage& usage) {
  Json out{{"inputTokens", usage.input}, {"outputTokens", usage.output}};
  out["totalTokens"] = usage.input_total() + usage.output;
  if (usage.cache_read > 0) out["cacheReadInputTokens"] = usage.cache_read;
  if (usage.cache_write > 0) out["cacheWriteInputTokens"] = usage.cache_write;
  if (usage.cache_write_1h <= 0) return out;
  auto kept = [](const char* ttl, std::int64_t tokens) {
    return Json{{"ttl", ttl}, {"inputTokens", tokens}};
  };
  auto& details = out["cacheDetails"] = Json::array();
  details.push_back(kept("1h", usage.cache_write_1h));
  if (usage.cache_write > usage.cache_write_1h)
    details.push_back(kept("5m", usage.cache_write - usage.cache_write_1h));
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
  auto stopped = read_stop_reason(reason);
  out.stop = stopped.reason;
  out.unrecognised_stop = std::move(stopped.unrecognised);
  if (const auto* usage = find(body, "usage")) out.usage = read_token_usage(*usage);
  ConverseDetails details;
  details.take(body);
  auto said = details.report();
  out.tier = std::move(said.tier);
  out.extra = std::move(said.extra);
  return out;
}

}  // namespace troupe::providers::bedrock
