#include "providers/vertex/gemini_serve.hpp"

#include "providers/extra_members.hpp"
#include "providers/vertex/gemini_decode.hpp"
#include "providers/vertex/gemini_path.hpp"
#include "providers/vertex/gemini_read_request.hpp"
#include "providers/vertex/gemini_stream_writer.hpp"
#include "providers/vertex/google_error.hpp"

namespace troupe::providers::vertex {
namespace {

class GeminiServer final : public DialectServer {
 public:
  std::string_view name() const override { return "vertex_gemini"; }

  bool serves(const http::Request& request) const override { return read_gemini_path(request).has_value(); }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto call = read_gemini_path(request);
    if (!call) return fail(Errc::not_found, "not a generateContent call");
    if (call->stream && !call->sse) return fail(Errc::bad_request, "streams are served with alt=sse only");
    auto body = parse_json(request.body);
    if (!body || !body->is_object())
      return fail(Errc::bad_request, "the request's body is not a JSON object");
    auto read = read_gemini_request(*body);
    if (!read) return std::unexpected(read.error());
    read->stream = call->stream;
    return ServedCall{std::move(*read), std::move(call->model), call->stream, true};
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    bool known = completion.unrecognised_stop.empty();
    Json candidate = Json::object();
    candidate["content"]["role"] = "model";
    candidate["content"]["parts"] = write_answer_parts(completion.parts);
    candidate["finishReason"] =
        known ? gemini_finish_word(completion.stop) : completion.unrecognised_stop.c_str();
    Json body = Json::object();
    body["candidates"] = Json::array();
    body["candidates"].push_back(std::move(candidate));
    body["usageMetadata"] = write_gemini_usage(completion.usage, completion.tier);
    put_gemini_envelope(body, completion.model.empty() ? head.model : completion.model, head);
    write_unknown_members(completion.extra, body);
    return {200, {{"content-type", "application/json; charset=UTF-8"}}, dump_json(body)};
  }

  http::ResponseHead stream_head(const AnswerHead&) const override {
    return {200, {{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<GeminiStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override { return write_google_error(error); }
};

}  // namespace

const DialectServer& gemini_server() {
  static const GeminiServer instance;
  return instance;
}

}  // namespace troupe::providers::vertex
