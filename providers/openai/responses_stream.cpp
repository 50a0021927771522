#include "providers/openai/responses_stream.hpp"

#include "providers/openai/errors.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

constexpr std::size_t kItemsMax = 4096;

std::unexpected<Error> broken_response_stream(const char* what) { return fail(Errc::stream_broken, what); }

bool is_end(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

bool carries_content(std::string_view type) {
  return type.ends_with(".delta") || type.starts_with("response.output_item.");
}

}  // namespace

Result<void> ResponseStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  events_.clear();
  auto result = sse_.feed(bytes, events_);
  for (const auto& event : events_) {
    auto read = on_sse(event, out);
    if (read) continue;
    result = std::move(read);
    break;
  }
  if (!result) failed_ = result.error();
  return result;
}

Result<void> ResponseStreamDecoder::finish(std::vector<StreamEvent>&) {
  if (failed_) return std::unexpected(*failed_);
  if (!stopped_) return broken_response_stream("the stream ended before its response did");
  return {};
}

Result<void> ResponseStreamDecoder::on_sse(const SseEvent& event, std::vector<StreamEvent>& out) {
  if (event.data == "[DONE]") return {};
  auto data = parse_json(event.data);
  if (!data || !data->is_object())
    return broken_response_stream("an event of the stream is not a JSON object");
  auto type = get_string(*data, "type", event.type);
  if (stopped_ && carries_content(type)) return broken_response_stream("content after the response's end");
  if (stopped_) return {};
  if (spoken_.size() > kItemsMax || tool_index_.size() > kItemsMax)
    return broken_response_stream("too many items in one response");
  return on_event(type, *data, out);
}

Result<void> ResponseStreamDecoder::on_event(const std::string& type, const Json& data,
                                             std::vector<StreamEvent>& out) {
  const auto* error = find(data, "error");
  bool bare_error = type.empty() && error != nullptr && !error->is_null();
  if (type == "error" || bare_error) return std::unexpected(classify_in_stream(data));
  if (is_end(type)) return on_ended(data, out);
  on_started(data, carries_content(type), out);
  if (type == "response.output_item.added") return on_item_added(data, out);
  if (type == "response.output_item.done") return on_item_done(data, out);
  if (type == "response.function_call_arguments.delta")
    return on_arguments(data, get_string(data, "delta"), false, out);
  if (type == "response.function_call_arguments.done")
    return on_arguments(data, get_string(data, "arguments"), true, out);
  seen_.refused = seen_.refused || type == "response.refusal.delta" || type == "response.refusal.done";
  if (type == "response.output_text.delta" || type == "response.refusal.delta")
    on_text(data, get_string(data, "delta"), false, out);
  if (type == "response.output_text.done") on_text(data, get_string(data, "text"), true, out);
  if (type == "response.refusal.done") on_text(data, get_string(data, "refusal"), true, out);
  if (type == "response.reasoning_summary_text.delta" || type == "response.reasoning_text.delta")
    on_reasoning(data, out);
  return {};
}

void ResponseStreamDecoder::on_started(const Json& data, bool content, std::vector<StreamEvent>& out) {
  const auto* response = find(data, "response");
  if ((response == nullptr && !content) || std::exchange(started_, true)) return;
  out.push_back(StreamStarted{response != nullptr ? get_string(*response, "model") : std::string()});
}

Result<void> ResponseStreamDecoder::on_item_added(const Json& data, std::vector<StreamEvent>& out) {
  const auto* item = find(data, "item");
  if (item == nullptr || get_string(*item, "type") != "function_call") return {};
  auto fresh = tool_index_.emplace(get_int(data, "output_index"), tools_).second;
  if (!fresh) return broken_response_stream("an output item was added twice");
  seen_.calls = true;
  out.push_back(ToolUseStarted{tools_++, get_string(*item, "call_id"), get_string(*item, "name"), {}});
  return {};
}

Result<void> ResponseStreamDecoder::on_arguments(const Json& data, std::string json, bool whole,
                                                 std::vector<StreamEvent>& out) {
  auto index = get_int(data, "output_index");
  auto known = tool_index_.find(index);
  if (known == tool_index_.end())
    return broken_response_stream("arguments for a function call that was never added");
  bool first = spoken_.find({index, 0}) == spoken_.end();
  if (json.empty() || (whole && !first)) return {};
  spoken_.insert({index, 0});
  out.push_back(ToolInputDelta{known->second, std::move(json)});
  return {};
}

void ResponseStreamDecoder::on_text(const Json& data, std::string text, bool whole,
                                    std::vector<StreamEvent>& out) {
  Place place{get_int(data, "output_index"), get_int(data, "content_index")};
  if (text.empty() || (whole && spoken_.contains(place))) return;
  spoken_.insert(place);
  out.push_back(TextDelta{std::move(text)});
}

void ResponseStreamDecoder::on_reasoning(const Json& data, std::vector<StreamEvent>& out) {
  auto text = get_string(data, "delta");
  if (text.empty()) return;
  Place place{get_int(data, "output_index"), get_int(data, "summary_index", get_int(data, "content_index"))};
  // The whole response joins an item's summaries the same way.
  bool next_summary = last_summary_ && last_summary_->first == place.first && *last_summary_ != place;
  last_summary_ = place;
  spoken_.insert({place.first, 0});
  out.push_back(ReasoningDelta{next_summary ? "\n\n" + text : std::move(text), {}, {}});
}

Result<void> ResponseStreamDecoder::on_item_done(const Json& data, std::vector<StreamEvent>& out) {
  const auto* item = find(data, "item");
  if (item == nullptr) return {};
  auto type = get_string(*item, "type");
  auto index = get_int(data, "output_index");
  bool said =
      spoken_.lower_bound({index, 0}) != spoken_.end() && spoken_.lower_bound({index, 0})->first == index;
  if (type == "function_call" && tool_index_.contains(index))
    return on_arguments(data, get_string(*item, "arguments"), true, out);
  // Shown reasoning came as deltas; what is encrypted comes only here.
  if (type == "reasoning" && said) {
    auto encrypted = get_string(*item, "encrypted_content");
    if (!encrypted.empty()) out.push_back(ReasoningDelta{{}, {}, std::move(encrypted)});
    return {};
  }
  if (said) return {};
  for (auto& event : read_output_item(*item, tools_, seen_)) out.push_back(std::move(event));
  spoken_.insert({index, 0});
  return {};
}

Result<void> ResponseStreamDecoder::on_ended(const Json& data, std::vector<StreamEvent>& out) {
  const auto* response = find(data, "response");
  if (response == nullptr || !response->is_object())
    return broken_response_stream("the final event holds no response");
  on_started(data, true, out);
  auto end = read_ended_response(*response, seen_);
  if (!end) {
    auto error = end.error();
    error.maybe_billed = true;
    return std::unexpected(std::move(error));
  }
  stopped_ = true;
  for (auto& event : *end) out.push_back(std::move(event));
  return {};
}

}  // namespace troupe::providers::openai
