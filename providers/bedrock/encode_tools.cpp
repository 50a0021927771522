#include "providers/bedrock/encode_tools.hpp"

#include "providers/request_rules.hpp"

#include <set>
#include <string>

namespace troupe::providers::bedrock {
namespace {

// What the history says about tools.
struct ToolHistory {
  std::set<std::string> names;
  bool any = false;
};

ToolHistory read_history(const CompletionRequest& request) {
  ToolHistory history;
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      if (const auto* use = std::get_if<ToolUsePart>(&part)) history.names.insert(use->name);
      if (std::holds_alternative<ToolResultPart>(part)) history.any = true;
    }
  }
  history.any = history.any || !history.names.empty();
  return history;
}

Json tool_spec(const std::string& name, Json schema, const std::string& description) {
  Json spec{{"name", name}, {"inputSchema", {{"json", std::move(schema)}}}};
  if (!description.empty()) spec["description"] = description;
  return Json{{"toolSpec", std::move(spec)}};
}

}  // namespace

Result<Json> write_tool_config(const CompletionRequest& request) {
  auto history = read_history(request);
  bool forced = !request.forced_tool.empty();
  bool offered = !request.tools.empty() && (forced || request.tool_choice != ToolChoice::none);
  if (offered && !request.parallel_tools)
    return fail(Errc::unsupported, "Converse cannot be told to call one tool at a time");
  if (!offered && !history.any) return Json(nullptr);
  Json tools = Json::array();
  for (const auto& tool : request.tools) {
    auto schema = parse_object(tool.input_schema, "a tool's input schema");
    if (!schema) return schema;
    tools.push_back(tool_spec(tool.name, std::move(*schema), tool.description));
    history.names.erase(tool.name);
  }
  for (const auto& name : history.names) tools.push_back(tool_spec(name, {{"type", "object"}}, {}));
  if (tools.empty()) return fail(Errc::bad_request, "a tool result answers no tool use");
  Json config{{"tools", std::move(tools)}};
  if (forced) {
    config["toolChoice"]["tool"]["name"] = request.forced_tool;
  } else if (offered) {
    const char* choice = request.tool_choice == ToolChoice::any ? "any" : "auto";
    config["toolChoice"][choice] = Json::object();
  }
  return config;
}

}  // namespace troupe::providers::bedrock
