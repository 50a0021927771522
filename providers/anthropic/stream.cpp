#include "providers/anthropic/stream.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/errors.hpp"

#include <array>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

constexpr std::size_t kBlocksMax = 1024;

// The members of a usage that read_usage reads; the others are details.
constexpr std::array kCounted{
    "input_tokens",  "cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation",
    "output_tokens", "output_tokens_details"};

std::unexpected<Error> broken_message_stream(const char* what) { return fail(Errc::stream_broken, what); }

// Empty texts carry nothing and would count as a first token.
void push_text(std::string text, std::vector<StreamEvent>& out) {
  if (!text.empty()) out.push_back(TextDelta{std::move(text)});
}

void push_reasoning(ReasoningDelta said, std::vector<StreamEvent>& out) {
  if (said != ReasoningDelta{}) out.push_back(std::move(said));
}

}  // namespace

Result<void> MessageEvents::read(const Json& event, std::vector<StreamEvent>& out) {
  if (stopped_) return {};
  auto type = get_string(event, "type");
  // Services in between speak their own envelope, which has no type.
  if (type == "error" || (type.empty() && find(event, "error") != nullptr))
    return std::unexpected(classify_(event));
  if (type == "message_start") return on_message_start(event, out);
  if (type == "content_block_start") return on_block_start(event, out);
  if (type == "content_block_delta") return on_delta(event, out);
  if (type == "content_block_stop") on_block_stop(event, out);
  if (type == "message_delta") on_message_delta(event);
  if (type == "message_stop") return on_message_stop(event, out);
  return {};
}

void MessageEvents::start_once(std::string model, std::vector<StreamEvent>& out) {
  if (!std::exchange(started_, true)) out.push_back(StreamStarted{std::move(model)});
}

Result<void> MessageEvents::on_message_start(const Json& event, std::vector<StreamEvent>& out) {
  if (started_) return broken_message_stream("a message started twice");
  static const Json nothing = Json::object();
  const auto* message = find(event, "message");
  if (message == nullptr) message = &nothing;
  start_once(get_string(*message, "model"), out);
  details_.read_message(*message);
  if (const auto* usage = find(*message, "usage")) merge_usage(*usage);
  return {};
}

Result<void> MessageEvents::on_block_start(const Json& event, std::vector<StreamEvent>& out) {
  start_once({}, out);
  if (open_.size() >= kBlocksMax) return broken_message_stream("too many content blocks at once");
  auto [at, fresh] = open_.try_emplace(get_int(event, "index", -1));
  if (!fresh) return broken_message_stream("a content block started twice");
  const auto* block = find(event, "content_block");
  if (block == nullptr) return {};
  auto type = get_string(*block, "type");
  if (type == "tool_use") return on_tool_start(*block, at->second, out);
  if (type == "text") push_text(get_string(*block, "text"), out);
  if (type == "thinking")
    push_reasoning({get_string(*block, "thinking"), get_string(*block, "signature"), {}}, out);
  if (type == "redacted_thinking") push_reasoning({{}, {}, get_string(*block, "data")}, out);
  return {};
}

Result<void> MessageEvents::on_tool_start(const Json& block, Block& opened, std::vector<StreamEvent>& out) {
  if (static_cast<std::size_t>(tools_) >= kBlocksMax)
    return broken_message_stream("too many tool calls in one answer");
  opened.tool = tools_++;
  const auto* input = find(block, "input");
  if (input != nullptr && input->is_object() && !input->empty()) opened.whole_input = dump_json(*input);
  out.push_back(ToolUseStarted{opened.tool, get_string(block, "id"), get_string(block, "name"), {}});
  return {};
}

