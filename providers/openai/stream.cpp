#include "providers/openai/stream.hpp"

#include "providers/openai/decode.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

constexpr std::size_t kToolCallsMax = 1024;

std::unexpected<Error> broken_chat_stream(const char* what) { return fail(Errc::stream_broken, what); }

// A member that is a text and not empty; empty ones carry nothing and would count as a first token.
std::optional<std::string> some_text(const Json& object, std::string_view key) {
  auto text = get_string(object, key);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Result<void> ChatStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  events_.clear();
  auto result = sse_.feed(bytes, events_);
  for (const auto& event : events_) {
    auto read = on_data(event.data, out);
    if (read) continue;
    result = std::move(read);
    break;
  }
  if (!result) failed_ = result.error();
  return result;
}

Result<void> ChatStreamDecoder::finish(std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  if (!stopped_) return broken_chat_stream("the stream ended without a finish_reason");
  report_rest(out);
  return {};
}

Result<void> ChatStreamDecoder::on_data(std::string_view data, std::vector<StreamEvent>& out) {
  if (done_) return {};
  if (data == "[DONE]") {
    done_ = true;
    if (stopped_) report_rest(out);
    return {};
  }
  auto chunk = parse_json(data);
  if (!chunk || !chunk->is_object()) return broken_chat_stream("a chunk of the stream is not a JSON object");
  return on_chunk(*chunk, out);
}

Result<void> ChatStreamDecoder::on_chunk(const Json& chunk, std::vector<StreamEvent>& out) {
  if (const auto* error = find(chunk, "error"); error != nullptr && !error->is_null())
    return std::unexpected(read_error_(chunk));
  const auto* choices = find(chunk, "choices");
  bool has_choice = choices != nullptr && choices->is_array() && !choices->empty();
  if (has_choice && !std::exchange(started_, true)) out.push_back(StreamStarted{get_string(chunk, "model")});
  if (has_choice)
    for (const auto& choice : *choices)
      if (auto ok = on_choice(choice, out); !ok) return ok;
  // Null on every chunk but the last; the last one seen counts, for servers that report as they go.
  if (const auto* usage = find(chunk, "usage"); usage != nullptr && usage->is_object())
    usage_ = read_usage(*usage);
  if (auto tier = some_text(chunk, "service_tier")) tier_ = std::move(*tier);
  keep_chat_extra(chunk, extra_);
  return {};
}

Result<void> ChatStreamDecoder::on_choice(const Json& choice, std::vector<StreamEvent>& out) {
  if (get_int(choice, "index") != 0) return {};
  keep_choice_extra(choice, "delta", extra_);
  if (const auto* delta = find(choice, "delta"); delta != nullptr && delta->is_object())
    if (auto ok = on_delta(*delta, out); !ok) return ok;
  auto reason = some_text(choice, "finish_reason");
  if (!reason || std::exchange(stopped_, true)) return {};
  out.push_back(read_finish_reason(*reason, !tool_index_.empty(), refused_));
  return {};
}

Result<void> ChatStreamDecoder::on_delta(const Json& delta, std::vector<StreamEvent>& out) {
  auto before = out.size();
  if (auto text = reasoning_text(delta); !text.empty())
    out.push_back(ReasoningDelta{std::move(text), {}, {}});
  if (auto text = some_text(delta, "content")) out.push_back(TextDelta{std::move(*text)});
  if (auto text = some_text(delta, "refusal")) {
    refused_ = true;
    out.push_back(TextDelta{std::move(*text)});
  }
  if (const auto* calls = find(delta, "tool_calls"); calls != nullptr && calls->is_array())
    for (const auto& fragment : *calls)
      if (auto ok = on_tool_fragment(fragment, out); !ok) return ok;
  // The order of events is promised, and content after the end would be lost silently.
  if (stopped_ && out.size() > before) {
    out.resize(before);
    return broken_chat_stream("content after the finish_reason");
  }
  return {};
}

Result<void> ChatStreamDecoder::on_tool_fragment(const Json& fragment, std::vector<StreamEvent>& out) {
  const auto* function = find(fragment, "function");
  auto id = get_string(fragment, "id");
  // Some servers leave the index out: an id then opens the next call.
  auto unnumbered = static_cast<std::int64_t>(tool_index_.size());
  auto key = get_int(fragment, "index", id.empty() ? last_tool_ : unnumbered);
  auto known = tool_index_.find(key);
  if (known == tool_index_.end()) {
    auto name = function != nullptr ? some_text(*function, "name") : std::nullopt;
    if (!name) return broken_chat_stream("a tool call's fragment came before its name");
    if (tool_index_.size() >= kToolCallsMax) return broken_chat_stream("too many tool calls in one answer");
    known = tool_index_.emplace(key, static_cast<int>(tool_index_.size())).first;
    out.push_back(ToolUseStarted{known->second, std::move(id), std::move(*name), {}});
  }
  last_tool_ = key;
  auto arguments = function != nullptr ? some_text(*function, "arguments") : std::nullopt;
  if (arguments) out.push_back(ToolInputDelta{known->second, std::move(*arguments)});
  return {};
}

void ChatStreamDecoder::report_rest(std::vector<StreamEvent>& out) {
  if (usage_) out.push_back(UsageReported{*usage_});
  usage_.reset();
  auto extra = extra_.text();
  if (!tier_.empty() || !extra.text.empty()) out.push_back(DetailsReported{tier_, std::move(extra)});
  tier_.clear();
  extra_ = {};
}

}  // namespace troupe::providers::openai
