#include "providers/openai/decode.hpp"

#include <algorithm>
#include <utility>

namespace troupe::providers::openai {
namespace {

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

StopReason read_finish_reason(std::string_view reason, bool has_tool_calls, bool refused) {
  if (refused || reason == "content_filter") return StopReason::content_filter;
  if (reason == "tool_calls" || reason == "function_call") return StopReason::tool_calls;
  if (reason == "stop") return has_tool_calls ? StopReason::tool_calls : StopReason::stop;
  return reason == "length" ? StopReason::length : StopReason::model_error;
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
  const auto* choices = find(body, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty()) return not_whole("choices");
  const auto& choice = choices->front();
  const auto* message = find(choice, "message");
  if (message == nullptr || !message->is_object()) return not_whole("message");
  Completion out;
  out.model = get_string(body, "model");
  if (auto reasoning = get_string(*message, "reasoning_content"); !reasoning.empty())
    out.parts.emplace_back(ReasoningPart{std::move(reasoning), {}, {}});
  auto refusal = get_string(*message, "refusal");
  if (auto text = get_string(*message, "content") + refusal; !text.empty())
    out.parts.emplace_back(TextPart{std::move(text)});
  auto parts_before = out.parts.size();
  if (auto ok = read_tool_calls(*message, out.parts); !ok) return std::unexpected(ok.error());
  auto reason = get_string(choice, "finish_reason");
  if (reason.empty()) return not_whole("finish_reason");
  out.stop = read_finish_reason(reason, out.parts.size() > parts_before, !refusal.empty());
  if (const auto* usage = find(body, "usage")) out.usage = read_usage(*usage);
  return out;
}

}  // namespace troupe::providers::openai
