#include "providers/anthropic/serve.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/details.hpp"
#include "providers/anthropic/errors.hpp"
#include "providers/anthropic/read_request.hpp"
#include "providers/anthropic/stream_writer.hpp"
#include "providers/anthropic/version.hpp"
#include "providers/text.hpp"

#include <utility>

namespace troupe::providers::anthropic {
namespace {

/// Appends the blocks of an answer's parts.
struct AnswerBlockWriter {
  Json& content;

  void operator()(const TextPart& part) { content.push_back({{"type", "text"}, {"text", part.text}}); }
  void operator()(const ToolUsePart& part) {
    Json use{{"type", "tool_use"}, {"id", part.id}, {"name", part.name}};
    use["input"] = parse_json(part.input.text).value_or(Json::object());
    content.push_back(std::move(use));
  }
  void operator()(const ReasoningPart& part) {
    if (!part.redacted.empty())
      content.push_back({{"type", "redacted_thinking"}, {"data", part.redacted}});
    else
      content.push_back({{"type", "thinking"}, {"thinking", part.text}, {"signature", part.signature}});
  }
  // Answers hold neither.
  void operator()(const ImagePart&) {}
  void operator()(const ToolResultPart&) {}
};

class MessagesServer final : public DialectServer {
 public:
  std::string_view name() const override { return "anthropic"; }

  bool serves(const http::Request& request) const override {
    return request.method == "POST" && path_of(request.target).ends_with("/v1/messages");
  }

  Result<ServedCall> read_request(const http::Request& request) const override {
    if (!serves(request)) return fail(Errc::not_found, "not a Messages call");
    auto body = parse_json(request.body);
    if (!body || !body->is_object()) return refuse("The request body is not valid JSON");
    const auto* version = http::find_header(request.headers, "anthropic-version");
    auto call = read_messages_body(*body, version != nullptr ? std::string_view(*version) : kClassicVersion);
    if (call && call->model.empty()) return refuse("model: Field required");
    return call;
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    return {200,
            {{"content-type", "application/json"}, {"request-id", head.id}},
            dump_json(write_message(completion, head))};
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return {200,
            {{"content-type", "text/event-stream; charset=utf-8"},
             {"cache-control", "no-cache"},
             {"request-id", head.id}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<MessagesStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override { return write_error_answer(error); }
};

}  // namespace

Json write_message(const Completion& completion, const AnswerHead& head) {
  Json content = Json::array();
  for (const auto& part : completion.parts) std::visit(AnswerBlockWriter{content}, part);
  Json body{{"id", head.id}, {"type", "message"}, {"role", "assistant"}};
  body["model"] = completion.model.empty() ? head.model : completion.model;
  body["content"] = std::move(content);
  body["stop_reason"] = stop_word(completion.stop, completion.unrecognised_stop);
  body["usage"] = write_usage(completion.usage);
  write_details({completion.tier, completion.extra}, body);
  return body;
}

const DialectServer& server() {
  static const MessagesServer instance;
  return instance;
}

}  // namespace troupe::providers::anthropic
