#include "providers/openai/read_request.hpp"

#include "providers/text.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace troupe::providers::openai {
namespace {

Result<void> read_content_part(const Json& part, std::vector<Part>& out) {
  auto type = get_string(part, "type");
  if (type == "text" || type == "refusal") {
    out.emplace_back(TextPart{get_string(part, type)});
    return {};
  }
  if (type != "image_url") return fail(Errc::unsupported, "a content part is neither text nor image");
  const auto* url = find(part, "image_url");
  auto image = read_data_url(url != nullptr ? get_string(*url, "url") : std::string());
  if (!image) return std::unexpected(image.error());
  out.emplace_back(std::move(*image));
  return {};
}

Result<void> read_content(const Json& message, std::vector<Part>& out) {
  const auto* content = find(message, "content");
  if (content == nullptr || content->is_null()) return {};
  if (content->is_string()) {
    out.emplace_back(TextPart{content->get<std::string>()});
    return {};
  }
  if (!content->is_array()) return wrong_field("content");
  for (const auto& part : *content)
    if (auto ok = read_content_part(part, out); !ok) return ok;
  return {};
}

Result<void> read_calls(const Json& message, std::vector<Part>& out) {
  const auto* calls = find(message, "tool_calls");
  if (calls == nullptr || calls->is_null()) return {};
  if (!calls->is_array()) return wrong_field("tool_calls");
  for (const auto& call : *calls) {
    const auto* function = find(call, "function");
    if (function == nullptr) return wrong_field("tool_calls.function");
    JsonText input{get_string(*function, "arguments", "{}")};
    out.emplace_back(
        ToolUsePart{get_string(call, "id"), get_string(*function, "name"), std::move(input), {}});
  }
  return {};
}

Result<Message> read_tool_result(const Json& message) {
  std::vector<Part> parts;
  if (auto ok = read_content(message, parts); !ok) return std::unexpected(ok.error());
  ToolResultPart result{get_string(message, "tool_call_id"), {}, false};
  for (const auto& part : parts)
    if (const auto* text = std::get_if<TextPart>(&part)) result.text += text->text;
  return Message{Role::user, {std::move(result)}};
}

bool holds_only_results(const Message& message) {
  for (const auto& part : message.parts)
    if (!std::holds_alternative<ToolResultPart>(part)) return false;
  return !message.parts.empty();
}

Result<Message> read_message(const Json& message) {
  auto role = get_string(message, "role");
  if (role == "tool") return read_tool_result(message);
  Message out;
  if (role == "system" || role == "developer")
    out.role = Role::system;
  else if (role == "assistant")
    out.role = Role::assistant;
  else if (role != "user")
    return wrong_field("role");
  if (auto ok = read_content(message, out.parts); !ok) return std::unexpected(ok.error());
  if (out.role != Role::assistant) return out;
  if (auto ok = read_calls(message, out.parts); !ok) return std::unexpected(ok.error());
  return out;
}

Result<void> read_messages(const Json& body, CompletionRequest& request) {
  const auto* messages = find(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) return wrong_field("messages");
  bool after_tool = false;
  for (const auto& message : *messages) {
    auto read = read_message(message);
    if (!read) return std::unexpected(read.error());
    bool tool = holds_only_results(*read);
    if (tool && after_tool)
      request.messages.back().parts.push_back(std::move(read->parts.front()));
    else
      request.messages.push_back(std::move(*read));
    after_tool = tool;
  }
  return {};
}

Result<void> read_sampling(const Json& body, CompletionRequest& request) {
  auto& sampling = request.sampling;
  if (const auto* seed = find(body, "seed"); seed != nullptr && seed->is_number_integer())
    sampling.seed = seed->get<std::int64_t>();
  const auto* stop = find(body, "stop");
  if (stop != nullptr && stop->is_string()) sampling.stop = {stop->get<std::string>()};
  if (stop != nullptr && stop->is_array())
    for (const auto& word : *stop)
      if (word.is_string()) sampling.stop.push_back(word.get<std::string>());
  request.reasoning_tokens_max = tokens_of_effort(get_string(body, "reasoning_effort"));
  return read_numbers(body, {"max_completion_tokens", "max_tokens"}, request);
}

Result<void> read_tools(const Json& body, CompletionRequest& request) {
  const auto* tools = find(body, "tools");
  if (tools == nullptr || tools->is_null()) return {};
  if (!tools->is_array()) return wrong_field("tools");
  for (const auto& tool : *tools) {
    const auto* function = find(tool, "function");
    if (function == nullptr) return fail(Errc::unsupported, "only function tools are understood");
    const auto* schema = find(*function, "parameters");
    JsonText text{schema != nullptr ? dump_json(*schema) : R"({"type":"object"})"};
    request.tools.push_back(
        {get_string(*function, "name"), get_string(*function, "description"), std::move(text)});
  }
  request.parallel_tools = get_bool(body, "parallel_tool_calls", true);
  const auto* choice = find(body, "tool_choice");
  if (choice == nullptr || choice->is_null() || *choice == "auto") return {};
  if (const auto* named = find(*choice, "function")) request.forced_tool = get_string(*named, "name");
  if (!request.forced_tool.empty()) return {};
  request.tool_choice = *choice == "none" ? ToolChoice::none : ToolChoice::any;
  return {};
}

Result<void> read_format(const Json& body, CompletionRequest& request) {
  const auto* format = find(body, "response_format");
  if (format == nullptr) return {};
  auto type = get_string(*format, "type");
  if (type == "json_object") request.response_schema = {"json_object", {R"({"type":"object"})"}};
  if (type != "json_schema") return {};
  const auto* named = find(*format, "json_schema");
  const auto* schema = named != nullptr ? find(*named, "schema") : nullptr;
  if (schema == nullptr || !schema->is_object()) return wrong_field("response_format.json_schema");
  request.response_schema = {get_string(*named, "name"), {dump_json(*schema)}};
  return {};
}

}  // namespace

