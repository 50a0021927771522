#include "providers/openai/responses.hpp"

#include "providers/openai/errors.hpp"
#include "providers/openai/responses_decode.hpp"
#include "providers/openai/responses_encode.hpp"
#include "providers/openai/responses_read.hpp"
#include "providers/openai/responses_stream.hpp"
#include "providers/openai/responses_writer.hpp"
#include "providers/openai/serve.hpp"
#include "providers/text.hpp"

#include <utility>

namespace troupe::providers::openai {
namespace {

class ResponsesDialect final : public Dialect {
 public:
  std::string_view name() const override { return "openai_responses"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto body = write_responses_request(request, target.model);
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + "/responses";
    out.headers = {{"host", target.host}, {"content-type", "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_response(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<ResponseStreamDecoder>();
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }
};

// The stream's writer knows how parts become items; its bytes are not needed here.
Json whole_response(const Completion& completion, const AnswerHead& head) {
  ResponseStreamWriter writer(head);
  writer.write(StreamStarted{completion.model});
  int call = 0;
  for (const auto& part : completion.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) writer.write(TextDelta{text->text});
    if (const auto* said = std::get_if<ReasoningPart>(&part))
      writer.write(ReasoningDelta{said->text, {}, said->redacted});
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use == nullptr) continue;
    writer.write(ToolUseStarted{call, use->id, use->name, {}});
    writer.write(ToolInputDelta{call++, use->input.text});
  }
  writer.write(StreamStopped{completion.stop, completion.unrecognised_stop});
  writer.write(UsageReported{completion.usage});
  writer.write(DetailsReported{completion.tier, completion.extra});
  return writer.response();
}

class ResponsesServer final : public DialectServer {
 public:
  std::string_view name() const override { return "openai_responses"; }

  bool serves(const http::Request& request) const override {
    return request.method == "POST" && path_of(request.target).ends_with("/responses");
  }

  Result<ServedCall> read_request(const http::Request& request) const override {
    if (!serves(request)) return fail(Errc::not_found, "not a responses call");
    auto body = body_object(request);
    if (!body) return std::unexpected(body.error());
    return read_responses_request(*body);
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    return json_answer(whole_response(completion, head), head);
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override { return events_head(head); }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<ResponseStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override { return write_error_answer(error); }
};

}  // namespace

const Dialect& responses_dialect() {
  static const ResponsesDialect instance;
  return instance;
}

const DialectServer& responses_server() {
  static const ResponsesServer instance;
  return instance;
}

}  // namespace troupe::providers::openai
