#include "providers/openai/serve.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/extra.hpp"
#include "providers/openai/read_request.hpp"
#include "providers/openai/stream_writer.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace troupe::providers::openai {
namespace {

Json full_tool_call(const ToolUsePart& use) {
  Json function{{"name", use.name}, {"arguments", use.input.text}};
  return {{"id", use.id}, {"type", "function"}, {"function", std::move(function)}};
}

Json write_message(const Completion& completion) {
  Json message{
      {"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}, {"annotations", Json::array()}};
  Json calls = Json::array();
  std::string reasoning;
  for (const auto& part : completion.parts) {
    if (const auto* use = std::get_if<ToolUsePart>(&part)) calls.push_back(full_tool_call(*use));
    if (const auto* said = std::get_if<ReasoningPart>(&part)) reasoning += said->text;
  }
  auto text = completion.text();
  if (!text.empty() || calls.empty()) message["content"] = std::move(text);
  if (!reasoning.empty()) message["reasoning_content"] = std::move(reasoning);
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

class ChatServer final : public DialectServer {
 public:
  std::string_view name() const override { return "openai"; }

  bool serves(const http::Request& request) const override {
    return request.method == "POST" && path_of(request.target).ends_with("/chat/completions");
  }

  Result<ServedCall> read_request(const http::Request& request) const override {
    if (!serves(request)) return fail(Errc::not_found, "not a chat completions call");
    auto body = body_object(request);
    if (!body) return std::unexpected(body.error());
    return read_chat_request(*body);
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    return json_answer(write_chat_completion(completion, head), head);
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override { return events_head(head); }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<ChatStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override { return write_error_answer(error); }
};

}  // namespace

const DialectServer& server() {
  static const ChatServer instance;
  return instance;
}

Json write_chat_completion(const Completion& completion, const AnswerHead& head) {
  auto body =
      chat_envelope("chat.completion", completion.model.empty() ? head.model : completion.model, head);
  Json choice{{"index", 0}, {"message", write_message(completion)}, {"logprobs", nullptr}};
  choice["finish_reason"] = finish_word({completion.stop, completion.unrecognised_stop});
  body["choices"] = Json::array();
  body["choices"].push_back(std::move(choice));
  body["usage"] = write_chat_usage(completion.usage);
  if (!completion.tier.empty()) body["service_tier"] = completion.tier;
  put_extra(completion.extra, body);
  return body;
}

http::Response json_answer(const Json& body, const AnswerHead& head) {
  return {200, {{"content-type", "application/json"}, {"x-request-id", head.id}}, dump_json(body)};
}

http::ResponseHead events_head(const AnswerHead& head) {
  return {200,
          {{"content-type", "text/event-stream; charset=utf-8"},
           {"cache-control", "no-cache"},
           {"x-request-id", head.id}}};
}

void put_retry_hints(const Error& error, http::Headers& headers) {
  if (error.retry_after) {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after).count();
    headers.emplace_back("retry-after", fmt::to_string(seconds));
    headers.emplace_back("retry-after-ms", fmt::to_string(ms));
  }
  // Official clients retry every 429; here they would only burn attempts (WIRE 5.6).
  bool pointless = error.code == Errc::quota_exhausted || error.code == Errc::deadline_exceeded;
  if (pointless) headers.emplace_back("x-should-retry", "false");
}

Result<Json> body_object(const http::Request& request) {
  auto body = parse_json(request.body);
  if (!body || !body->is_object()) return fail(Errc::bad_request, "the request's body is not a JSON object");
  return body;
}

http::Response write_error_answer(const Error& error) {
  auto shape = shape_of(error.code);
  http::Response out{shape.status, {{"content-type", "application/json"}}, {}};
  put_retry_hints(error, out.headers);
  out.body = dump_json(error_body(shape, error.vendor_text));
  return out;
}

}  // namespace troupe::providers::openai
