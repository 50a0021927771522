#include "providers/openai/responses_encode.hpp"

#include "providers/openai/encode.hpp"
#include "providers/request_rules.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

Json text_block(const char* type, const std::string& text) { return {{"type", type}, {"text", text}}; }

Json user_item_content(const Message& message) {
  Json blocks = Json::array();
  for (const auto& part : message.parts) {
    if (const auto* text = std::get_if<TextPart>(&part))
      blocks.push_back(text_block("input_text", text->text));
    if (const auto* image = std::get_if<ImagePart>(&part))
      blocks.push_back({{"type", "input_image"}, {"image_url", data_url(*image)}});
  }
  if (blocks.size() == 1 && blocks[0]["type"] == "input_text") return blocks[0]["text"];
  return blocks;
}

void write_user_items(const Message& message, Json& items) {
  std::size_t results = 0;
  for (const auto& part : message.parts) {
    const auto* result = std::get_if<ToolResultPart>(&part);
    if (result == nullptr) continue;
    ++results;
    items.push_back(
        {{"type", "function_call_output"}, {"call_id", result->tool_use_id}, {"output", result->text}});
  }
  if (results > 0 && results == message.parts.size()) return;
  items.push_back({{"role", "user"}, {"content", user_item_content(message)}});
}

// The items of an assistant's message, part by part.
struct AssistantItems {
  Json& items;
  /// Reasoning that was shown, waiting for the encrypted part that may return it.
  std::string summary;

  void add(const TextPart& text) {
    summary.clear();
    items.push_back({{"role", "assistant"}, {"content", text.text}});
  }
  void add(const ToolUsePart& use) {
    summary.clear();
    items.push_back(
        {{"type", "function_call"}, {"call_id", use.id}, {"name", use.name}, {"arguments", use.input.text}});
  }
  void add(const ReasoningPart& reasoning) {
    if (reasoning.redacted.empty()) {
      summary += reasoning.text;
      return;
    }
    Json blocks = Json::array();
    if (!summary.empty()) blocks.push_back(text_block("summary_text", summary));
    summary.clear();
    items.push_back(
        {{"type", "reasoning"}, {"summary", std::move(blocks)}, {"encrypted_content", reasoning.redacted}});
  }
};

Result<void> write_assistant_items(const Message& message, Json& items) {
  AssistantItems out{items, {}};
  for (const auto& part : message.parts) {
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use != nullptr) {
      auto input = parse_object(use->input, "a tool use's input");
      if (!input) return std::unexpected(input.error());
      out.add(*use);
    }
    if (const auto* text = std::get_if<TextPart>(&part)) out.add(*text);
    if (const auto* reasoning = std::get_if<ReasoningPart>(&part)) out.add(*reasoning);
  }
  return {};
}

bool leads_with_instructions(const CompletionRequest& request) {
  return request.messages.size() > 1 && request.messages.front().role == Role::system;
}

Result<Json> write_input(const CompletionRequest& request) {
  Json items = Json::array();
  for (std::size_t i = leads_with_instructions(request) ? 1 : 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    if (message.role == Role::system)
      items.push_back({{"role", "system"}, {"content", joined_text(message)}});
    if (message.role == Role::user) write_user_items(message, items);
    if (message.role != Role::assistant) continue;
    if (auto ok = write_assistant_items(message, items); !ok) return std::unexpected(ok.error());
  }
  bool lone_text = items.size() == 1 && items[0].contains("role") && items[0]["role"] == "user" &&
                   items[0]["content"].is_string();
  return lone_text ? items[0]["content"] : items;
}

bool echoes_reasoning(const CompletionRequest& request) {
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* said = std::get_if<ReasoningPart>(&part); said != nullptr && !said->redacted.empty())
        return true;
  return false;
}

void write_reasoning(const CompletionRequest& request, Json& body) {
  if (request.reasoning_tokens_max)
    body["reasoning"] = {{"effort", effort_word(*request.reasoning_tokens_max)}};
  if (!request.reasoning_tokens_max && !echoes_reasoning(request)) return;
  body["include"] = Json::array();
  body["include"].push_back("reasoning.encrypted_content");
}

Result<void> write_flat_tools(const CompletionRequest& request, Json& body) {
  if (request.tools.empty()) return {};
  Json tools = Json::array();
  for (const auto& tool : request.tools) {
    auto schema = parse_object(tool.input_schema, "a tool's input schema");
    if (!schema) return std::unexpected(schema.error());
    Json written{{"type", "function"}, {"name", tool.name}};
    if (!tool.description.empty()) written["description"] = tool.description;
    written["parameters"] = std::move(*schema);
    written["strict"] = false;
    tools.push_back(std::move(written));
  }
  body["tools"] = std::move(tools);
  if (!request.forced_tool.empty())
    body["tool_choice"] = {{"type", "function"}, {"name", request.forced_tool}};
  else if (request.tool_choice != ToolChoice::automatic)
    body["tool_choice"] = request.tool_choice == ToolChoice::any ? "required" : "none";
  if (!request.parallel_tools) body["parallel_tool_calls"] = false;
  return {};
}

Result<void> write_text_format(const CompletionRequest& request, Json& body) {
  if (!request.response_schema) return {};
  auto schema = parse_object(request.response_schema->schema, "the response schema");
  if (!schema) return std::unexpected(schema.error());
  body["text"]["format"] = {{"type", "json_schema"},
                            {"name", request.response_schema->name},
                            {"schema", std::move(*schema)},
                            {"strict", true}};
  return {};
}

}  // namespace

Result<Json> write_responses_request(const CompletionRequest& request, const std::string& model) {
  if (model.empty()) return fail(Errc::bad_request, "no model is named");
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  if (!request.sampling.stop.empty())
    return fail(Errc::unsupported, "the Responses API has no stop sequences");
  auto input = write_input(request);
  if (!input) return input;
  Json body{{"model", model}, {"input", std::move(*input)}};
  if (leads_with_instructions(request)) body["instructions"] = joined_text(request.messages.front());
  body["max_output_tokens"] = request.output_tokens_max;
  if (request.stream) body["stream"] = true;
  body["store"] = false;
  write_reasoning(request, body);
  if (auto ok = write_flat_tools(request, body); !ok) return std::unexpected(ok.error());
  if (request.sampling.temperature) body["temperature"] = *request.sampling.temperature;
  if (request.sampling.top_p) body["top_p"] = *request.sampling.top_p;
  if (auto ok = write_text_format(request, body); !ok) return std::unexpected(ok.error());
  return body;
}

}  // namespace troupe::providers::openai
