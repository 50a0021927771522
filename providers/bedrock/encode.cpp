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

/// Appends the content blocks of parts; one overload for each kind of part.
struct BlockWriter {
  Json& out;
  std::size_t& images;

  Result<void> operator()(const TextPart& part) {
    if (!part.text.empty()) out.push_back({{"text", part.text}});
    if (part.cache_point && !out.empty()) out.push_back(cache_point());
    return {};
  }
  Result<void> operator()(const ImagePart& part) {
    if (part.bytes.size() > kImageBytesMax)
      return fail(Errc::unsupported, "Converse takes images up to 3.75 MB");
    if (++images > kImagesMax) return fail(Errc::unsupported, "Converse takes at most 20 images");
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
    if (part.signature.empty()) return {};
    Json text{{"text", part.text}, {"signature", part.signature}};
    out.push_back({{"reasoningContent", {{"reasoningText", std::move(text)}}}});
    return {};
  }
};

Result<void> write_blocks(const Message& message, std::size_t& images, Json& out) {
  for (const auto& part : message.parts)
    if (auto ok = std::visit(BlockWriter{out, images}, part); !ok) return ok;
  return {};
}

Result<void> write_conversation(const CompletionRequest& request, Json& system, Json& messages) {
  std::size_t images = 0;
  for (const auto& message : request.messages) {
    if (message.role == Role::system) {
      if (auto ok = write_blocks(message, images, system); !ok) return ok;
      continue;
    }
    const char* role = message.role == Role::user ? "user" : "assistant";
    if (messages.empty() || messages.back()["role"] != role)
      messages.push_back({{"role", role}, {"content", Json::array()}});
    if (auto ok = write_blocks(message, images, messages.back()["content"]); !ok) return ok;
  }
  if (messages.empty() || messages[0]["role"] != "user")
    return fail(Errc::bad_request, "Converse wants the user's message first");
  for (const auto& message : messages)
    if (message["content"].empty()) return fail(Errc::bad_request, "a message is left without content");
  return {};
}

Result<Json> write_inference(const CompletionRequest& request) {
  const auto& sampling = request.sampling;
  Json config{{"maxTokens", request.output_tokens_max}};
  if (sampling.temperature && *sampling.temperature > 1)
    return fail(Errc::unsupported, "Converse takes temperatures up to 1");
  if (sampling.temperature) config["temperature"] = *sampling.temperature;
  if (sampling.top_p) config["topP"] = *sampling.top_p;
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

Result<Json> write_converse_request(const CompletionRequest& request) {
  if (auto ok = check_request(request); !ok) return std::unexpected(ok.error());
  Json system = Json::array(), messages = Json::array();
  if (auto ok = write_conversation(request, system, messages); !ok) return std::unexpected(ok.error());
  auto inference = write_inference(request);
  if (!inference) return inference;
  auto tools = write_tool_config(request);
  if (!tools) return tools;
  Json body{{"messages", std::move(messages)}};
  if (!system.empty()) body["system"] = std::move(system);
  body["inferenceConfig"] = std::move(*inference);
  if (!tools->is_null()) body["toolConfig"] = std::move(*tools);
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
