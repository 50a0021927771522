#include "providers/openai/responses_read.hpp"

#include "providers/openai/read_request.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

Result<void> read_block(const Json& block, std::vector<Part>& out) {
  auto type = get_string(block, "type");
  if (type == "input_text" || type == "output_text" || type == "text") {
    out.emplace_back(TextPart{get_string(block, "text")});
    return {};
  }
  if (type == "refusal") {
    out.emplace_back(TextPart{get_string(block, "refusal")});
    return {};
  }
  if (type != "input_image") return fail(Errc::unsupported, "an input block is neither text nor image");
  auto image = read_data_url(get_string(block, "image_url"));
  if (!image) return std::unexpected(image.error());
  out.emplace_back(std::move(*image));
  return {};
}

Result<std::vector<Part>> read_blocks(const Json& holder, std::string_view member) {
  std::vector<Part> out;
  const auto* content = find(holder, member);
  if (content != nullptr && content->is_string()) {
    out.emplace_back(TextPart{content->get<std::string>()});
    return out;
  }
  if (content == nullptr || !content->is_array()) return wrong_field(member);
  for (const auto& block : *content)
    if (auto ok = read_block(block, out); !ok) return std::unexpected(ok.error());
  return out;
}

Result<std::vector<Part>> read_result_item(const Json& item) {
  auto blocks = read_blocks(item, "output");
  if (!blocks) return blocks;
  ToolResultPart result{get_string(item, "call_id"), {}, false};
  for (const auto& block : *blocks)
    if (const auto* text = std::get_if<TextPart>(&block)) result.text += text->text;
  return std::vector<Part>{std::move(result)};
}

std::vector<Part> read_echoed_reasoning(const Json& item) {
  std::string summary;
  if (const auto* blocks = find(item, "summary"); blocks != nullptr && blocks->is_array())
    for (const auto& block : *blocks) summary += (summary.empty() ? "" : "\n\n") + get_string(block, "text");
  std::vector<Part> out;
  if (!summary.empty()) out.emplace_back(ReasoningPart{std::move(summary), {}, {}});
  if (auto encrypted = get_string(item, "encrypted_content"); !encrypted.empty())
    out.emplace_back(ReasoningPart{{}, {}, std::move(encrypted)});
  return out;
}

struct ReadItem {
  Role role = Role::user;
  std::vector<Part> parts;
};

Result<ReadItem> read_message_of(const Json& item) {
  auto role = get_string(item, "role");
  ReadItem out;
  if (role == "system" || role == "developer")
    out.role = Role::system;
  else if (role == "assistant")
    out.role = Role::assistant;
  else if (role != "user")
    return wrong_field("role");
  auto parts = read_blocks(item, "content");
  if (!parts) return std::unexpected(parts.error());
  out.parts = std::move(*parts);
  return out;
}

Result<ReadItem> read_item(const Json& item) {
  auto type = get_string(item, "type", "message");
  if (type == "message") return read_message_of(item);
  if (type == "reasoning") return ReadItem{Role::assistant, read_echoed_reasoning(item)};
  if (type == "function_call_output") {
    auto parts = read_result_item(item);
    if (!parts) return std::unexpected(parts.error());
    return ReadItem{Role::user, std::move(*parts)};
  }
  if (type != "function_call")
    return fail(Errc::unsupported, "an input item is no message, function call, its output, or reasoning");
  JsonText arguments{get_string(item, "arguments", "{}")};
  return ReadItem{
      Role::assistant,
      {ToolUsePart{get_string(item, "call_id"), get_string(item, "name"), std::move(arguments), {}}}};
}

// The model says its text last or between its calls; a second text is another answer.
bool continues(const std::vector<Message>& messages, const ReadItem& item) {
  if (messages.empty() || messages.back().role != item.role || item.role == Role::system) return false;
  const auto& last = messages.back().parts;
  if (last.empty() || item.parts.empty()) return false;
  if (item.role == Role::user)
    return std::holds_alternative<ToolResultPart>(last.back()) &&
           std::holds_alternative<ToolResultPart>(item.parts.front());
  bool text_again =
      std::holds_alternative<TextPart>(last.back()) && std::holds_alternative<TextPart>(item.parts.front());
  return !text_again;
}

