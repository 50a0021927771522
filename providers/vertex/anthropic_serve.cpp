// Serves rawPredict and streamRawPredict: paths, Messages bodies, errors in two envelopes (WIRE 4.3).
#include "providers/anthropic/errors.hpp"
#include "providers/anthropic/read_request.hpp"
#include "providers/anthropic/serve.hpp"
#include "providers/anthropic/stream_writer.hpp"
#include "providers/text.hpp"
#include "providers/vertex/anthropic.hpp"
#include "providers/vertex/google_error.hpp"

#include <optional>

namespace troupe::providers::vertex {
namespace {

struct RawPredictCall {
  std::string model;
  bool stream = false;
};

std::optional<RawPredictCall> read_raw_predict_path(const http::Request& request) {
  constexpr std::string_view before = "/publishers/anthropic/models/";
  auto path = path_of(request.target);
  auto start = path.rfind(before);
  auto verb = path.rfind(':');
  if (request.method != "POST" || start == std::string_view::npos || verb == std::string_view::npos)
    return std::nullopt;
  start += before.size();
  bool stream = path.substr(verb) == ":streamRawPredict";
  if (verb <= start || (!stream && path.substr(verb) != ":rawPredict")) return std::nullopt;
  auto model = path.substr(start, verb - start);
  // A literal in the model's place: counting tokens is another operation on the same path.
  if (model.find('/') != std::string_view::npos || model == "count-tokens") return std::nullopt;
  return RawPredictCall{percent_decode(model), stream};
}

bool is_answered_by_google(Errc code) {
  return code == Errc::rate_limited || code == Errc::auth || code == Errc::permission ||
         code == Errc::not_found;
}

class RawPredictServer final : public DialectServer {
 public:
  std::string_view name() const override { return "vertex_anthropic"; }

  bool serves(const http::Request& request) const override {
    return read_raw_predict_path(request).has_value();
  }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto path = read_raw_predict_path(request);
    if (!path) return fail(Errc::not_found, "not a rawPredict call");
    auto body = parse_json(request.body);
    if (!body || !body->is_object()) return anthropic::refuse("The request body is not valid JSON");
    auto version = get_string(*body, "anthropic_version");
    if (version.empty()) return anthropic::refuse("anthropic_version: Field required");
    auto call = anthropic::read_messages_body(*body, version);
    if (!call) return call;
    call->model = std::move(path->model);
    call->stream = call->request.stream = path->stream || call->stream;
    return call;
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    return anthropic::server().write_response(completion, head);
  }
  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return anthropic::server().stream_head(head);
  }
  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return anthropic::server().stream_writer(head);
  }
  http::Response write_error(const Error& error) const override {
    return is_answered_by_google(error.code) ? write_google_error(error)
                                             : anthropic::write_error_answer(error);
  }
};

}  // namespace

const DialectServer& anthropic_server() {
  static const RawPredictServer instance;
  return instance;
}

}  // namespace troupe::providers::vertex
