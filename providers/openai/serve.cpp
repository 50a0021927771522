#include "providers/openai/serve.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/read_request.hpp"
#include "providers/sse.hpp"
#include "providers/text.hpp"
#include "runtime/base/overloaded.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <chrono>

namespace troupe::providers::openai {
namespace {

const char* finish_word(StopReason reason) {
  switch (reason) {
    case StopReason::length:
    case StopReason::context_length: return "length";
    case StopReason::tool_calls: return "tool_calls";
    case StopReason::content_filter: return "content_filter";
    default: return "stop";
  }
}

Json write_usage(const Usage& usage) {
  auto prompt = usage.input + usage.cache_read + usage.cache_write;
  Json cached{{"cached_tokens", usage.cache_read}, {"audio_tokens", 0}};
  if (usage.cache_write > 0) cached["cache_write_tokens"] = usage.cache_write;
  Json spent{{"reasoning_tokens", usage.reasoning},
             {"audio_tokens", 0},
             {"accepted_prediction_tokens", 0},
             {"rejected_prediction_tokens", 0}};
  Json out{{"prompt_tokens", prompt},
           {"completion_tokens", usage.output},
           {"total_tokens", prompt + usage.output}};
  out["prompt_tokens_details"] = std::move(cached);
  out["completion_tokens_details"] = std::move(spent);
  return out;
}

Json envelope(const char* object, const std::string& model, const AnswerHead& head) {
  return {{"id", head.id}, {"object", object}, {"created", head.created.ms / 1000}, {"model", model}};
}

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

std::string seconds_rounded_up(Duration d) {
  return fmt::to_string(std::chrono::ceil<std::chrono::seconds>(d).count());
}

class ChatStreamWriter final : public StreamWriter {
 public:
  explicit ChatStreamWriter(AnswerHead head) : head_(std::move(head)), model_(head_.model) {}

  std::string write(const StreamEvent& event) override {
    return std::visit(
        Overloaded{
            [&](const StreamStarted& e) { return start(e); },
            [&](const TextDelta& e) {
              return delta({{"content", e.text}});
            },
            [&](const ReasoningDelta& e) {
              return e.text.empty() ? "" : delta({{"reasoning_content", e.text}});
            },
            [&](const ToolUseStarted& e) {
              Json function{{"name", e.name}, {"arguments", ""}};
              Json call{
                  {"index", e.index}, {"id", e.id}, {"type", "function"}, {"function", std::move(function)}};
              return tool_delta(std::move(call));
            },
            [&](const ToolInputDelta& e) {
              Json function{{"arguments", e.json}};
              return tool_delta({{"index", e.index}, {"function", std::move(function)}});
            },
            [&](const StreamStopped& e) { return choice(Json::object(), finish_word(e.reason)); },
            [&](const UsageReported& e) { return chunk(Json::array(), write_usage(e.usage)); },
            [](const DetailsReported&) { return std::string(); },
        },
        event);
  }

  std::string finish() override { return write_sse("[DONE]"); }

  std::string write_error(const Error& error) override {
    return write_sse(dump_json(error_body(shape_of(error.code), error.vendor_text)));
  }

 private:
  std::string start(const StreamStarted& event) {
    if (!event.model.empty()) model_ = event.model;
    return delta({{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}});
  }
  std::string tool_delta(Json call) {
    Json calls = Json::array();
    calls.push_back(std::move(call));
    Json fields = Json::object();
    fields["tool_calls"] = std::move(calls);
    return delta(std::move(fields));
  }
  std::string delta(Json fields) { return choice(std::move(fields), nullptr); }
  std::string choice(Json fields, const char* finish) {
    Json one{{"index", 0}, {"delta", std::move(fields)}, {"logprobs", nullptr}};
    one["finish_reason"] = finish != nullptr ? Json(finish) : Json(nullptr);
    Json choices = Json::array();
    choices.push_back(std::move(one));
    return chunk(std::move(choices), nullptr);
  }
  std::string chunk(Json choices, Json usage) {
    auto out = envelope("chat.completion.chunk", model_, head_);
    out["choices"] = std::move(choices);
    out["usage"] = std::move(usage);
    return write_sse(dump_json(out));
  }

  AnswerHead head_;
  std::string model_;
};

class ChatServer final : public DialectServer {
 public:
  std::string_view name() const override { return "openai"; }

  bool serves(const http::Request& request) const override {
    return request.method == "POST" && path_of(request.target).ends_with("/chat/completions");
  }

  Result<ServedCall> read_request(const http::Request& request) const override {
    if (!serves(request)) return fail(Errc::not_found, "not a chat completions call");
    auto body = parse_json(request.body);
    if (!body || !body->is_object())
      return fail(Errc::bad_request, "the request's body is not a JSON object");
    return read_chat_request(*body);
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    auto body = envelope("chat.completion", completion.model.empty() ? head.model : completion.model, head);
    Json choice{{"index", 0}, {"message", write_message(completion)}, {"logprobs", nullptr}};
    choice["finish_reason"] = finish_word(completion.stop);
    body["choices"] = Json::array();
    body["choices"].push_back(std::move(choice));
    body["usage"] = write_usage(completion.usage);
    return {200, {{"content-type", "application/json"}, {"x-request-id", head.id}}, dump_json(body)};
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return {200,
            {{"content-type", "text/event-stream; charset=utf-8"},
             {"cache-control", "no-cache"},
             {"x-request-id", head.id}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<ChatStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override {
    auto shape = shape_of(error.code);
    http::Response out{shape.status, {{"content-type", "application/json"}}, {}};
    if (error.retry_after) {
      auto ms = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after).count();
      out.headers.emplace_back("retry-after", seconds_rounded_up(*error.retry_after));
      out.headers.emplace_back("retry-after-ms", fmt::to_string(ms));
    }
    // Official clients retry every 429; here they would only burn attempts (WIRE 5.6).
    bool pointless = error.code == Errc::quota_exhausted || error.code == Errc::deadline_exceeded;
    if (pointless) out.headers.emplace_back("x-should-retry", "false");
    out.body = dump_json(error_body(shape, error.vendor_text));
    return out;
  }
};

}  // namespace

const DialectServer& server() {
  static const ChatServer instance;
  return instance;
}

}  // namespace troupe::providers::openai
