#include "providers/openai/responses_decode.hpp"

#include "providers/openai/decode.hpp"
#include "providers/openai/errors.hpp"
#include "providers/openai/extra.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::providers::openai {
namespace {

using ResponseName = std::string_view;

// What is read here, and what only repeats the request.
constexpr std::array kResponseNames{ResponseName("id"),
                                    ResponseName("object"),
                                    ResponseName("created_at"),
                                    ResponseName("completed_at"),
                                    ResponseName("status"),
                                    ResponseName("error"),
                                    ResponseName("incomplete_details"),
                                    ResponseName("model"),
                                    ResponseName("output"),
                                    ResponseName("usage"),
                                    ResponseName("service_tier"),
                                    ResponseName("background"),
                                    ResponseName("conversation"),
                                    ResponseName("frequency_penalty"),
                                    ResponseName("include"),
                                    ResponseName("instructions"),
                                    ResponseName("max_output_tokens"),
                                    ResponseName("max_tool_calls"),
                                    ResponseName("metadata"),
                                    ResponseName("parallel_tool_calls"),
                                    ResponseName("presence_penalty"),
                                    ResponseName("previous_response_id"),
                                    ResponseName("prompt"),
                                    ResponseName("prompt_cache_key"),
                                    ResponseName("prompt_cache_retention"),
                                    ResponseName("reasoning"),
                                    ResponseName("safety_identifier"),
                                    ResponseName("store"),
                                    ResponseName("temperature"),
                                    ResponseName("text"),
                                    ResponseName("tool_choice"),
                                    ResponseName("tools"),
                                    ResponseName("top_logprobs"),
                                    ResponseName("top_p"),
                                    ResponseName("truncation"),
                                    ResponseName("user")};
constexpr std::array kTokenNames{ResponseName("input_tokens"), ResponseName("output_tokens"),
                                 ResponseName("total_tokens")};
constexpr std::array kTokenDetailNames{ResponseName("input_tokens_details"),
                                       ResponseName("output_tokens_details")};
constexpr std::array kTokenDetailCounts{ResponseName("cached_tokens"), ResponseName("cache_write_tokens"),
                                        ResponseName("reasoning_tokens")};

std::unexpected<Error> no_response(const char* what) {
  auto error = make_error(Errc::stream_broken, what);
  return std::unexpected(std::move(error));
}

std::int64_t count_at(const Json& object, std::string_view key) {
  return std::max<std::int64_t>(0, get_int(object, key));
}

Usage read_response_usage(const Json& usage) {
  Usage out;
  if (const auto* in = find(usage, "input_tokens_details")) {
    out.cache_read = count_at(*in, "cached_tokens");
    out.cache_write = count_at(*in, "cache_write_tokens");
  }
  out.input = std::max<std::int64_t>(0, count_at(usage, "input_tokens") - out.cache_read - out.cache_write);
  out.output = count_at(usage, "output_tokens");
  if (const auto* spent = find(usage, "output_tokens_details"))
    out.reasoning = count_at(*spent, "reasoning_tokens");
  return out;
}

StreamStopped read_incomplete(const Json& response) {
  const auto* details = find(response, "incomplete_details");
  auto reason = details != nullptr ? get_string(*details, "reason") : std::string();
  if (reason == "max_output_tokens") return {StopReason::length, {}};
  if (reason == "content_filter") return {StopReason::content_filter, {}};
  return {StopReason::model_error, unrecognised_word(reason.empty() ? "incomplete" : reason)};
}

Result<StreamStopped> read_status(const Json& response, ResponseSeen seen) {
  auto status = get_string(response, "status");
  const auto* error = find(response, "error");
  if (status == "completed" && seen.refused) return StreamStopped{StopReason::content_filter, {}};
  if (status == "completed") return StreamStopped{seen.calls ? StopReason::tool_calls : StopReason::stop, {}};
  if (status == "incomplete") return read_incomplete(response);
  if (status == "cancelled") return fail(Errc::cancelled, "the provider says the response was cancelled");
  if (status != "failed") return no_response("not a whole response: its status says it has not ended");
  if (error != nullptr && error->is_object()) return std::unexpected(classify_in_stream(response));
  return StreamStopped{StopReason::model_error, {}};
}

bool is_read_item(const Json& item) {
  auto type = get_string(item, "type");
  return type == "message" || type == "function_call" || type == "reasoning";
}

DetailsReported read_response_details(const Json& response) {
  UnknownMembers extra;
  extra.keep(response, kResponseNames);
  if (const auto* usage = find(response, "usage"))
    keep_usage_extra(*usage, {kTokenNames, kTokenDetailNames, kTokenDetailCounts}, extra);
  Json others = Json::array();
  if (const auto* output = find(response, "output"); output != nullptr && output->is_array())
    for (const auto& item : *output)
      if (item.is_object() && !is_read_item(item)) others.push_back(item);
  extra.keep({{"output", std::move(others)}}, {});
  return {get_string(response, "service_tier"), extra.text()};
}

std::string joined_blocks(const Json& item, const char* member) {
  std::string out;
  const auto* blocks = find(item, member);
  if (blocks == nullptr || !blocks->is_array()) return out;
  for (const auto& block : *blocks) {
    auto text = get_string(block, "text");
    if (!out.empty() && !text.empty()) out += "\n\n";
    out += text;
  }
  return out;
}

void read_reasoning_item(const Json& item, std::vector<StreamEvent>& out) {
  auto text = joined_blocks(item, "summary");
  if (text.empty()) text = joined_blocks(item, "content");
  auto encrypted = get_string(item, "encrypted_content");
  if (!text.empty()) out.emplace_back(ReasoningDelta{std::move(text), {}, {}});
  if (!encrypted.empty()) out.emplace_back(ReasoningDelta{{}, {}, std::move(encrypted)});
}

void read_message_item(const Json& item, ResponseSeen& seen, std::vector<StreamEvent>& out) {
  const auto* content = find(item, "content");
  if (content == nullptr || !content->is_array()) return;
  for (const auto& block : *content) {
    auto refusal = get_string(block, "refusal");
    auto text = get_string(block, "text") + refusal;
    seen.refused = seen.refused || !refusal.empty();
    if (!text.empty()) out.emplace_back(TextDelta{std::move(text)});
  }
}

}  // namespace

