#include "providers/openai/encode.hpp"

#include "providers/request_rules.hpp"
#include "providers/text.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

Json image_content(const ImagePart& image) {
  return {{"type", "image_url"}, {"image_url", {{"url", data_url(image)}}}};
}

// A lone text is a plain string: every compatible server takes that, not all take arrays.
Json user_content(const Message& message) {
  Json parts = Json::array();
  for (const auto& part : message.parts) {
    if (const auto* text = std::get_if<TextPart>(&part))
      parts.push_back({{"type", "text"}, {"text", text->text}});
    if (const auto* image = std::get_if<ImagePart>(&part)) parts.push_back(image_content(*image));
  }
  if (parts.size() == 1 && parts[0]["type"] == "text") return parts[0]["text"];
  return parts;
}

void write_user(const Message& message, Json& out) {
  std::size_t results = 0;
  for (const auto& part : message.parts) {
    const auto* result = std::get_if<ToolResultPart>(&part);
    if (result == nullptr) continue;
    ++results;
    out.push_back({{"role", "tool"}, {"tool_call_id", result->tool_use_id}, {"content", result->text}});
  }
  if (results > 0 && results == message.parts.size()) return;
  out.push_back({{"role", "user"}, {"content", user_content(message)}});
}

Result<Json> tool_call(const ToolUsePart& use) {
  if (auto input = parse_object(use.input, "a tool use's input"); !input) return input;
  Json function{{"name", use.name}, {"arguments", use.input.text}};
  return Json{{"id", use.id}, {"type", "function"}, {"function", std::move(function)}};
}

Result<void> write_assistant(const Message& message, Json& out) {
  Json calls = Json::array();
  for (const auto& part : message.parts) {
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use == nullptr) continue;
    auto call = tool_call(*use);
    if (!call) return std::unexpected(call.error());
    calls.push_back(std::move(*call));
  }
  auto text = joined_text(message);
  Json written{{"role", "assistant"}, {"content", nullptr}};
  if (!text.empty() || calls.empty()) written["content"] = std::move(text);
  if (!calls.empty()) written["tool_calls"] = std::move(calls);
  out.push_back(std::move(written));
  return {};
}

Result<Json> write_messages(const CompletionRequest& request) {
  Json out = Json::array();
  for (const auto& message : request.messages) {
    if (message.role == Role::system) out.push_back({{"role", "system"}, {"content", joined_text(message)}});
    if (message.role == Role::user) write_user(message, out);
    if (message.role != Role::assistant) continue;
    if (auto ok = write_assistant(message, out); !ok) return std::unexpected(ok.error());
  }
  return out;
}

Json tool_choice(const CompletionRequest& request) {
  if (!request.forced_tool.empty())
    return {{"type", "function"}, {"function", {{"name", request.forced_tool}}}};
  if (request.tool_choice == ToolChoice::any) return "required";
  return request.tool_choice == ToolChoice::none ? "none" : "auto";
}

Result<void> write_tools(const CompletionRequest& request, Json& body) {
  if (request.tools.empty()) return {};
  Json tools = Json::array();
  for (const auto& tool : request.tools) {
    auto schema = parse_object(tool.input_schema, "a tool's input schema");
    if (!schema) return std::unexpected(schema.error());
    Json function{{"name", tool.name}};
    if (!tool.description.empty()) function["description"] = tool.description;
    function["parameters"] = std::move(*schema);
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  body["tools"] = std::move(tools);
  body["tool_choice"] = tool_choice(request);
  if (!request.parallel_tools) body["parallel_tool_calls"] = false;
  return {};
}

Result<void> write_format(const CompletionRequest& request, Json& body) {
  if (!request.response_schema) return {};
  auto schema = parse_object(request.response_schema->schema, "the response schema");
  if (!schema) return std::unexpected(schema.error());
  Json named{{"name", request.response_schema->name}, {"schema", std::move(*schema)}, {"strict", true}};
  body["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(named)}};
  return {};
}

// Everything but the members whose names or places differ between the API and the containers.
Result<void> write_options(const CompletionRequest& request, Json& body) {
  const auto& sampling = request.sampling;
  if (request.reasoning_tokens_max) body["reasoning_effort"] = effort_word(*request.reasoning_tokens_max);
  if (sampling.temperature) body["temperature"] = *sampling.temperature;
  if (sampling.top_p) body["top_p"] = *sampling.top_p;
  if (auto ok = write_tools(request, body); !ok) return ok;
  if (!sampling.stop.empty()) body["stop"] = sampling.stop;
  if (sampling.seed) body["seed"] = *sampling.seed;
  return write_format(request, body);
}

Result<Json> checked_messages(const CompletionRequest& request) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  return write_messages(request);
}

}  // namespace

std::string joined_text(const Message& message) {
  std::string out;
  for (const auto& part : message.parts)
    if (const auto* text = std::get_if<TextPart>(&part)) out += text->text;
  return out;
}

std::string data_url(const ImagePart& image) {
  return "data:" + image.media_type + ";base64," + base64_encode(image.bytes);
}

const char* effort_word(int reasoning_tokens_max) {
  if (reasoning_tokens_max < 2048) return "low";
  return reasoning_tokens_max < 16384 ? "medium" : "high";
}

Result<Json> write_chat_request(const CompletionRequest& request, const std::string& model) {
  if (model.empty()) return fail(Errc::bad_request, "no model is named");
  auto messages = checked_messages(request);
  if (!messages) return messages;
  Json body{{"model", model}};
  if (request.stream) {
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
  }
  body["messages"] = std::move(*messages);
  body["max_completion_tokens"] = request.output_tokens_max;
  if (auto ok = write_options(request, body); !ok) return std::unexpected(ok.error());
  return body;
}

Result<Json> write_container_request(const CompletionRequest& request) {
  auto messages = checked_messages(request);
  if (!messages) return messages;
  Json body = Json::object();
  body["messages"] = std::move(*messages);
  body["max_tokens"] = request.output_tokens_max;
  body["stream"] = request.stream;
  if (request.stream) body["stream_options"] = {{"include_usage", true}};
  if (auto ok = write_options(request, body); !ok) return std::unexpected(ok.error());
  return body;
}

}  // namespace troupe::providers::openai
