#include "providers/openai/azure.hpp"

#include "providers/openai/dialect.hpp"
#include "providers/openai/encode.hpp"
#include "providers/openai/errors.hpp"
#include "providers/openai/read_request.hpp"
#include "providers/openai/serve.hpp"
#include "providers/openai/stream_writer.hpp"
#include "providers/sse.hpp"
#include "providers/text.hpp"

#include <optional>
#include <utility>

namespace troupe::providers::openai {
namespace {

constexpr std::string_view kDeployments = "/openai/deployments/";
constexpr std::string_view kClassicCall = "/chat/completions";
constexpr std::string_view kV1Path = "/openai/v1/chat/completions";

std::string azure_target(const Target& target) {
  if (target.api_version.empty()) return target.base_path + std::string(kV1Path);
  return target.base_path + std::string(kDeployments) + percent_encode(target.model) +
         std::string(kClassicCall) + "?api-version=" + percent_encode(target.api_version);
}

// The deployment a classic path names, empty on the v1 surface; absent for a path of neither.
std::optional<std::string> deployment_of(const http::Request& request) {
  auto path = path_of(request.target);
  if (request.method != "POST") return std::nullopt;
  if (path.ends_with(kV1Path)) return std::string();
  auto start = path.rfind(kDeployments);
  if (start == std::string_view::npos || !path.ends_with(kClassicCall)) return std::nullopt;
  auto from = start + kDeployments.size();
  if (path.size() <= from + kClassicCall.size()) return std::nullopt;
  auto name = path.substr(from, path.size() - kClassicCall.size() - from);
  if (name.find('/') != std::string_view::npos) return std::nullopt;
  return percent_decode(name);
}

class AzureDialect final : public Dialect {
 public:
  std::string_view name() const override { return "azure_openai"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto wire = dialect().encode(request, target);
    if (wire) wire->target = azure_target(target);
    return wire;
  }
  Result<Completion> decode(const http::Response& response) const override {
    return dialect().decode(response);
  }
  std::unique_ptr<StreamDecoder> stream_decoder() const override { return dialect().stream_decoder(); }
  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }
  void put_api_key(http::Request& request, std::string_view key) const override {
    http::set_header(request.headers, "api-key", std::string(key));
  }
};

class AzureStreamWriter final : public StreamWriter {
 public:
  explicit AzureStreamWriter(const AnswerHead& head) : chat_(head) {}
  std::string write(const StreamEvent& event) override {
    auto bytes = chat_.write(event);
    if (!std::holds_alternative<StreamStarted>(event)) return bytes;
    Json first{{"choices", Json::array()}, {"created", 0}, {"id", ""}, {"model", ""}, {"object", ""}};
    first["prompt_filter_results"] = Json::array();
    return write_sse(dump_json(first)) + bytes;
  }
  std::string finish() override { return chat_.finish(); }
  std::string write_error(const Error& error) override { return chat_.write_error(error); }

 private:
  ChatStreamWriter chat_;
};

// Azure's own codes where it has them.
const char* azure_code(Errc code) {
  switch (code) {
    case Errc::rate_limited: return "429";
    case Errc::content_filtered: return "content_filter";
    case Errc::auth: return "401";
    case Errc::permission: return "PermissionDenied";
    case Errc::not_found: return "DeploymentNotFound";
    case Errc::timeout: return "Timeout";
    case Errc::overloaded: return "ServiceUnavailable";
    case Errc::transient_server: return "InternalServerError";
    default: return nullptr;
  }
}

class AzureServer final : public DialectServer {
 public:
  std::string_view name() const override { return "azure_openai"; }

  bool serves(const http::Request& request) const override { return deployment_of(request).has_value(); }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto deployment = deployment_of(request);
    if (!deployment) return fail(Errc::not_found, "not a chat completions call of Azure's");
    auto body = body_object(request);
    if (!body) return std::unexpected(body.error());
    return read_chat_request(*body, std::move(*deployment));
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    auto out = json_answer(write_chat_completion(completion, head), head);
    out.headers.emplace_back("apim-request-id", head.id);
    return out;
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    auto out = events_head(head);
    out.headers.emplace_back("apim-request-id", head.id);
    return out;
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<AzureStreamWriter>(head);
  }

  http::Response write_error(const Error& error) const override {
    auto out = write_error_answer(error);
    const auto* code = azure_code(error.code);
    if (code == nullptr) return out;
    auto body = error_body(shape_of(error.code), error.vendor_text);
    body["error"]["type"] = nullptr;
    body["error"]["code"] = code;
    if (error.code == Errc::content_filtered) {
      body["error"]["param"] = "prompt";
      body["error"]["status"] = out.status;
      body["error"]["innererror"] = {{"code", "ResponsibleAIPolicyViolation"},
                                     {"content_filter_result", Json::object()}};
    }
    out.body = dump_json(body);
    return out;
  }
};

}  // namespace

const Dialect& azure_dialect() {
  static const AzureDialect instance;
  return instance;
}

const DialectServer& azure_server() {
  static const AzureServer instance;
  return instance;
}

}  // namespace troupe::providers::openai
