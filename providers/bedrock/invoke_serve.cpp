// Serves InvokeModel and InvokeModelWithResponseStream: paths, Messages bodies, Bedrock's errors (WIRE 1.6).
#include "providers/anthropic/read_request.hpp"
#include "providers/anthropic/serve.hpp"
#include "providers/bedrock/invoke.hpp"
#include "providers/bedrock/invoke_stream.hpp"
#include "providers/bedrock/serve.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <optional>

namespace troupe::providers::bedrock {
namespace {

struct InvokePath {
  std::string model;
  bool stream = false;
};

std::optional<InvokePath> read_invoke_path(const http::Request& request) {
  auto path = path_of(request.target);
  auto start = path.rfind("/model/");
  if (request.method != "POST" || start == std::string_view::npos) return std::nullopt;
  auto rest = path.substr(start + 7);
  bool stream = rest.ends_with("/invoke-with-response-stream");
  if (!stream && !rest.ends_with("/invoke")) return std::nullopt;
  // Anthropic's client leaves colons raw, but no client leaves slashes so.
  auto id = rest.substr(0, rest.rfind('/'));
  if (id.empty() || id.find('/') != std::string_view::npos) return std::nullopt;
  return InvokePath{percent_decode(id), stream};
}

class InvokeServer final : public DialectServer {
 public:
  std::string_view name() const override { return "bedrock_invoke"; }

  bool serves(const http::Request& request) const override { return read_invoke_path(request).has_value(); }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto path = read_invoke_path(request);
    if (!path) return fail(Errc::not_found, "not an InvokeModel call");
    auto body = parse_json(request.body);
    if (!body || !body->is_object())
      return anthropic::refuse("Malformed input request, please reformat your input and try again.");
    auto version = get_string(*body, "anthropic_version");
    if (version.empty())
      return anthropic::refuse("Malformed input request: #: required key [anthropic_version] not found");
    auto call = anthropic::read_messages_body(*body, version);
    if (!call) return call;
    call->model = std::move(path->model);
    call->stream = call->request.stream = path->stream;
    return call;
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    http::Response out{200, {{"content-type", "application/json"}, {"x-amzn-requestid", head.id}}, {}};
    if (!completion.tier.empty()) out.headers.emplace_back("x-amzn-bedrock-service-tier", completion.tier);
    out.headers.emplace_back("x-amzn-bedrock-input-token-count", fmt::to_string(completion.usage.input));
    out.headers.emplace_back("x-amzn-bedrock-output-token-count", fmt::to_string(completion.usage.output));
    out.body = dump_json(anthropic::write_message(completion, head));
    return out;
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return {200,
            {{"content-type", "application/vnd.amazon.eventstream"},
             {"x-amzn-bedrock-content-type", "application/json"},
             {"x-amzn-requestid", head.id}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<InvokeStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override { return server().write_error(error); }
  http::Response write_model_error(int original_status) const override {
    return server().write_model_error(original_status);
  }
};

}  // namespace

const DialectServer& invoke_server() {
  static const InvokeServer instance;
  return instance;
}

}  // namespace troupe::providers::bedrock