std::unexpected<Error> wrong_field(std::string_view field) {
  auto error = make_error(Errc::bad_request, fmt::format("{} is missing or malformed", field));
  error.vendor_text = error.what;
  return std::unexpected(std::move(error));
}

Result<ImagePart> read_data_url(const std::string& url) {
  auto comma = url.find(";base64,");
  if (!url.starts_with("data:") || comma == std::string::npos)
    return fail(Errc::unsupported, "images are taken as base64 data: URLs only");
  auto bytes = base64_decode(std::string_view(url).substr(comma + 8));
  if (!bytes) return wrong_field("image_url");
  return ImagePart{url.substr(5, comma - 5), std::move(*bytes)};
}

std::optional<int> tokens_of_effort(std::string_view effort) {
  struct Row {
    std::string_view word;
    int tokens;
  };
  constexpr std::array rows{Row{"none", 0},      Row{"minimal", 512}, Row{"low", 1024},
                            Row{"medium", 8192}, Row{"high", 16384},  Row{"xhigh", 32768}};
  for (const auto& row : rows)
    if (row.word == effort) return row.tokens;
  return std::nullopt;
}

Result<void> read_numbers(const Json& body, std::initializer_list<std::string_view> limit_names,
                          CompletionRequest& request) {
  auto number = [&](const char* key) {
    const auto* value = find(body, key);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
  };
  request.sampling.temperature = number("temperature");
  request.sampling.top_p = number("top_p");
  for (auto name : limit_names) {
    const auto* value = find(body, name);
    if (value == nullptr || value->is_null()) continue;
    auto limit = get_int(body, name);
    if (limit < 1 || limit > 1'000'000'000) return wrong_field(name);
    request.output_tokens_max = static_cast<int>(limit);
    break;
  }
  return {};
}

Result<ServedCall> read_chat_request(const Json& body, std::string model) {
  ServedCall call;
  call.model = model.empty() ? get_string(body, "model") : std::move(model);
  if (call.model.empty()) return wrong_field("model");
  for (auto* read : {read_messages, read_sampling, read_tools, read_format})
    if (auto ok = read(body, call.request); !ok) return std::unexpected(ok.error());
  call.stream = get_bool(body, "stream");
  call.request.stream = call.stream;
  const auto* options = find(body, "stream_options");
  call.stream_usage = options != nullptr && get_bool(*options, "include_usage");
  return call;
}

}  // namespace troupe::providers::openai
