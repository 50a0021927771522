#include "providers/anthropic/read_request.hpp"

#include "providers/anthropic/read_blocks.hpp"
#include "providers/anthropic/version.hpp"
#include "providers/request_rules.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::providers::anthropic {
namespace {

constexpr std::int64_t kTokensAskedMax = 1'000'000'000;

Result<int> read_count(const Json& object, std::string_view key, std::int64_t least) {
  const auto* value = find(object, key);
  if (value == nullptr) return refuse(fmt::format("{}: Field required", key));
  auto count = get_int(object, key, -1);
  if (!value->is_number_integer() || count < least || count > kTokensAskedMax)
    return refuse(fmt::format("{}: Input should be a valid integer of at least {}", key, least));
  return static_cast<int>(count);
}

Result<void> read_limits(const Json& body, CompletionRequest& request) {
  auto limit = read_count(body, "max_tokens", 1);
  if (!limit) return std::unexpected(limit.error());
  request.output_tokens_max = *limit;
  const auto* thinking = find(body, "thinking");
  if (thinking == nullptr || thinking->is_null()) return {};
  auto type = get_string(*thinking, "type");
  if (type == "disabled") request.reasoning_tokens_max = 0;
  if (type != "enabled") return {};
  auto budget = read_count(*thinking, "budget_tokens", 1024);
  if (!budget) return std::unexpected(budget.error());
  request.reasoning_tokens_max = *budget;
  return {};
}

Result<std::optional<double>> read_share(const Json& body, const char* key) {
  const auto* value = find(body, key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  auto number = get_double(body, key, -1);
  if (!value->is_number() || !(number >= 0 && number <= 1))
    return refuse(fmt::format("{}: range: 0..1", key));
  return number;
}

Result<void> read_sampling(const Json& body, CompletionRequest& request) {
  auto temperature = read_share(body, "temperature");
  if (!temperature) return std::unexpected(temperature.error());
  auto top_p = read_share(body, "top_p");
  if (!top_p) return std::unexpected(top_p.error());
  request.sampling.temperature = *temperature;
  request.sampling.top_p = *top_p;
  const auto* stops = find(body, "stop_sequences");
  if (stops == nullptr || stops->is_null()) return {};
  if (!stops->is_array()) return refuse("stop_sequences: Input should be a valid list");
  for (const auto& stop : *stops) {
    if (!stop.is_string()) return refuse("stop_sequences: Input should be a valid string");
    request.sampling.stop.push_back(stop.get<std::string>());
  }
  return {};
}

Result<void> read_choice(const Json& choice, CompletionRequest& request) {
  auto type = get_string(choice, "type");
  if (type == "any")
    request.tool_choice = ToolChoice::any;
  else if (type == "none")
    request.tool_choice = ToolChoice::none;
  else if (type == "tool")
    request.forced_tool = get_string(choice, "name");
  else if (type != "auto")
    return refuse("tool_choice: Input should be 'auto', 'any', 'tool' or 'none'");
  request.parallel_tools = !get_bool(choice, "disable_parallel_tool_use");
  return {};
}

Result<void> read_tools(const Json& body, CompletionRequest& request) {
  const auto* tools = find(body, "tools");
  if (tools != nullptr && !tools->is_null() && !tools->is_array())
    return refuse("tools: Input should be a valid list");
  if (tools != nullptr && tools->is_array()) {
    for (const auto& tool : *tools) {
      if (get_string(tool, "type", "custom") != "custom")
        return fail(Errc::unsupported, "only tools of the caller's own are understood");
      const auto* schema = find(tool, "input_schema");
      if (schema == nullptr || !schema->is_object()) return refuse("tools: input_schema: Field required");
      request.tools.push_back(
          {get_string(tool, "name"), get_string(tool, "description"), {dump_json(*schema)}});
    }
  }
  const auto* choice = find(body, "tool_choice");
  return choice == nullptr || choice->is_null() ? Result<void>() : read_choice(*choice, request);
}

Result<void> read_format(const Json& body, CompletionRequest& request) {
  const auto* config = find(body, "output_config");
  const auto* format = config != nullptr ? find(*config, "format") : nullptr;
  if (format == nullptr || format->is_null()) return {};
  const auto* schema = find(*format, "schema");
  if (get_string(*format, "type") != "json_schema" || schema == nullptr || !schema->is_object())
    return refuse("output_config: format: Input should be a json_schema with a schema");
  request.response_schema = ResponseSchema{{}, {dump_json(*schema)}};
  return {};
}

Result<void> refuse_sampling(const Json& body) {
  for (const auto* key : {"temperature", "top_p", "top_k"})
    if (find(body, key) != nullptr) return refuse(fmt::format("{}: Extra inputs are not permitted", key));
  return {};
}

}  // namespace

std::unexpected<Error> refuse(std::string text) {
  auto error = make_error(Errc::bad_request, "the request breaks a rule of the Messages API");
  error.vendor_text = std::move(text);
  return std::unexpected(std::move(error));
}

Result<ServedCall> read_messages_body(const Json& body, std::string_view version) {
  if (refuses_sampling(version))
    if (auto ok = refuse_sampling(body); !ok) return std::unexpected(ok.error());
  ServedCall call;
  call.model = get_string(body, "model");
  for (auto* read : {read_limits, read_conversation, read_sampling, read_tools, read_format})
    if (auto ok = read(body, call.request); !ok) return std::unexpected(ok.error());
  if (auto ok = check_request(call.request); !ok) return refuse(ok.error().what);
  call.stream = get_bool(body, "stream");
  call.request.stream = call.stream;
  return call;
}

}  // namespace troupe::providers::anthropic