Result<void> MessageEvents::on_delta(const Json& event, std::vector<StreamEvent>& out) {
  const auto* delta = find(event, "delta");
  if (delta == nullptr) return {};
  start_once({}, out);
  auto type = get_string(*delta, "type");
  if (type == "text_delta") push_text(get_string(*delta, "text"), out);
  if (type == "thinking_delta") push_reasoning({get_string(*delta, "thinking"), {}, {}}, out);
  if (type == "signature_delta") push_reasoning({{}, get_string(*delta, "signature"), {}}, out);
  if (type != "input_json_delta") return {};
  return on_input_delta(event, get_string(*delta, "partial_json"), out);
}

Result<void> MessageEvents::on_input_delta(const Json& event, std::string json,
                                           std::vector<StreamEvent>& out) {
  auto block = open_.find(get_int(event, "index", -1));
  if (block == open_.end()) return broken_message_stream("tool input for a block that is not open");
  // The input of a call the provider makes itself.
  if (block->second.tool < 0 || json.empty()) return {};
  block->second.whole_input.clear();
  out.push_back(ToolInputDelta{block->second.tool, std::move(json)});
  return {};
}

void MessageEvents::on_block_stop(const Json& event, std::vector<StreamEvent>& out) {
  auto block = open_.find(get_int(event, "index", -1));
  if (block == open_.end()) return;
  auto& input = block->second.whole_input;
  if (!input.empty()) out.push_back(ToolInputDelta{block->second.tool, std::move(input)});
  open_.erase(block);
}

void MessageEvents::on_message_delta(const Json& event) {
  details_.read_message(event);
  if (const auto* usage = find(event, "usage")) merge_usage(*usage);
  const auto* delta = find(event, "delta");
  if (delta == nullptr) return;
  details_.read_message(*delta);
  stop_reason_ = get_string(*delta, "stop_reason", std::move(stop_reason_));
}

Result<void> MessageEvents::on_message_stop(const Json& event, std::vector<StreamEvent>& out) {
  if (stop_reason_.empty()) return broken_message_stream("the message stopped without a stop_reason");
  while (!open_.empty()) {
    Json last{{"index", open_.begin()->first}};
    on_block_stop(last, out);
  }
  start_once({}, out);
  stopped_ = true;
  details_.read_message(event);
  read_metrics(event);
  out.push_back(read_stop(stop_reason_));
  if (!usage_.empty()) out.push_back(UsageReported{read_usage(usage_)});
  if (auto details = details_.take(); details != DetailsReported{}) out.push_back(std::move(details));
  return {};
}

void MessageEvents::merge_usage(const Json& usage) {
  details_.read_usage(usage);
  for (const auto* key : kCounted)
    if (const auto* value = find(usage, key); value != nullptr && !value->is_null()) usage_[key] = *value;
}

void MessageEvents::read_metrics(const Json& event) {
  const auto* metrics = find(event, "amazon-bedrock-invocationMetrics");
  if (metrics == nullptr || !usage_.empty()) return;
  usage_["input_tokens"] = get_int(*metrics, "inputTokenCount");
  usage_["output_tokens"] = get_int(*metrics, "outputTokenCount");
  usage_["cache_read_input_tokens"] = get_int(*metrics, "cacheReadInputTokenCount");
  usage_["cache_creation_input_tokens"] = get_int(*metrics, "cacheWriteInputTokenCount");
}

Result<void> MessagesStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  whole_.clear();
  auto result = sse_.feed(bytes, whole_);
  for (const auto& event : whole_) {
    auto read = on_data(event.data, out);
    if (read) continue;
    result = std::move(read);
    break;
  }
  if (!result) failed_ = result.error();
  return result;
}

Result<void> MessagesStreamDecoder::finish(std::vector<StreamEvent>&) {
  if (failed_) return std::unexpected(*failed_);
  if (!events_.stopped()) return broken_message_stream("the stream ended without message_stop");
  return {};
}

Result<void> MessagesStreamDecoder::on_data(std::string_view data, std::vector<StreamEvent>& out) {
  if (events_.stopped()) return {};
  auto event = parse_json(data);
  if (!event || !event->is_object())
    return broken_message_stream("an event of the stream is not a JSON object");
  return events_.read(*event, out);
}

}  // namespace troupe::providers::anthropic
