#include "providers/sagemaker/serve.hpp"

#include "providers/openai/read_request.hpp"
#include "providers/openai/serve.hpp"
#include "providers/openai/stream_writer.hpp"
#include "providers/sagemaker/endpoint_path.hpp"
#include "providers/sagemaker/errors.hpp"
#include "providers/sagemaker/payload_stream.hpp"
#include "providers/sagemaker/tgi.hpp"
#include "providers/sagemaker/tgi_stream.hpp"

#include <utility>

namespace troupe::providers::sagemaker {
namespace {

constexpr const char* kVariantHeader = "x-Amzn-Invoked-Production-Variant";

class EndpointServer : public DialectServer {
 public:
  bool serves(const http::Request& request) const override { return read_path(request).has_value(); }

  Result<ServedCall> read_request(const http::Request& request) const override {
    auto path = read_path(request);
    if (!path) return fail(Errc::not_found, "not a call of an endpoint");
    auto body = openai::body_object(request);
    if (!body) return std::unexpected(body.error());
    auto call = read_body(*body, path->endpoint);
    if (!call) return call;
    call->model = std::move(path->endpoint);
    call->stream = call->request.stream = path->stream;
    return call;
  }

  http::Response write_response(const Completion& completion, const AnswerHead& head) const override {
    return {
        200,
        {{"content-type", "application/json"}, {"x-amzn-requestid", head.id}, {kVariantHeader, "AllTraffic"}},
        dump_json(write_body(completion, head))};
  }

  http::ResponseHead stream_head(const AnswerHead& head) const override {
    return {200,
            {{"content-type", "application/vnd.amazon.eventstream"},
             {"x-amzn-requestid", head.id},
             {"X-Amzn-SageMaker-Content-Type", "text/event-stream"},
             {kVariantHeader, "AllTraffic"}}};
  }

  std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const override {
    return std::make_unique<PayloadStreamWriter>(container_writer(head));
  }

  http::Response write_error(const Error& error) const override { return write_error_answer(error); }

  http::Response write_model_error(int original_status) const override {
    return write_model_error_answer(original_status);
  }

 private:
  virtual Result<ServedCall> read_body(const Json& body, const std::string& endpoint) const = 0;
  virtual Json write_body(const Completion& completion, const AnswerHead& head) const = 0;
  virtual std::unique_ptr<StreamWriter> container_writer(const AnswerHead& head) const = 0;
};

class ChatEndpointServer final : public EndpointServer {
 public:
  std::string_view name() const override { return "sagemaker"; }

 private:
  Result<ServedCall> read_body(const Json& body, const std::string& endpoint) const override {
    return openai::read_chat_request(body, endpoint);
  }
  Json write_body(const Completion& completion, const AnswerHead& head) const override {
    return openai::write_chat_completion(completion, head);
  }
  std::unique_ptr<StreamWriter> container_writer(const AnswerHead& head) const override {
    return std::make_unique<openai::ChatStreamWriter>(head);
  }
};

class GenerateEndpointServer final : public EndpointServer {
 public:
  std::string_view name() const override { return "sagemaker_tgi"; }

 private:
  Result<ServedCall> read_body(const Json& body, const std::string&) const override {
    return read_generate_request(body);
  }
  Json write_body(const Completion& completion, const AnswerHead&) const override {
    return write_generated(completion);
  }
  std::unique_ptr<StreamWriter> container_writer(const AnswerHead&) const override {
    return std::make_unique<GenerateStreamWriter>();
  }
};

}  // namespace

const DialectServer& server() {
  static const ChatEndpointServer instance;
  return instance;
}

const DialectServer& tgi_server() {
  static const GenerateEndpointServer instance;
  return instance;
}

}  // namespace troupe::providers::sagemaker
