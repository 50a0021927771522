#include "providers/openai/responses_writer.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/extra.hpp"
#include "providers/sse.hpp"
#include "runtime/base/overloaded.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::providers::openai {
namespace {

Json text_part(const std::string& text) {
  return {
      {"type", "output_text"}, {"text", text}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

Json summary_part(const std::string& text) { return {{"type", "summary_text"}, {"text", text}}; }

Json write_response_usage(const Usage& usage) {
  auto input = usage.input_total();
  Json cached{{"cached_tokens", usage.cache_read}};
  if (usage.cache_write > 0) cached["cache_write_tokens"] = usage.cache_write;
  Json out{{"input_tokens", input}};
  out["input_tokens_details"] = std::move(cached);
  out["output_tokens"] = usage.output;
  out["output_tokens_details"] = {{"reasoning_tokens", usage.reasoning}};
  out["total_tokens"] = input + usage.output;
  return out;
}

// "" when the response is not incomplete.
std::string incomplete_reason(const StreamStopped& stop) {
  if (stop.reason == StopReason::length || stop.reason == StopReason::context_length)
    return "max_output_tokens";
  if (stop.reason == StopReason::content_filter) return "content_filter";
  return stop.reason == StopReason::model_error ? stop.unrecognised : std::string();
}

const char* status_word(const StreamStopped& stop) {
  if (!incomplete_reason(stop).empty()) return "incomplete";
  return stop.reason == StopReason::model_error ? "failed" : "completed";
}

// Items of unknown types go back among the output; the rest beside our own members.
void put_response_extra(const JsonText& extra, Json& body) {
  auto members = extra.text.empty() ? fail(Errc::invalid_input, "") : parse_json(extra.text);
  if (!members || !members->is_object()) return;
  if (const auto* output = find(*members, "output"); output != nullptr && output->is_array())
    for (const auto& item : *output) body["output"].push_back(item);
  members->erase("output");
  if (!members->empty()) put_extra({dump_json(*members)}, body);
}

Json place_fields(const std::string& item_id, std::size_t index) {
  return {{"item_id", item_id}, {"output_index", index}};
}

}  // namespace

ResponseStreamWriter::ResponseStreamWriter(AnswerHead head) : head_(std::move(head)), model_(head_.model) {}

std::string ResponseStreamWriter::write(const StreamEvent& event) {
  return std::visit(Overloaded{
                        [&](const StreamStarted& e) { return started(e); },
                        [&](const TextDelta& e) { return said(e.text); },
                        [&](const ReasoningDelta& e) { return thought(e); },
                        [&](const ToolUseStarted& e) { return call_started(e); },
                        [&](const ToolInputDelta& e) { return call_input(e); },
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

std::string ResponseStreamWriter::finish() {
  auto whole = response();
  auto type = "response." + get_string(whole, "status");
  return event(type, {{"response", std::move(whole)}});
}

std::string ResponseStreamWriter::write_error(const Error& error) {
  auto shape = shape_of(error.code);
  Json fields{{"code", *shape.code != '\0' ? shape.code : shape.type}};
  fields["message"] = error.vendor_text.empty() ? shape.message : error.vendor_text;
  fields["param"] = nullptr;
  return event("error", std::move(fields));
}

Json ResponseStreamWriter::response() const {
  Json output = Json::array();
  for (const auto& item : items_) output.push_back(item_json(item, true));
  auto out = object(status_word(stop_), std::move(output), usage_ ? write_response_usage(*usage_) : Json());
  if (auto reason = incomplete_reason(stop_); !reason.empty())
    out["incomplete_details"] = {{"reason", std::move(reason)}};
  if (!details_.tier.empty()) out["service_tier"] = details_.tier;
  put_response_extra(details_.extra, out);
  return out;
}

std::string ResponseStreamWriter::started(const StreamStarted& started) {
  if (!started.model.empty()) model_ = started.model;
  auto fields = [&] { return Json{{"response", object("in_progress", Json::array(), nullptr)}}; };
  auto created = event("response.created", fields());
  return created + event("response.in_progress", fields());
}

std::string ResponseStreamWriter::said(const std::string& text) {
  std::string out;
  auto index = open_item(Kind::message, out);
  items_[index].text += text;
  auto fields = place_fields(items_[index].id, index);
  fields["content_index"] = 0;
  fields["delta"] = text;
  fields["logprobs"] = Json::array();
  return out + event("response.output_text.delta", std::move(fields));
}

std::string ResponseStreamWriter::thought(const ReasoningDelta& delta) {
  if (delta.text.empty() && delta.redacted.empty()) return {};
  std::string out;
  auto index = open_item(Kind::reasoning, out);
  auto& item = items_[index];
  if (!delta.text.empty()) {
    auto fields = place_fields(item.id, index);
    fields["summary_index"] = 0;
    auto opening = fields;
    opening["part"] = summary_part("");
    if (!std::exchange(item.shown, true))
      out += event("response.reasoning_summary_part.added", std::move(opening));
    fields["delta"] = delta.text;
    out += event("response.reasoning_summary_text.delta", std::move(fields));
    item.text += delta.text;
  }
  if (delta.redacted.empty()) return out;
  item.encrypted = delta.redacted;
  return out + close(index);
}

std::string ResponseStreamWriter::call_started(const ToolUseStarted& call) {
  auto out = close_but_calls();
  Item item{.kind = Kind::call, .id = next_id("fc_")};
  item.call_id = call.id;
  item.name = call.name;
  call_item_[call.index] = items_.size();
  Json fields{{"output_index", items_.size()}, {"item", item_json(item, false)}};
  items_.push_back(std::move(item));
  return out + event("response.output_item.added", std::move(fields));
}

std::string ResponseStreamWriter::call_input(const ToolInputDelta& delta) {
  auto known = call_item_.find(delta.index);
  if (known == call_item_.end()) return {};
  auto& item = items_[known->second];
  item.text += delta.json;
  auto fields = place_fields(item.id, known->second);
  fields["delta"] = delta.json;
  return event("response.function_call_arguments.delta", std::move(fields));
}

std::string ResponseStreamWriter::stopped(const StreamStopped& stopped) {
  stop_ = stopped;
  auto out = close_but_calls();
  for (std::size_t i = 0; i < items_.size(); ++i) out += close(i);
  return out;
}

std::size_t ResponseStreamWriter::open_item(Kind kind, std::string& out) {
  if (!items_.empty() && items_.back().open && items_.back().kind == kind) return items_.size() - 1;
  out += close_but_calls();
  auto index = items_.size();
  items_.push_back({.kind = kind, .id = next_id(kind == Kind::message ? "msg_" : "rs_")});
  const auto& item = items_.back();
  Json added{{"output_index", index}, {"item", item_json(item, false)}};
  out += event("response.output_item.added", std::move(added));
  if (kind != Kind::message) return index;
  auto part = place_fields(item.id, index);
  part["content_index"] = 0;
  part["part"] = text_part("");
  out += event("response.content_part.added", std::move(part));
  return index;
}

std::string ResponseStreamWriter::close_but_calls() {
  std::string out;
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (items_[i].kind != Kind::call) out += close(i);
  return out;
}

std::string ResponseStreamWriter::close(std::size_t index) {
  auto& item = items_[index];
  if (!std::exchange(item.open, false)) return {};
  std::string out;
  auto fields = place_fields(item.id, index);
  auto part = fields;
  if (item.kind == Kind::call) {
    fields["name"] = item.name;
    fields["arguments"] = item.text;
    out = event("response.function_call_arguments.done", std::move(fields));
  } else if (item.kind == Kind::message) {
    part["content_index"] = fields["content_index"] = 0;
    fields["text"] = item.text;
    fields["logprobs"] = Json::array();
    part["part"] = text_part(item.text);
    out = event("response.output_text.done", std::move(fields));
    out += event("response.content_part.done", std::move(part));
  } else if (item.shown) {
    part["summary_index"] = fields["summary_index"] = 0;
    fields["text"] = item.text;
    part["part"] = summary_part(item.text);
    out = event("response.reasoning_summary_text.done", std::move(fields));
    out += event("response.reasoning_summary_part.done", std::move(part));
  }
  return out + event("response.output_item.done", {{"output_index", index}, {"item", item_json(item, true)}});
}

std::string ResponseStreamWriter::event(std::string_view type, Json fields) {
  Json data{{"type", type}, {"sequence_number", sequence_++}};
  for (auto& [name, value] : fields.items()) data[name] = std::move(value);
  return fmt::format("event: {}\n{}", type, write_sse(dump_json(data)));
}

Json ResponseStreamWriter::item_json(const Item& item, bool done) const {
  const char* status = done ? "completed" : "in_progress";
  if (item.kind == Kind::call)
    return {{"id", item.id},           {"type", "function_call"}, {"status", status},
            {"call_id", item.call_id}, {"name", item.name},       {"arguments", item.text}};
  Json parts = Json::array();
  if (item.kind == Kind::message) {
    if (done) parts.push_back(text_part(item.text));
    Json out{{"id", item.id}, {"type", "message"}, {"status", status}, {"role", "assistant"}};
    out["content"] = std::move(parts);
    return out;
  }
  if (item.shown) parts.push_back(summary_part(item.text));
  Json out{{"id", item.id}, {"type", "reasoning"}};
  out["summary"] = std::move(parts);
  if (!item.encrypted.empty()) out["encrypted_content"] = item.encrypted;
  return out;
}

Json ResponseStreamWriter::object(const char* status, Json output, Json usage) const {
  Json out{{"id", head_.id}, {"object", "response"}};
  out["created_at"] = head_.created.ms / 1000;
  out["status"] = status;
  out["background"] = false;
  for (const auto* name : {"error", "incomplete_details", "instructions", "max_output_tokens"})
    out[name] = nullptr;
  out["metadata"] = Json::object();
  out["model"] = model_;
  out["output"] = std::move(output);
  out["parallel_tool_calls"] = true;
  out["previous_response_id"] = nullptr;
  out["reasoning"] = {{"effort", nullptr}, {"summary", nullptr}};
  out["store"] = false;
  out["temperature"] = 1;
  out["text"]["format"]["type"] = "text";
  out["tool_choice"] = "auto";
  out["tools"] = Json::array();
  out["top_p"] = 1;
  out["truncation"] = "disabled";
  out["usage"] = std::move(usage);
  out["user"] = nullptr;
  return out;
}

std::string ResponseStreamWriter::next_id(const char* prefix) const {
  std::string_view name = head_.id;
  if (name.starts_with("resp_")) name.remove_prefix(5);
  return items_.empty() ? fmt::format("{}{}", prefix, name)
                        : fmt::format("{}{}_{}", prefix, name, items_.size());
}

}  // namespace troupe::providers::openai
