#include "providers/bedrock/stream_writer.hpp"

#include "providers/bedrock/decode.hpp"
#include "providers/bedrock/errors.hpp"
#include "providers/eventstream.hpp"
#include "runtime/base/overloaded.hpp"

#include <chrono>

namespace troupe::providers::bedrock {
namespace {

// Payloads and names here are far below the limits, except a text delta of megabytes: that one is dropped
// whole, and the reader sees a stream without it. Callers that write such deltas should cut them.
std::string frame_bytes(Frame frame) { return encode_frame(frame).value_or(std::string()); }

std::string event_frame(const char* type, const Json& payload) {
  Frame frame;
  frame.headers = {{":event-type", std::string(type)},
                   {":content-type", std::string("application/json")},
                   {":message-type", std::string("event")}};
  frame.payload = dump_json(payload);
  return frame_bytes(std::move(frame));
}

std::string block_stop(int block) { return event_frame("contentBlockStop", {{"contentBlockIndex", block}}); }

bool is_modelled_in_stream(std::string_view type) {
  return type == "InternalServerException" || type == "ModelStreamErrorException" ||
         type == "ValidationException" || type == "ThrottlingException" ||
         type == "ServiceUnavailableException" || type == "ModelTimeoutException";
}

}  // namespace

std::string ConverseStreamWriter::write(const StreamEvent& event) {
  return std::visit(Overloaded{
                        [](const StreamStarted&) {
                          return event_frame("messageStart", {{"role", "assistant"}});
                        },
                        [&](const TextDelta& e) { return text(e); },
                        [&](const ReasoningDelta& e) { return reasoning(e); },
                        [&](const ToolUseStarted& e) { return tool_started(e); },
                        [&](const ToolInputDelta& e) { return tool_input(e); },
                        [&](const StreamStopped& e) { return stopped(e); },
                        [&](const UsageReported& e) {
                          usage_ = e.usage;
                          return std::string();
                        },
                        [&](const DetailsReported& e) {
                          details_ = e;
                          return std::string();
                        },
                    },
                    event);
}

std::string ConverseStreamWriter::write_error(const Error& error) {
  auto shape = shape_of(error.code);
  auto message = message_of(shape, error);
  std::string type = shape.type;
  Frame frame;
  if (is_modelled_in_stream(type)) {
    type[0] = static_cast<char>(type[0] - 'A' + 'a');
    frame.headers = {{":exception-type", std::move(type)},
                     {":content-type", std::string("application/json")},
                     {":message-type", std::string("exception")}};
    frame.payload = dump_json({{"message", std::move(message)}});
  } else {
    frame.headers = {{":message-type", std::string("error")},
                     {":error-code", std::move(type)},
                     {":error-message", message.substr(0, 1024)}};
  }
  return frame_bytes(std::move(frame));
}

std::string ConverseStreamWriter::text(const TextDelta& event) {
  auto out = switch_to(Open::text);
  return out + delta(open_block_, {{"text", event.text}});
}

std::string ConverseStreamWriter::reasoning(const ReasoningDelta& event) {
  // What is redacted is a block of its own.
  auto closed = event.redacted.empty() ? std::string() : close_open();
  auto out = closed + switch_to(Open::reasoning);
  // The union holds one member at a time.
  auto part = [&](const char* key, const std::string& value) {
    Json inner = Json::object();
    inner[key] = value;
    Json fields = Json::object();
    fields["reasoningContent"] = std::move(inner);
    return delta(open_block_, std::move(fields));
  };
  if (!event.text.empty()) out += part("text", event.text);
  if (!event.signature.empty()) out += part("signature", event.signature);
  if (!event.redacted.empty()) out += part("redactedContent", event.redacted) + close_open();
  return out;
}

std::string ConverseStreamWriter::tool_started(const ToolUseStarted& event) {
  auto out = close_open();
  int block = next_block_++;
  tool_block_[event.index] = block;
  Json use{{"toolUseId", event.id}, {"name", event.name}};
  Json start = Json::object();
  start["toolUse"] = std::move(use);
  return out + event_frame("contentBlockStart", {{"contentBlockIndex", block}, {"start", std::move(start)}});
}

std::string ConverseStreamWriter::tool_input(const ToolInputDelta& event) {
  auto block = tool_block_.find(event.index);
  if (block == tool_block_.end()) return {};
  Json fields = Json::object();
  fields["toolUse"]["input"] = event.json;
  return delta(block->second, std::move(fields));
}

std::string ConverseStreamWriter::stopped(const StreamStopped& event) {
  auto out = close_open();
  for (const auto& [index, block] : tool_block_) out += block_stop(block);
  return out + event_frame("messageStop", {{"stopReason", stop_word(event.reason, event.unrecognised)}});
}

std::string ConverseStreamWriter::finish() {
  bool detailed = !details_.tier.empty() || !details_.extra.text.empty();
  if (!usage_ && !detailed) return {};
  Json metadata = Json::object();
  if (usage_) metadata["usage"] = write_token_usage(*usage_);
  metadata["metrics"]["latencyMs"] = std::chrono::duration_cast<std::chrono::milliseconds>(latency_).count();
  write_details(details_, metadata);
  return event_frame("metadata", metadata);
}

std::string ConverseStreamWriter::switch_to(Open kind) {
  if (open_ == kind) return {};
  auto out = close_open();
  open_ = kind;
  open_block_ = next_block_++;
  return out;
}

std::string ConverseStreamWriter::close_open() {
  if (open_ == Open::nothing) return {};
  open_ = Open::nothing;
  return block_stop(open_block_);
}

std::string ConverseStreamWriter::delta(int block, Json fields) {
  return event_frame("contentBlockDelta", {{"contentBlockIndex", block}, {"delta", std::move(fields)}});
}

}  // namespace troupe::providers::bedrock
