#include "providers/bedrock/serve.hpp"

#include "providers/bedrock/decode.hpp"
#include "providers/bedrock/errors.hpp"
#include "providers/bedrock/read_request.hpp"
#include "providers/bedrock/stream_writer.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace troupe::providers::bedrock {
namespace {

struct ConversePath {
  std::string model;
  bool stream = false;
};

std::optional<ConversePath> read_path(const http::Request& request) {
  auto path = path_of(request.target);
  auto start = path.rfind("/model/");
  if (request.method != "POST" || start == std::string_view::npos) return std::nullopt;
  auto rest = path.substr(start + 7);
  bool stream = rest.ends_with("/converse-stream");
  if (!stream && !rest.ends_with("/converse")) return std::nullopt;
  // The operation is the last segment; an id with a raw slash in it would be two segments.
  auto id = rest.substr(0, rest.rfind('/'));
  if (id.empty() || id.find('/') != std::string_view::npos) return std::nullopt;
  return ConversePath{percent_decode(id), stream};
}

struct PartBlock {
  Json& content;

  void operator()(const TextPart& part) { content.push_back({{"text", part.text}}); }
  void operator()(const ToolUsePart& part) {
    Json use{{"toolUseId", part.id}, {"name", part.name}};
    use["input"] = parse_json(part.input.text).value_or(Json::object());
    content.push_back({{"toolUse", std::move(use)}});
  }
  void operator()(const ReasoningPart& part) {
    if (!part.redacted.empty()) {
      Json block = Json::object();
      block["reasoningContent"]["redactedContent"] = part.redacted;
      content.push_back(std::move(block));
      return;
    }
    Json said{{"text", part.text}};
    if (!part.signature.empty()) said["signature"] = part.signature;
    content.push_back({{"reasoningContent", {{"reasoningText", std::move(said)}}}});
  }
  // Answers hold neither.
  void operator()(const ImagePart&) {}
  void operator()(const ToolResultPart&) {}
};

class ConverseServer final : public DialectServer {
 public:
  std::string_view name() const override { return "bedrock"; }

  bool serves(const http::Request& request) const override { return read_path(request).has_value(); }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto path = read_path(request);
    if (!path) return fail(Errc::not_found, "not a Converse call");
    auto body = parse_json(request.body);
    if (!body || !body->is_object())
      return fail(Errc::bad_request, "the request's body is not a JSON object");
    auto read = read_converse_request(*body);
    if (!read) return std::unexpected(read.error());
    read->stream = path->stream;
    return ServedCall{std::move(*read), std::move(path->model), path->stream, true};
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    Json content = Json::array();
    for (const auto& part : completion.parts) std::visit(PartBlock{content}, part);
    Json body = Json::object();
    body["output"]["message"] = {{"role", "assistant"}, {"content", std::move(content)}};
    body["stopReason"] = stop_word(completion.stop, completion.unrecognised_stop);
    body["usage"] = write_token_usage(completion.usage);
    body["metrics"]["latencyMs"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(head.latency).count();
    write_details({completion.tier, completion.extra}, body);
    return {200, {{"content-type", "application/json"}, {"x-amzn-requestid", head.id}}, dump_json(body)};
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return {200, {{"content-type", "application/vnd.amazon.eventstream"}, {"x-amzn-requestid", head.id}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<ConverseStreamWriter>(head.latency);
  }

  http::Response write_error(const Error& error) const override {
    auto shape = shape_of(error.code);
    http::Response out{shape.status, {{"content-type", "application/json"}}, {}};
    out.headers.emplace_back("x-amzn-errortype", std::string(shape.type) +
                                                     ":http://internal.amazon.com/coral/com.amazon.bedrock/");
    if (error.retry_after) {
      auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
      auto ms = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after).count();
      out.headers.emplace_back("retry-after", fmt::to_string(seconds));
      out.headers.emplace_back("x-amz-retry-after", fmt::to_string(ms));
    }
    out.body = dump_json({{"message", message_of(shape, error)}});
    return out;
  }

  http::Response write_model_error(int original_status) const override {
    Json body{{"message", "The model returned an error."}, {"originalStatusCode", original_status}};
    body["resourceName"] = "";
    return {424,
            {{"content-type", "application/json"}, {"x-amzn-errortype", "ModelErrorException"}},
            dump_json(body)};
  }
};

}  // namespace

const DialectServer& server() {
  static const ConverseServer instance;
  return instance;
}

}  // namespace troupe::providers::bedrock
