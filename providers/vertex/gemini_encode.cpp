#include "providers/vertex/gemini_encode.hpp"

#include "providers/request_rules.hpp"
#include "providers/vertex/gemini_contents.hpp"

#include <limits>
#include <string>

namespace troupe::providers::vertex {
namespace {

constexpr double kTemperatureMax = 2;
constexpr std::size_t kStopsMax = 5;

bool offers_tools(const CompletionRequest& request) {
  return !request.tools.empty() && (request.tool_choice != ToolChoice::none || !request.forced_tool.empty());
}

Result<void> check_gemini_sampling(const Sampling& sampling) {
  if (sampling.temperature && *sampling.temperature > kTemperatureMax)
    return fail(Errc::unsupported, "Gemini takes temperatures up to 2");
  if (sampling.stop.size() > kStopsMax)
    return fail(Errc::unsupported, "Gemini takes at most 5 stop sequences");
  using Limits = std::numeric_limits<std::int32_t>;
  if (sampling.seed && (*sampling.seed < Limits::min() || *sampling.seed > Limits::max()))
    return fail(Errc::unsupported, "Gemini's seed has 32 bits");
  return {};
}

Result<Json> write_declarations(const std::vector<ToolSpec>& tools) {
  Json declarations = Json::array();
  for (const auto& tool : tools) {
    auto schema = parse_object(tool.input_schema, "a tool's input schema");
    if (!schema) return schema;
    Json one{{"name", tool.name}};
    if (!tool.description.empty()) one["description"] = tool.description;
    one["parametersJsonSchema"] = std::move(*schema);
    declarations.push_back(std::move(one));
  }
  Json holder = Json::object();
  holder["functionDeclarations"] = std::move(declarations);
  Json out = Json::array();
  out.push_back(std::move(holder));
  return out;
}

// Null for AUTO, which is what an absent toolConfig means.
Json write_calling_config(const CompletionRequest& request) {
  Json config = Json::object();
  if (!request.forced_tool.empty()) {
    config["mode"] = "ANY";
    config["allowedFunctionNames"] = Json::array({request.forced_tool});
  } else if (request.tool_choice != ToolChoice::automatic) {
    config["mode"] = request.tool_choice == ToolChoice::any ? "ANY" : "NONE";
  } else {
    return nullptr;
  }
  Json out = Json::object();
  out["functionCallingConfig"] = std::move(config);
  return out;
}

Result<Json> write_generation(const CompletionRequest& request) {
  const auto& sampling = request.sampling;
  Json config = Json::object();
  if (sampling.temperature) config["temperature"] = *sampling.temperature;
  if (sampling.top_p) config["topP"] = *sampling.top_p;
  config["maxOutputTokens"] = request.output_tokens_max;
  if (!sampling.stop.empty()) config["stopSequences"] = sampling.stop;
  if (sampling.seed) config["seed"] = *sampling.seed;
  if (request.response_schema) {
    auto schema = parse_object(request.response_schema->schema, "the response schema");
    if (!schema) return schema;
    config["responseMimeType"] = "application/json";
    config["responseJsonSchema"] = std::move(*schema);
  }
  if (request.reasoning_tokens_max) {
    if (*request.reasoning_tokens_max < 0)
      return fail(Errc::bad_request, "reasoning_tokens_max must not be negative");
    config["thinkingConfig"]["thinkingBudget"] = *request.reasoning_tokens_max;
    if (*request.reasoning_tokens_max > 0) config["thinkingConfig"]["includeThoughts"] = true;
  }
  return config;
}

}  // namespace

Result<Json> write_gemini_request(const CompletionRequest& request) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  if (auto ok = check_gemini_sampling(request.sampling); !ok) return std::unexpected(ok.error());
  if (!request.parallel_tools && offers_tools(request))
    return fail(Errc::unsupported, "Gemini cannot be told to call one tool at a time");
  auto body = write_gemini_contents(request.messages);
  if (!body) return body;
  // The order of members is that of the captured official client.
  if (!request.tools.empty()) {
    auto tools = write_declarations(request.tools);
    if (!tools) return tools;
    (*body)["tools"] = std::move(*tools);
    if (auto config = write_calling_config(request); !config.is_null())
      (*body)["toolConfig"] = std::move(config);
  }
  auto generation = write_generation(request);
  if (!generation) return generation;
  (*body)["generationConfig"] = std::move(*generation);
  return body;
}

bool is_made_call_id(std::string_view id) {
  constexpr std::string_view prefix = "call_";
  if (!id.starts_with(prefix)) return false;
  auto digits = id.substr(prefix.size());
  if (auto ending = digits.find('_'); ending != digits.npos) {
    if (digits.size() - ending != 9) return false;
    digits = digits.substr(0, ending);
  }
  return !digits.empty() && digits.size() <= 4 && digits.find_first_not_of("0123456789") == digits.npos;
}

}  // namespace troupe::providers::vertex