Result<std::vector<StreamEvent>> read_ended_response(const Json& response, ResponseSeen seen) {
  auto stopped = read_status(response, seen);
  if (!stopped) return std::unexpected(stopped.error());
  std::vector<StreamEvent> out;
  out.emplace_back(std::move(*stopped));
  if (const auto* usage = find(response, "usage"); usage != nullptr && usage->is_object())
    out.emplace_back(UsageReported{read_response_usage(*usage)});
  auto details = read_response_details(response);
  if (!details.tier.empty() || !details.extra.text.empty()) out.emplace_back(std::move(details));
  return out;
}

std::vector<StreamEvent> read_output_item(const Json& item, int& tools, ResponseSeen& seen) {
  std::vector<StreamEvent> out;
  auto type = get_string(item, "type");
  if (type == "message") read_message_item(item, seen, out);
  if (type == "reasoning") read_reasoning_item(item, out);
  if (type != "function_call") return out;
  seen.calls = true;
  int index = tools++;
  out.emplace_back(ToolUseStarted{index, get_string(item, "call_id"), get_string(item, "name"), {}});
  if (auto arguments = get_string(item, "arguments"); !arguments.empty())
    out.emplace_back(ToolInputDelta{index, std::move(arguments)});
  return out;
}

Result<Completion> read_response(const Json& body) {
  const auto* output = find(body, "output");
  bool whole = output != nullptr && output->is_array() && !get_string(body, "status").empty();
  if (!whole) return no_response("not a whole response: its output or its status is missing");
  CompletionBuilder sum;
  sum.add(StreamStarted{get_string(body, "model")});
  int tools = 0;
  ResponseSeen seen;
  for (const auto& item : *output)
    for (const auto& event : read_output_item(item, tools, seen)) sum.add(event);
  auto end = read_ended_response(body, seen);
  if (!end) return std::unexpected(end.error());
  for (const auto& event : *end) sum.add(event);
  return std::move(sum).take();
}

}  // namespace troupe::providers::openai
