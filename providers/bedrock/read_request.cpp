#include "providers/bedrock/read_request.hpp"

#include "providers/text.hpp"

#include <string>
#include <utility>

namespace troupe::providers::bedrock {
namespace {

std::unexpected<Error> invalid(std::string text) {
  auto error = make_error(Errc::bad_request, text);
  error.vendor_text = std::move(text);
  return std::unexpected(std::move(error));
}

Result<void> read_image(const Json& image, std::vector<Part>& out) {
  const auto* source = find(image, "source");
  auto bytes = source != nullptr ? base64_decode(get_string(*source, "bytes")) : fail(Errc::bad_request, "");
  if (!bytes) return invalid("Malformed input request: an image's source is not base64 bytes.");
  out.emplace_back(ImagePart{"image/" + get_string(image, "format"), std::move(*bytes)});
  return {};
}

void read_tool_use(const Json& use, std::vector<Part>& out) {
  const auto* input = find(use, "input");
  JsonText json{input != nullptr ? dump_json(*input) : "{}"};
  out.emplace_back(ToolUsePart{get_string(use, "toolUseId"), get_string(use, "name"), std::move(json), {}});
}

void read_tool_result(const Json& result, std::vector<Part>& out) {
  ToolResultPart part{get_string(result, "toolUseId"), {}, get_string(result, "status") == "error"};
  const auto* content = find(result, "content");
  if (content != nullptr && content->is_array()) {
    for (const auto& block : *content) {
      part.text += get_string(block, "text");
      if (const auto* json = find(block, "json")) part.text += dump_json(*json);
    }
  }
  out.emplace_back(std::move(part));
}

Result<void> read_reasoning(const Json& reasoning, std::vector<Part>& out) {
  const auto* said = find(reasoning, "reasoningText");
  auto redacted = get_string(reasoning, "redactedContent");
  if (said == nullptr && redacted.empty())
    return invalid("Malformed input request: reasoningContent is no union.");
  if (said != nullptr)
    out.emplace_back(ReasoningPart{get_string(*said, "text"), get_string(*said, "signature"), {}});
  else
    out.emplace_back(ReasoningPart{{}, {}, std::move(redacted)});
  return {};
}

Result<void> read_content_block(const Json& block, std::vector<Part>& out) {
  if (!block.is_object() || block.size() != 1)
    return invalid("Malformed input request: a content block is no union.");
  const auto& kind = block.begin().key();
  const auto& value = block.begin().value();
  if (kind == "image") return read_image(value, out);
  if (kind == "reasoningContent") return read_reasoning(value, out);
  if (kind == "toolUse") {
    read_tool_use(value, out);
  } else if (kind == "toolResult") {
    read_tool_result(value, out);
  } else if (kind == "text" && value.is_string()) {
    out.emplace_back(TextPart{value.get<std::string>()});
  } else if (kind == "cachePoint") {
    auto* text = out.empty() ? nullptr : std::get_if<TextPart>(&out.back());
    if (text != nullptr) text->cache_point = true;
  } else {
    return fail(Errc::unsupported, "a content block is of a kind we do not hold");
  }
  return {};
}

Result<Message> read_content(Role role, const Json* content) {
  if (content == nullptr || !content->is_array() || content->empty())
    return invalid("The content field in the Message object is empty.");
  Message message{role, {}};
  for (const auto& block : *content)
    if (auto ok = read_content_block(block, message.parts); !ok) return std::unexpected(ok.error());
  return message;
}

Result<void> read_conversation(const Json& body, CompletionRequest& request) {
  if (const auto* system = find(body, "system");
      system != nullptr && system->is_array() && !system->empty()) {
    auto read = read_content(Role::system, system);
    if (!read) return std::unexpected(read.error());
    request.messages.push_back(std::move(*read));
  }
  const auto* messages = find(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    return invalid("Malformed input request: #: required key [messages] not found.");
  auto expected = Role::user;
  for (const auto& message : *messages) {
    auto role = get_string(message, "role");
    if (role == "system") {
      auto read = read_content(Role::system, find(message, "content"));
      if (!read) return std::unexpected(read.error());
      request.messages.push_back(std::move(*read));
      continue;
    }
    if (role != (expected == Role::user ? "user" : "assistant"))
      return invalid("A conversation must start with a user message and roles must alternate.");
    auto read = read_content(expected, find(message, "content"));
    if (!read) return std::unexpected(read.error());
    request.messages.push_back(std::move(*read));
    expected = expected == Role::user ? Role::assistant : Role::user;
  }
  return {};
}

Result<void> read_inference(const Json& body, CompletionRequest& request) {
  const auto* config = find(body, "inferenceConfig");
  if (config == nullptr) return {};
  auto tokens = get_int(*config, "maxTokens", request.output_tokens_max);
  if (tokens < 1 || tokens > 1'000'000'000) return invalid("maxTokens must be at least 1.");
  request.output_tokens_max = static_cast<int>(tokens);
  if (find(*config, "temperature") != nullptr)
    request.sampling.temperature = get_double(*config, "temperature");
  if (find(*config, "topP") != nullptr) request.sampling.top_p = get_double(*config, "topP");
  const auto* stops = find(*config, "stopSequences");
  if (stops != nullptr && stops->is_array())
    for (const auto& stop : *stops)
      if (stop.is_string()) request.sampling.stop.push_back(stop.get<std::string>());
  return {};
}

bool history_has_tools(const CompletionRequest& request) {
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (std::holds_alternative<ToolUsePart>(part) || std::holds_alternative<ToolResultPart>(part))
        return true;
  return false;
}

Result<void> read_tool_config(const Json& body, CompletionRequest& request) {
  const auto* config = find(body, "toolConfig");
  if (config == nullptr && history_has_tools(request))
    return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
  const auto* tools = config != nullptr ? find(*config, "tools") : nullptr;
  if (tools != nullptr && tools->is_array()) {
    for (const auto& tool : *tools) {
      const auto* spec = find(tool, "toolSpec");
      if (spec == nullptr) continue;
      const auto* schema = find(*spec, "inputSchema");
      const auto* json = schema != nullptr ? find(*schema, "json") : nullptr;
      JsonText text{json != nullptr ? dump_json(*json) : "{}"};
      request.tools.push_back({get_string(*spec, "name"), get_string(*spec, "description"), std::move(text)});
    }
  }
  const auto* choice = config != nullptr ? find(*config, "toolChoice") : nullptr;
  if (choice != nullptr && find(*choice, "any") != nullptr) request.tool_choice = ToolChoice::any;
  if (const auto* forced = choice != nullptr ? find(*choice, "tool") : nullptr)
    request.forced_tool = get_string(*forced, "name");
  return {};
}

Result<void> read_thinking(const Json& body, CompletionRequest& request) {
  const auto* fields = find(body, "additionalModelRequestFields");
  const auto* thinking = fields != nullptr ? find(*fields, "thinking") : nullptr;
  if (thinking == nullptr) return {};
  auto type = get_string(*thinking, "type");
  if (type == "disabled") request.reasoning_tokens_max = 0;
  if (type != "enabled") return {};
  auto budget = get_int(*thinking, "budget_tokens");
  if (budget < 1024 || budget > 1'000'000'000)
    return invalid("thinking.budget_tokens must be at least 1024.");
  request.reasoning_tokens_max = static_cast<int>(budget);
  return {};
}

Result<void> read_output(const Json& body, CompletionRequest& request) {
  const auto* value = &body;
  for (const auto* key : {"outputConfig", "textFormat", "structure", "jsonSchema"}) {
    value = find(*value, key);
    if (value == nullptr) return {};
  }
  request.response_schema = {get_string(*value, "name"), {get_string(*value, "schema")}};
  return {};
}

}  // namespace

Result<CompletionRequest> read_converse_request(const Json& body) {
  CompletionRequest request;
  for (auto* read : {read_conversation, read_inference, read_tool_config, read_thinking, read_output})
    if (auto ok = read(body, request); !ok) return std::unexpected(ok.error());
  return request;
}

}  // namespace troupe::providers::bedrock
