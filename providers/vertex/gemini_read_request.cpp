#include "providers/vertex/gemini_read_request.hpp"

#include "providers/vertex/gemini_read_contents.hpp"
#include "providers/vertex/gemini_schema.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

namespace troupe::providers::vertex {
namespace {

constexpr int kLowBudget = 1024, kMediumBudget = 8192, kHighBudget = 16384;

std::string gemini_word(const Json& object, std::string_view name) {
  const auto* value = gemini_member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// The number at `name`; absent when there is none, bad_request when it is outside [least, most].
Result<std::optional<std::int64_t>> gemini_integer(const Json& object, std::string_view name,
                                                   std::int64_t least, std::int64_t most) {
  const auto* value = gemini_member(object, name);
  if (value == nullptr) return std::nullopt;
  bool whole =
      value->is_number_integer() &&
      !(value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  if (!whole || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most)
    return invalid_gemini_argument("Invalid value at 'generation_config." + std::string(name) + "'.");
  return value->get<std::int64_t>();
}

// JSON Schema wherever it stands: as itself, or as Google's Schema.
JsonText schema_member_text(const Json& holder, std::string_view json_name, std::string_view google_name) {
  if (const auto* schema = gemini_member(holder, json_name)) return {dump_json(*schema)};
  const auto* schema = gemini_member(holder, google_name);
  return {schema != nullptr ? dump_json(json_schema_of(*schema)) : std::string()};
}

Result<void> read_gemini_tools(const Json& body, CompletionRequest& request) {
  const auto* tools = gemini_member(body, "tools");
  if (tools == nullptr || !tools->is_array()) return {};
  for (const auto& tool : *tools) {
    const auto* declarations = gemini_member(tool, "functionDeclarations");
    if (declarations == nullptr || !declarations->is_array())
      return fail(Errc::unsupported, "only function declarations are understood as tools");
    for (const auto& one : *declarations) {
      auto schema = schema_member_text(one, "parametersJsonSchema", "parameters");
      if (schema.text.empty()) schema.text = R"({"type":"object"})";
      request.tools.push_back({gemini_word(one, "name"), gemini_word(one, "description"), std::move(schema)});
    }
  }
  return {};
}

Result<void> read_calling_config(const Json& body, CompletionRequest& request) {
  const auto* holder = gemini_member(body, "toolConfig");
  const auto* config = holder != nullptr ? gemini_member(*holder, "functionCallingConfig") : nullptr;
  if (config == nullptr) return {};
  auto mode = gemini_word(*config, "mode");
  if (mode == "NONE") request.tool_choice = ToolChoice::none;
  if (mode == "ANY") request.tool_choice = ToolChoice::any;
  const auto* allowed = gemini_member(*config, "allowedFunctionNames");
  if (mode != "ANY" || allowed == nullptr || !allowed->is_array() || allowed->empty()) return {};
  auto is_allowed = [&](const ToolSpec& tool) {
    return std::ranges::find(*allowed, Json(tool.name)) != allowed->end();
  };
  auto first = std::ranges::find_if(request.tools, is_allowed);
  if (first == request.tools.end())
    return invalid_gemini_argument("allowed_function_names must be names of declared functions.");
  if (allowed->size() > 1) {
    std::erase_if(request.tools, [&](const ToolSpec& tool) { return !is_allowed(tool); });
    return {};
  }
  // The one name says it all; the mode would only say it twice.
  request.forced_tool = first->name;
  request.tool_choice = ToolChoice::automatic;
  return {};
}

Result<void> read_gemini_sampling(const Json& config, CompletionRequest& request) {
  auto number = [&](const char* name) {
    const auto* value = gemini_member(config, name);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
  };
  request.sampling.temperature = number("temperature");
  request.sampling.top_p = number("topP");
  auto seed = gemini_integer(config, "seed", INT32_MIN, INT32_MAX);
  if (!seed) return std::unexpected(seed.error());
  request.sampling.seed = *seed;
  const auto* stops = gemini_member(config, "stopSequences");
  if (stops != nullptr && stops->is_array())
    for (const auto& stop : *stops)
      if (stop.is_string()) request.sampling.stop.push_back(stop.get<std::string>());
  return {};
}

Result<void> read_thinking(const Json& config, CompletionRequest& request) {
  const auto* thinking = gemini_member(config, "thinkingConfig");
  if (thinking == nullptr) return {};
  auto budget = gemini_integer(*thinking, "thinkingBudget", -1, 1'000'000);
  if (!budget) return std::unexpected(budget.error());
  // -1 leaves it to the model.
  if (*budget && **budget >= 0) request.reasoning_tokens_max = static_cast<int>(**budget);
  auto level = gemini_word(*thinking, "thinkingLevel");
  if (*budget || level.empty() || level == "THINKING_LEVEL_UNSPECIFIED") return {};
  request.reasoning_tokens_max = level == "HIGH"     ? kHighBudget
                                 : level == "MEDIUM" ? kMediumBudget
                                                     : kLowBudget;
  return {};
}

Result<void> read_generation(const Json& body, CompletionRequest& request) {
  const auto* config = gemini_member(body, "generationConfig");
  if (config == nullptr) return {};
  auto tokens = gemini_integer(*config, "maxOutputTokens", 1, 1'000'000'000);
  if (!tokens) return std::unexpected(tokens.error());
  if (*tokens) request.output_tokens_max = static_cast<int>(**tokens);
  auto candidates = gemini_integer(*config, "candidateCount", 0, 1);
  if (!candidates) return fail(Errc::unsupported, "one candidate is served");
  if (auto ok = read_gemini_sampling(*config, request); !ok) return ok;
  if (auto ok = read_thinking(*config, request); !ok) return ok;
  if (gemini_word(*config, "responseMimeType") != "application/json") return {};
  auto schema = schema_member_text(*config, "responseJsonSchema", "responseSchema");
  if (schema.text.empty()) schema.text = R"({"type":"object"})";
  request.response_schema = {"response", std::move(schema)};
  return {};
}

Result<void> refuse_what_we_cannot_serve(const Json& body, CompletionRequest&) {
  if (gemini_member(body, "cachedContent") != nullptr)
    return fail(Errc::unsupported, "cachedContent names a resource that is not here");
  return {};
}

}  // namespace

Result<CompletionRequest> read_gemini_request(const Json& body) {
  CompletionRequest request;
  auto messages = read_gemini_contents(body);
  if (!messages) return std::unexpected(messages.error());
  request.messages = std::move(*messages);
  for (auto* read : {refuse_what_we_cannot_serve, read_gemini_tools, read_calling_config, read_generation})
    if (auto ok = read(body, request); !ok) return std::unexpected(ok.error());
  return request;
}

}  // namespace troupe::providers::vertex
