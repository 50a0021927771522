#include "providers/anthropic/encode.hpp"

#include "providers/anthropic/encode_blocks.hpp"
#include "providers/request_rules.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

constexpr int kThinkingTokensMin = 1024;
constexpr double kThinkingTopPMin = 0.95;

bool forces_call(const CompletionRequest& request) {
  return !request.forced_tool.empty() || (request.tool_choice == ToolChoice::any && !request.tools.empty());
}

// Null when the request leaves it to the model.
Json thinking_of(const CompletionRequest& request) {
  if (!request.reasoning_tokens_max) return nullptr;
  int budget = std::min(*request.reasoning_tokens_max, request.output_tokens_max - 1);
  if (budget < kThinkingTokensMin || forces_call(request)) return Json{{"type", "disabled"}};
  return Json{{"type", "enabled"}, {"budget_tokens", budget}};
}

Result<void> write_sampling(const Sampling& sampling, bool thinks, Json& body) {
  if (sampling.temperature && *sampling.temperature > 1)
    return fail(Errc::unsupported, "the Messages API takes temperatures up to 1");
  if (sampling.temperature && !thinks) body["temperature"] = *sampling.temperature;
  if (sampling.top_p && (!thinks || *sampling.top_p >= kThinkingTopPMin)) body["top_p"] = *sampling.top_p;
  return {};
}

Json tool_choice_of(const CompletionRequest& request) {
  if (request.forced_tool.empty() && request.tool_choice == ToolChoice::none) return Json{{"type", "none"}};
  Json choice = Json::object();
  choice["type"] = request.tool_choice == ToolChoice::any ? "any" : "auto";
  if (!request.forced_tool.empty()) {
    choice["type"] = "tool";
    choice["name"] = request.forced_tool;
  }
  if (!request.parallel_tools) choice["disable_parallel_tool_use"] = true;
  return choice;
}

std::set<std::string> tools_in_history(const CompletionRequest& request) {
  std::set<std::string> names;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* use = std::get_if<ToolUsePart>(&part)) names.insert(use->name);
  return names;
}

// The API wants tools declared when the history uses any.
void write_bygone_tools(const CompletionRequest& request, Json& body) {
  Json tools = Json::array();
  for (const auto& name : tools_in_history(request))
    tools.push_back({{"name", name}, {"input_schema", {{"type", "object"}}}});
  if (tools.empty()) return;
  body["tools"] = std::move(tools);
  body["tool_choice"] = Json{{"type", "none"}};
}

Result<void> write_tools(const CompletionRequest& request, Json& body) {
  if (request.tools.empty()) {
    write_bygone_tools(request, body);
    return {};
  }
  Json tools = Json::array();
  for (const auto& tool : request.tools) {
    auto schema = parse_object(tool.input_schema, "a tool's input schema");
    if (!schema) return std::unexpected(schema.error());
    Json spec{{"name", tool.name}};
    if (!tool.description.empty()) spec["description"] = tool.description;
    spec["input_schema"] = std::move(*schema);
    tools.push_back(std::move(spec));
  }
  body["tools"] = std::move(tools);
  body["tool_choice"] = tool_choice_of(request);
  return {};
}

Result<void> write_format(const CompletionRequest& request, Json& body) {
  if (!request.response_schema) return {};
  auto schema = parse_object(request.response_schema->schema, "the response schema");
  if (!schema) return std::unexpected(schema.error());
  Json format{{"type", "json_schema"}};
  format["schema"] = std::move(*schema);
  body["output_config"]["format"] = std::move(format);
  return {};
}

}  // namespace

Result<Json> write_messages_body(const CompletionRequest& request, const BodyShape& shape) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  auto conversation = write_conversation(request);
  if (!conversation) return std::unexpected(conversation.error());
  Json body = Json::object();
  if (shape.version_first && !shape.version.empty()) body["anthropic_version"] = shape.version;
  if (!shape.model.empty()) body["model"] = shape.model;
  body["max_tokens"] = request.output_tokens_max;
  body["messages"] = std::move(conversation->messages);
  if (shape.stream_member && request.stream) body["stream"] = true;
  if (!conversation->system.empty()) body["system"] = std::move(conversation->system);
  auto thinking = thinking_of(request);
  bool thinks = get_string(thinking, "type") == "enabled";
  if (shape.sampling)
    if (auto ok = write_sampling(request.sampling, thinks, body); !ok) return std::unexpected(ok.error());
  if (!request.sampling.stop.empty()) body["stop_sequences"] = request.sampling.stop;
  if (auto ok = write_tools(request, body); !ok) return std::unexpected(ok.error());
  if (!thinking.is_null()) body["thinking"] = std::move(thinking);
  if (auto ok = write_format(request, body); !ok) return std::unexpected(ok.error());
  if (!shape.version_first && !shape.version.empty()) body["anthropic_version"] = shape.version;
  return body;
}

}  // namespace troupe::providers::anthropic
