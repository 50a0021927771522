#include "providers/anthropic/read_blocks.hpp"

#include "providers/anthropic/read_request.hpp"
#include "providers/text.hpp"

#include <string>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

Result<void> read_text_block(const Json& block, std::vector<Part>& out) {
  auto text = get_string(block, "text");
  if (text.empty()) return refuse("messages: text content blocks must be non-empty");
  const auto* cached = find(block, "cache_control");
  out.emplace_back(TextPart{std::move(text), cached != nullptr && !cached->is_null()});
  return {};
}

Result<void> read_image_block(const Json& block, std::vector<Part>& out) {
  const auto* source = find(block, "source");
  if (source == nullptr || !source->is_object()) return refuse("messages: image.source: Field required");
  if (get_string(*source, "type") != "base64")
    return fail(Errc::unsupported, "images are taken as base64 only");
  auto bytes = base64_decode(get_string(*source, "data"));
  if (!bytes) return refuse("messages: image.source.base64: invalid base64 data");
  out.emplace_back(ImagePart{get_string(*source, "media_type"), std::move(*bytes)});
  return {};
}

Result<void> read_use_block(const Json& block, std::vector<Part>& out) {
  const auto* input = find(block, "input");
  if (input == nullptr || !input->is_object())
    return refuse("messages: tool_use.input: Input should be a valid dictionary");
  out.emplace_back(ToolUsePart{get_string(block, "id"), get_string(block, "name"), {dump_json(*input)}, {}});
  return {};
}

Result<std::string> read_result_text(const Json& block) {
  const auto* content = find(block, "content");
  if (content == nullptr || content->is_null()) return std::string();
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) return refuse("messages: tool_result.content: Input should be a valid list");
  std::string text;
  for (const auto& inner : *content) {
    if (get_string(inner, "type") != "text")
      return fail(Errc::unsupported, "a tool result holds something other than text");
    text += get_string(inner, "text");
  }
  return text;
}

Result<void> read_result_block(const Json& block, std::vector<Part>& out) {
  auto text = read_result_text(block);
  if (!text) return std::unexpected(text.error());
  out.emplace_back(
      ToolResultPart{get_string(block, "tool_use_id"), std::move(*text), get_bool(block, "is_error")});
  return {};
}

Result<void> read_block(const Json& block, std::vector<Part>& out) {
  auto type = get_string(block, "type");
  if (type == "text") return read_text_block(block, out);
  if (type == "image") return read_image_block(block, out);
  if (type == "tool_use") return read_use_block(block, out);
  if (type == "tool_result") return read_result_block(block, out);
  if (type == "thinking")
    out.emplace_back(ReasoningPart{get_string(block, "thinking"), get_string(block, "signature"), {}});
  else if (type == "redacted_thinking")
    out.emplace_back(ReasoningPart{{}, {}, get_string(block, "data")});
  else if (type.empty())
    return refuse("messages: content.type: Field required");
  else
    return fail(Errc::unsupported, "a content block is of a kind we do not hold");
  return {};
}

Result<Message> read_content(Role role, const Json* content) {
  Message message{role, {}};
  if (content != nullptr && content->is_string()) {
    message.parts.emplace_back(TextPart{content->get<std::string>()});
    if (std::get<TextPart>(message.parts[0]).text.empty())
      return refuse("messages: text content blocks must be non-empty");
    return message;
  }
  if (content == nullptr || !content->is_array())
    return refuse("messages: content: Input should be a valid string or list");
  for (const auto& block : *content)
    if (auto ok = read_block(block, message.parts); !ok) return std::unexpected(ok.error());
  return message;
}

Result<Message> read_message_of(const Json& message) {
  auto role = get_string(message, "role");
  const auto* content = find(message, "content");
  if (role == "user") return read_content(Role::user, content);
  if (role == "assistant") return read_content(Role::assistant, content);
  if (role == "system") return read_content(Role::system, content);
  return refuse("messages: role: Input should be 'user' or 'assistant'");
}

}  // namespace

Result<void> read_conversation(const Json& body, CompletionRequest& request) {
  const auto* system = find(body, "system");
  if (system != nullptr && !system->is_null() && *system != "" && !(system->is_array() && system->empty())) {
    auto read = read_content(Role::system, system);
    if (!read) return std::unexpected(read.error());
    request.messages.push_back(std::move(*read));
  }
  const auto* messages = find(body, "messages");
  if (messages == nullptr) return refuse("messages: Field required");
  if (!messages->is_array()) return refuse("messages: Input should be a valid list");
  if (messages->empty()) return refuse("messages: at least one message is required");
  for (const auto& message : *messages) {
    auto read = read_message_of(message);
    if (!read) return std::unexpected(read.error());
    request.messages.push_back(std::move(*read));
  }
  return {};
}

}  // namespace troupe::providers::anthropic