Result<void> read_input(const Json& body, CompletionRequest& request) {
  if (auto text = get_string(body, "instructions"); !text.empty())
    request.messages.push_back({Role::system, {TextPart{std::move(text)}}});
  const auto* input = find(body, "input");
  if (input != nullptr && input->is_string()) {
    request.messages.push_back({Role::user, {TextPart{input->get<std::string>()}}});
    return {};
  }
  if (input == nullptr || !input->is_array() || input->empty()) return wrong_field("input");
  for (const auto& each : *input) {
    if (!each.is_object()) return wrong_field("input");
    auto item = read_item(each);
    if (!item) return std::unexpected(item.error());
    if (!continues(request.messages, *item)) request.messages.push_back({item->role, {}});
    for (auto& part : item->parts) request.messages.back().parts.push_back(std::move(part));
  }
  return {};
}

Result<void> read_flat_tools(const Json& body, CompletionRequest& request) {
  const auto* tools = find(body, "tools");
  if (tools != nullptr && !tools->is_null() && !tools->is_array()) return wrong_field("tools");
  if (tools != nullptr && tools->is_array())
    for (const auto& tool : *tools) {
      if (get_string(tool, "type") != "function")
        return fail(Errc::unsupported, "only function tools are understood");
      const auto* schema = find(tool, "parameters");
      bool none = schema == nullptr || schema->is_null();
      JsonText text{none ? R"({"type":"object"})" : dump_json(*schema)};
      request.tools.push_back({get_string(tool, "name"), get_string(tool, "description"), std::move(text)});
    }
  request.parallel_tools = get_bool(body, "parallel_tool_calls", true);
  const auto* choice = find(body, "tool_choice");
  if (choice == nullptr || choice->is_null() || *choice == "auto") return {};
  request.forced_tool = get_string(*choice, "name");
  if (!request.forced_tool.empty()) return {};
  request.tool_choice = *choice == "none" ? ToolChoice::none : ToolChoice::any;
  return {};
}

Result<void> read_text_format(const Json& body, CompletionRequest& request) {
  const auto* text = find(body, "text");
  const auto* format = text != nullptr ? find(*text, "format") : nullptr;
  if (format == nullptr) return {};
  auto type = get_string(*format, "type");
  if (type == "json_object") request.response_schema = {"json_object", {R"({"type":"object"})"}};
  if (type != "json_schema") return {};
  const auto* schema = find(*format, "schema");
  if (schema == nullptr || !schema->is_object()) return wrong_field("text.format.schema");
  request.response_schema = {get_string(*format, "name"), {dump_json(*schema)}};
  return {};
}

Result<void> read_limits(const Json& body, CompletionRequest& request) {
  if (const auto* reasoning = find(body, "reasoning"))
    request.reasoning_tokens_max = tokens_of_effort(get_string(*reasoning, "effort"));
  return read_numbers(body, {"max_output_tokens"}, request);
}

Result<void> refuse_stored_state(const Json& body, CompletionRequest&) {
  auto says = [&](const char* name) {
    const auto* value = find(body, name);
    return value != nullptr && !value->is_null();
  };
  if (says("previous_response_id") || says("conversation") || get_bool(body, "background"))
    return fail(Errc::unsupported, "responses are not stored here, so a call cannot refer to one");
  return {};
}

}  // namespace

Result<ServedCall> read_responses_request(const Json& body) {
  ServedCall call;
  call.model = get_string(body, "model");
  if (call.model.empty()) return wrong_field("model");
  for (auto* read : {refuse_stored_state, read_input, read_flat_tools, read_text_format, read_limits})
    if (auto ok = read(body, call.request); !ok) return std::unexpected(ok.error());
  call.stream = get_bool(body, "stream");
  call.request.stream = call.stream;
  return call;
}

}  // namespace troupe::providers::openai
