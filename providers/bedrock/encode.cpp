#include "providers/bedrock/encode.hpp"

#include "providers/bedrock/encode_tools.hpp"
#include "providers/request_rules.hpp"
#include "providers/text.hpp"

#include <algorithm>

namespace troupe::providers::bedrock {
namespace {

constexpr std::size_t kModelIdMax = 2048;
constexpr std::size_t kImagesMax = 20;
constexpr std::size_t kImageBytesMax = 3'750'000;
constexpr std::size_t kToolUseIdMax = 64;
constexpr std::size_t kCachePointsMax = 4;
constexpr int kThinkingBudgetMin = 1024;
constexpr double kThinkingTopPMin = 0.95;

bool is_tool_use_id(std::string_view id) {
  auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:-").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= kToolUseIdMax && std::ranges::all_of(id, allowed);
}

const Json& cache_point() {
  static const Json block{{"cachePoint", {{"type", "default"}}}};
  return block;
}

// What is counted over the whole request.
struct Tally {
  std::size_t images = 0;
  /// Cache points still to be left out, the first ones of too many.
  std::size_t cache_points_over = 0;
};

std::size_t cache_points_over(const CompletionRequest& request) {
  std::size_t n = 0;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part); text != nullptr && text->cache_point) ++n;
  return n > kCachePointsMax ? n - kCachePointsMax : 0;
}

Json reasoning_block(const std::string& text, const std::string& signature) {
  Json said{{"text", text}, {"signature", signature}};
  Json block = Json::object();
  block["reasoningContent"]["reasoningText"] = std::move(said);
  return block;
}

/// Appends the content blocks of parts; one overload for each kind of part.
struct BlockWriter {
  Json& out;
  Tally& tally;
  const Part* before = nullptr;

  Result<void> operator()(const TextPart& part) {
    if (!part.text.empty()) out.push_back({{"text", part.text}});
    if (!part.cache_point || out.empty()) return {};
    if (tally.cache_points_over > 0)
      --tally.cache_points_over;
    else
      out.push_back(cache_point());
    return {};
  }
  Result<void> operator()(const ImagePart& part) {
    if (part.bytes.size() > kImageBytesMax)
      return fail(Errc::unsupported, "Converse takes images up to 3.75 MB");
    if (++tally.images > kImagesMax) return fail(Errc::unsupported, "Converse takes at most 20 images");
    auto format = part.media_type.substr(std::string_view("image/").size());
    out.push_back({{"image", {{"format", format}, {"source", {{"bytes", base64_encode(part.bytes)}}}}}});
    return {};
  }
  Result<void> operator()(const ToolUsePart& part) {
    if (!is_tool_use_id(part.id)) return fail(Errc::bad_request, "a tool use id is malformed");
    auto input = parse_object(part.input, "a tool use's input");
    if (!input) return std::unexpected(input.error());
    out.push_back({{"toolUse", {{"toolUseId", part.id}, {"name", part.name}, {"input", std::move(*input)}}}});
    return {};
  }
  Result<void> operator()(const ToolResultPart& part) {
    if (!is_tool_use_id(part.tool_use_id)) return fail(Errc::bad_request, "a tool use id is malformed");
    Json text{{"text", part.text}};
    Json result{{"toolUseId", part.tool_use_id}, {"content", Json::array({std::move(text)})}};
    result["status"] = part.is_error ? "error" : "success";
    out.push_back({{"toolResult", std::move(result)}});
    return {};
  }
  Result<void> operator()(const ReasoningPart& part) {
    const auto* unsigned_text = before != nullptr ? std::get_if<ReasoningPart>(before) : nullptr;
    bool signs = unsigned_text != nullptr && unsigned_text->signature.empty() && !unsigned_text->text.empty();
    bool foreign = before != nullptr && std::holds_alternative<TextPart>(*before);
    if (!part.redacted.empty()) {
      Json block = Json::object();
      block["reasoningContent"]["redactedContent"] = part.redacted;
      out.push_back(std::move(block));
    } else if (part.signature.empty() || (part.text.empty() && foreign)) {
      return {};
    } else {
      out.push_back(
          reasoning_block(part.text.empty() && signs ? unsigned_text->text : part.text, part.signature));
    }
    return {};
  }
};

