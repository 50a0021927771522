#include "providers/openai/decode.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/extra.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::providers::openai {
namespace {

using Name = std::string_view;

constexpr std::size_t kWordMax = 64;
constexpr std::array kEnvelopeNames{Name("id"),           Name("object"),     Name("created"),
                                    Name("model"),        Name("choices"),    Name("usage"),
                                    Name("service_tier"), Name("obfuscation")};
constexpr std::array kChoiceNames{Name("index"), Name("message"), Name("delta"), Name("finish_reason")};
constexpr std::array kMessageNames{Name("role"),       Name("content"),           Name("refusal"),
                                   Name("tool_calls"), Name("reasoning_content"), Name("reasoning")};
constexpr std::array kUsageNames{Name("prompt_tokens"), Name("completion_tokens"), Name("total_tokens")};
constexpr std::array kDetailNames{Name("prompt_tokens_details"), Name("completion_tokens_details")};
constexpr std::array kDetailCounts{Name("cached_tokens"), Name("cache_write_tokens"),
                                   Name("reasoning_tokens")};

std::int64_t get_count(const Json& object, std::string_view key) {
  return std::max<std::int64_t>(0, get_int(object, key));
}

std::int64_t get_nested_count(const Json& object, std::string_view key, std::string_view nested) {
  const auto* details = find(object, key);
  return details != nullptr ? get_count(*details, nested) : 0;
}

std::unexpected<Error> not_whole(std::string_view what) {
  return fail(Errc::stream_broken, "not a whole chat completion: " + std::string(what));
}

void read_chat_details(const Json& body, const Json& choice, Completion& out) {
  out.model = get_string(body, "model");
  out.tier = get_string(body, "service_tier");
  if (const auto* usage = find(body, "usage")) out.usage = read_usage(*usage);
  UnknownMembers extra;
  keep_chat_extra(body, extra);
  keep_choice_extra(choice, "message", extra);
  out.extra = extra.text();
}

Result<void> read_tool_calls(const Json& message, std::vector<Part>& parts) {
  const auto* calls = find(message, "tool_calls");
  if (calls == nullptr || calls->is_null()) return {};
  if (!calls->is_array()) return not_whole("tool_calls");
  for (const auto& call : *calls) {
    const auto* function = find(call, "function");
    if (function == nullptr) return not_whole("a tool call's function");
    auto arguments = get_string(*function, "arguments");
    if (arguments.empty()) arguments = "{}";
    parts.emplace_back(
        ToolUsePart{get_string(call, "id"), get_string(*function, "name"), {std::move(arguments)}, {}});
  }
  return {};
}

}  // namespace

std::string unrecognised_word(std::string_view word) { return to_valid_utf8(word.substr(0, kWordMax)); }

StreamStopped read_finish_reason(std::string_view reason, bool has_tool_calls, bool refused) {
  if (refused || reason == "content_filter") return {StopReason::content_filter, {}};
  if (reason == "tool_calls" || reason == "function_call") return {StopReason::tool_calls, {}};
  if (reason == "stop") return {has_tool_calls ? StopReason::tool_calls : StopReason::stop, {}};
  if (reason == "length") return {StopReason::length, {}};
  return {StopReason::model_error, unrecognised_word(reason)};
}

std::string reasoning_text(const Json& message) {
  auto text = get_string(message, "reasoning_content");
  return text.empty() ? get_string(message, "reasoning") : text;
}

void keep_chat_extra(const Json& body, UnknownMembers& extra) {
  extra.keep(body, kEnvelopeNames);
  if (const auto* usage = find(body, "usage"))
    keep_usage_extra(*usage, {kUsageNames, kDetailNames, kDetailCounts}, extra);
}

void keep_choice_extra(const Json& choice, std::string_view content, UnknownMembers& extra) {
  extra.keep(choice, kChoiceNames);
  if (const auto* said = find(choice, content)) extra.keep(*said, kMessageNames);
}

Usage read_usage(const Json& usage) {
  Usage out;
  out.cache_read = get_nested_count(usage, "prompt_tokens_details", "cached_tokens");
  out.cache_write = get_nested_count(usage, "prompt_tokens_details", "cache_write_tokens");
  out.input = std::max<std::int64_t>(0, get_count(usage, "prompt_tokens") - out.cache_read - out.cache_write);
  out.output = get_count(usage, "completion_tokens");
  out.reasoning = get_nested_count(usage, "completion_tokens_details", "reasoning_tokens");
  return out;
}

Result<Completion> read_chat_completion(const Json& body) {
  if (const auto* error = find(body, "error"); error != nullptr && !error->is_null())
    return std::unexpected(classify_in_stream(body));
  const auto* choices = find(body, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty()) return not_whole("choices");
  const auto& choice = choices->front();
  const auto* message = find(choice, "message");
  if (message == nullptr || !message->is_object()) return not_whole("message");
  Completion out;
  if (auto reasoning = reasoning_text(*message); !reasoning.empty())
    out.parts.emplace_back(ReasoningPart{std::move(reasoning), {}, {}});
  auto refusal = get_string(*message, "refusal");
  if (auto text = get_string(*message, "content") + refusal; !text.empty())
    out.parts.emplace_back(TextPart{std::move(text)});
  auto parts_before = out.parts.size();
  if (auto ok = read_tool_calls(*message, out.parts); !ok) return std::unexpected(ok.error());
  auto reason = get_string(choice, "finish_reason");
  if (reason.empty()) return not_whole("finish_reason");
  auto stopped = read_finish_reason(reason, out.parts.size() > parts_before, !refusal.empty());
  out.stop = stopped.reason;
  out.unrecognised_stop = std::move(stopped.unrecognised);
  read_chat_details(body, choice, out);
  return out;
}

}  // namespace troupe::providers::openai
