#include "providers/anthropic/stream_writer.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/details.hpp"
#include "providers/anthropic/errors.hpp"
#include "runtime/base/overloaded.hpp"

#include <utility>

namespace troupe::providers::anthropic {
namespace {

Json block_start(int index, Json block) {
  Json event{{"type", "content_block_start"}, {"index", index}};
  event["content_block"] = std::move(block);
  return event;
}

Json block_delta(int index, const char* type, const char* key, const std::string& value) {
  Json delta{{"type", type}};
  delta[key] = value;
  Json event{{"type", "content_block_delta"}, {"index", index}};
  event["delta"] = std::move(delta);
  return event;
}

Json block_stop(int index) { return {{"type", "content_block_stop"}, {"index", index}}; }

// Official clients ignore an event whose type is not also named on a line of its own (WIRE 5.6).
std::string named_sse(const Json& event) {
  return "event: " + get_string(event, "type") + "\ndata: " + dump_json(event) + "\n\n";
}

std::string named_sse(const std::vector<Json>& events) {
  std::string out;
  for (const auto& event : events) out += named_sse(event);
  return out;
}

}  // namespace

void MessageEventWriter::write(const StreamEvent& event, std::vector<Json>& out) {
  std::visit(Overloaded{
                 [&](const StreamStarted& e) { start(e, out); },
                 [&](const TextDelta& e) { text(e, out); },
                 [&](const ReasoningDelta& e) { e.redacted.empty() ? reasoning(e, out) : redacted(e, out); },
                 [&](const ToolUseStarted& e) { tool_started(e, out); },
                 [&](const ToolInputDelta& e) { tool_input(e, out); },
                 [&](const StreamStopped& e) {
                   stop_ = e;
                   stopped_ = true;
                 },
                 [&](const UsageReported& e) { usage_ = e.usage; },
                 [&](const DetailsReported& e) { details_ = e; },
             },
             event);
}

void MessageEventWriter::start(const StreamStarted& event, std::vector<Json>& out) {
  Json message{{"id", head_.id}, {"type", "message"}, {"role", "assistant"}};
  message["model"] = event.model.empty() ? head_.model : event.model;
  message["content"] = Json::array();
  message["stop_reason"] = nullptr;
  message["stop_sequence"] = nullptr;
  // Not known yet; message_delta says what they came to.
  message["usage"] = write_usage({});
  Json first{{"type", "message_start"}};
  first["message"] = std::move(message);
  out.push_back(std::move(first));
}

void MessageEventWriter::text(const TextDelta& event, std::vector<Json>& out) {
  if (open_ != Open::text) {
    switch_to(Open::text, out);
    out.push_back(block_start(open_block_, {{"type", "text"}, {"text", ""}}));
  }
  out.push_back(block_delta(open_block_, "text_delta", "text", event.text));
}

void MessageEventWriter::reasoning(const ReasoningDelta& event, std::vector<Json>& out) {
  // A signature closes its part; text behind it belongs to the next.
  if (open_ != Open::reasoning || (signed_ && !event.text.empty())) {
    switch_to(Open::reasoning, out);
    signed_ = false;
    out.push_back(block_start(open_block_, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}));
  }
  if (!event.text.empty()) out.push_back(block_delta(open_block_, "thinking_delta", "thinking", event.text));
  if (event.signature.empty()) return;
  signed_ = true;
  out.push_back(block_delta(open_block_, "signature_delta", "signature", event.signature));
}

void MessageEventWriter::redacted(const ReasoningDelta& event, std::vector<Json>& out) {
  close_open(out);
  close_calls(false, out);
  out.push_back(block_start(next_block_, {{"type", "redacted_thinking"}, {"data", event.redacted}}));
  out.push_back(block_stop(next_block_++));
}

void MessageEventWriter::tool_started(const ToolUseStarted& event, std::vector<Json>& out) {
  close_open(out);
  close_calls(false, out);
  int block = next_block_++;
  calls_[event.index] = Call{block, {}, true};
  Json use{{"type", "tool_use"}, {"id", event.id}, {"name", event.name}};
  use["input"] = Json::object();
  out.push_back(block_start(block, std::move(use)));
}

void MessageEventWriter::tool_input(const ToolInputDelta& event, std::vector<Json>& out) {
  auto call = calls_.find(event.index);
  // A closed call's input was complete; only blanks can follow.
  if (call == calls_.end() || !call->second.open) return;
  call->second.input += event.json;
  out.push_back(block_delta(call->second.block, "input_json_delta", "partial_json", event.json));
}

void MessageEventWriter::finish(std::vector<Json>& out) {
  if (!stopped_) return;
  close_open(out);
  close_calls(true, out);
  Json delta{{"stop_reason", stop_word(stop_.reason, stop_.unrecognised)}};
  delta["usage"] = write_usage(usage_);
  write_details(details_, delta);
  Json last{{"type", "message_delta"}};
  last["usage"] = std::move(delta["usage"]);
  delta.erase("usage");
  last["delta"] = std::move(delta);
  out.push_back(std::move(last));
  out.push_back(Json{{"type", "message_stop"}});
}

void MessageEventWriter::switch_to(Open kind, std::vector<Json>& out) {
  close_open(out);
  close_calls(false, out);
  open_ = kind;
  open_block_ = next_block_++;
}

void MessageEventWriter::close_open(std::vector<Json>& out) {
  if (std::exchange(open_, Open::nothing) != Open::nothing) out.push_back(block_stop(open_block_));
}

void MessageEventWriter::close_calls(bool all, std::vector<Json>& out) {
  for (auto& [index, call] : calls_) {
    if (!call.open || !(all || parse_json(call.input))) continue;
    call.open = false;
    call.input.clear();
    out.push_back(block_stop(call.block));
  }
}

std::string MessagesStreamWriter::write(const StreamEvent& event) {
  std::vector<Json> events;
  events_.write(event, events);
  return named_sse(events);
}

std::string MessagesStreamWriter::finish() {
  std::vector<Json> events;
  events_.finish(events);
  return named_sse(events);
}

std::string MessagesStreamWriter::write_error(const Error& error) { return named_sse(error_body(error)); }

}  // namespace troupe::providers::anthropic