Result<void> write_blocks(const Message& message, Tally& tally, Json& out) {
  const Part* before = nullptr;
  for (const auto& part : message.parts) {
    if (auto ok = std::visit(BlockWriter{out, tally, before}, part); !ok) return ok;
    before = &part;
  }
  return {};
}

Result<void> write_conversation(const CompletionRequest& request, Json& system, Json& messages) {
  Tally tally{0, cache_points_over(request)};
  for (const auto& message : request.messages) {
    if (message.role == Role::system) {
      if (auto ok = write_blocks(message, tally, system); !ok) return ok;
      continue;
    }
    const char* role = message.role == Role::user ? "user" : "assistant";
    if (messages.empty() || messages.back()["role"] != role)
      messages.push_back({{"role", role}, {"content", Json::array()}});
    if (auto ok = write_blocks(message, tally, messages.back()["content"]); !ok) return ok;
  }
  if (messages.empty() || messages[0]["role"] != "user")
    return fail(Errc::bad_request, "Converse wants the user's message first");
  for (const auto& message : messages)
    if (message["content"].empty()) return fail(Errc::bad_request, "a message is left without content");
  return {};
}

// Null when nothing is said about reasoning.
Result<Json> write_thinking(const CompletionRequest& request, std::string_view model) {
  if (!request.reasoning_tokens_max) return Json(nullptr);
  if (model.find("anthropic.") == std::string_view::npos)
    return fail(Errc::unsupported, "Converse bounds the reasoning of Anthropic's models only");
  bool offered = !request.tools.empty() && request.tool_choice != ToolChoice::none;
  bool forces = !request.forced_tool.empty() || (offered && request.tool_choice == ToolChoice::any);
  int budget = std::min(*request.reasoning_tokens_max, request.output_tokens_max - 1);
  if (forces || budget < kThinkingBudgetMin) return Json{{"type", "disabled"}};
  return Json{{"type", "enabled"}, {"budget_tokens", budget}};
}

Result<Json> write_inference(const CompletionRequest& request, bool thinks) {
  const auto& sampling = request.sampling;
  Json config{{"maxTokens", request.output_tokens_max}};
  if (sampling.temperature && *sampling.temperature > 1)
    return fail(Errc::unsupported, "Converse takes temperatures up to 1");
  if (sampling.temperature && !thinks) config["temperature"] = *sampling.temperature;
  if (sampling.top_p && (!thinks || *sampling.top_p >= kThinkingTopPMin)) config["topP"] = *sampling.top_p;
  if (!sampling.stop.empty()) config["stopSequences"] = sampling.stop;
  return config;
}

Result<Json> write_output(const ResponseSchema& wanted) {
  if (auto schema = parse_object(wanted.schema, "the response schema"); !schema) return schema;
  Json named{{"schema", wanted.schema.text}};
  if (!wanted.name.empty()) named["name"] = wanted.name;
  Json format{{"type", "json_schema"}, {"structure", {{"jsonSchema", std::move(named)}}}};
  return Json{{"textFormat", std::move(format)}};
}

}  // namespace

Result<Json> write_converse_request(const CompletionRequest& request, std::string_view model) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  Json system = Json::array(), messages = Json::array();
  if (auto ok = write_conversation(request, system, messages); !ok) return std::unexpected(ok.error());
  auto thinking = write_thinking(request, model);
  if (!thinking) return thinking;
  auto inference = write_inference(request, get_string(*thinking, "type") == "enabled");
  if (!inference) return inference;
  auto tools = write_tool_config(request);
  if (!tools) return tools;
  Json body{{"messages", std::move(messages)}};
  if (!system.empty()) body["system"] = std::move(system);
  body["inferenceConfig"] = std::move(*inference);
  // The order of members is that of the captured official client.
  if (!tools->is_null()) body["toolConfig"] = std::move(*tools);
  if (!thinking->is_null()) body["additionalModelRequestFields"]["thinking"] = std::move(*thinking);
  if (!request.response_schema) return body;
  auto output = write_output(*request.response_schema);
  if (!output) return output;
  body["outputConfig"] = std::move(*output);
  return body;
}

Result<std::string> converse_path(std::string_view model, bool stream) {
  if (model.empty() || model.size() > kModelIdMax)
    return fail(Errc::bad_request, "the model id is empty or above 2048 characters");
  return "/model/" + percent_encode(model) + (stream ? "/converse-stream" : "/converse");
}

}  // namespace troupe::providers::bedrock
