#include "providers/bedrock/stream.hpp"

#include "providers/bedrock/errors.hpp"

#include <utility>

namespace troupe::providers::bedrock {
namespace {

constexpr std::size_t kToolBlocksMax = 1024;

std::unexpected<Error> broken_converse_stream(const char* what) { return fail(Errc::stream_broken, what); }

}  // namespace

Result<void> ConverseStreamDecoder::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  return read_frames(frames_, bytes, failed_, [&](const Frame& frame) { return on_frame(frame, out); });
}

Result<void> ConverseStreamDecoder::finish(std::vector<StreamEvent>& out) {
  if (failed_) return std::unexpected(*failed_);
  if (!frames_.between_frames()) return broken_converse_stream("the stream ended inside a frame");
  if (!stopped_) return broken_converse_stream("the stream ended without messageStop");
  auto details = details_.report();
  if (!details.tier.empty() || !details.extra.text.empty()) out.emplace_back(std::move(details));
  return {};
}

Result<void> ConverseStreamDecoder::on_frame(const Frame& frame, std::vector<StreamEvent>& out) {
  auto type = string_header(frame, ":message-type");
  if (type == "exception" || type == "error") return std::unexpected(classify_frame(frame));
  if (type != "event") return {};
  auto payload = parse_json(frame.payload);
  if (!payload || !payload->is_object())
    return broken_converse_stream("an event of the stream is not a JSON object");
  return on_event(string_header(frame, ":event-type"), *payload, out);
}

Result<void> ConverseStreamDecoder::on_event(std::string_view type, const Json& payload,
                                             std::vector<StreamEvent>& out) {
  if (type == "metadata") {
    on_metadata(payload, out);
    return {};
  }
  bool known = type == "messageStart" || type == "contentBlockStart" || type == "contentBlockDelta" ||
               type == "messageStop";
  if (!known) return {};
  if (stopped_) return broken_converse_stream("content after messageStop");
  if (type == "messageStart") out.push_back(StreamStarted{});
  if (type == "contentBlockStart") return on_block_start(payload, out);
  if (type == "contentBlockDelta") return on_delta(payload, out);
  if (type == "messageStop") on_message_stop(payload, out);
  return {};
}

void ConverseStreamDecoder::on_message_stop(const Json& payload, std::vector<StreamEvent>& out) {
  stopped_ = true;
  out.emplace_back(read_stop_reason(get_string(payload, "stopReason")));
  details_.take(payload);
  if (early_usage_) out.emplace_back(UsageReported{*early_usage_});
}

void ConverseStreamDecoder::on_metadata(const Json& payload, std::vector<StreamEvent>& out) {
  details_.take(payload);
  const auto* usage = find(payload, "usage");
  if (usage == nullptr || std::exchange(usage_seen_, true)) return;
  if (stopped_)
    out.emplace_back(UsageReported{read_token_usage(*usage)});
  else
    early_usage_ = read_token_usage(*usage);
}

Result<void> ConverseStreamDecoder::on_block_start(const Json& payload, std::vector<StreamEvent>& out) {
  const auto* start = find(payload, "start");
  const auto* use = start != nullptr ? find(*start, "toolUse") : nullptr;
  if (use == nullptr) return {};
  if (tool_index_.size() >= kToolBlocksMax)
    return broken_converse_stream("too many tool calls in one answer");
  auto [block, fresh] =
      tool_index_.emplace(get_int(payload, "contentBlockIndex"), static_cast<int>(tool_index_.size()));
  if (!fresh) return broken_converse_stream("a content block started twice");
  out.push_back(ToolUseStarted{block->second, get_string(*use, "toolUseId"), get_string(*use, "name"), {}});
  return {};
}

Result<void> ConverseStreamDecoder::on_delta(const Json& payload, std::vector<StreamEvent>& out) {
  const auto* delta = find(payload, "delta");
  if (delta == nullptr) return {};
  // Empty texts carry nothing and would count as a first token.
  if (auto text = get_string(*delta, "text"); !text.empty()) out.push_back(TextDelta{std::move(text)});
  if (const auto* reasoning = find(*delta, "reasoningContent")) {
    ReasoningDelta said{get_string(*reasoning, "text"), get_string(*reasoning, "signature"), {}};
    if (!said.text.empty() || !said.signature.empty()) out.push_back(std::move(said));
    if (auto redacted = get_string(*reasoning, "redactedContent"); !redacted.empty())
      out.push_back(ReasoningDelta{{}, {}, std::move(redacted)});
  }
  const auto* use = find(*delta, "toolUse");
  return use == nullptr
             ? Result<void>()
             : on_tool_input(get_int(payload, "contentBlockIndex"), get_string(*use, "input"), out);
}

Result<void> ConverseStreamDecoder::on_tool_input(std::int64_t block, std::string json,
                                                  std::vector<StreamEvent>& out) {
  auto known = tool_index_.find(block);
  if (known == tool_index_.end()) return broken_converse_stream("tool input for a block that never started");
  if (!json.empty()) out.push_back(ToolInputDelta{known->second, std::move(json)});
  return {};
}

}  // namespace troupe::providers::bedrock
