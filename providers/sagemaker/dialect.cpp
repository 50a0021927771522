#include "providers/sagemaker/dialect.hpp"

#include "providers/openai/decode.hpp"
#include "providers/openai/encode.hpp"
#include "providers/openai/stream.hpp"
#include "providers/sagemaker/endpoint_path.hpp"
#include "providers/sagemaker/errors.hpp"
#include "providers/sagemaker/payload_stream.hpp"
#include "providers/sagemaker/tgi.hpp"
#include "providers/sagemaker/tgi_stream.hpp"

#include <utility>

namespace troupe::providers::sagemaker {
namespace {

// What both dialects have in common: the call around the container's body.
class EndpointDialect : public Dialect {
 public:
  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto path = write_path({target.model, request.stream});
    if (!path) return std::unexpected(path.error());
    auto body = write_body(request);
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + *path;
    const char* accept = request.stream ? "x-amzn-sagemaker-accept" : "accept";
    out.headers = {{"host", target.host}, {"content-type", "application/json"}, {accept, "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_body(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<PayloadStreamDecoder>(container_decoder());
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }

 private:
  virtual Result<Json> write_body(const CompletionRequest& request) const = 0;
  virtual Result<Completion> read_body(const Json& body) const = 0;
  virtual std::unique_ptr<StreamDecoder> container_decoder() const = 0;
};

class ChatEndpoint final : public EndpointDialect {
 public:
  std::string_view name() const override { return "sagemaker"; }

 private:
  Result<Json> write_body(const CompletionRequest& request) const override {
    return openai::write_container_request(request);
  }
  Result<Completion> read_body(const Json& body) const override { return openai::read_chat_completion(body); }
  std::unique_ptr<StreamDecoder> container_decoder() const override {
    return std::make_unique<openai::ChatStreamDecoder>(classify_container_error);
  }
};

class GenerateEndpoint final : public EndpointDialect {
 public:
  std::string_view name() const override { return "sagemaker_tgi"; }

 private:
  Result<Json> write_body(const CompletionRequest& request) const override {
    return write_generate_request(request);
  }
  Result<Completion> read_body(const Json& body) const override { return read_generated(body); }
  std::unique_ptr<StreamDecoder> container_decoder() const override {
    return std::make_unique<GenerateStreamDecoder>();
  }
};

}  // namespace

const Dialect& dialect() {
  static const ChatEndpoint instance;
  return instance;
}

const Dialect& tgi_dialect() {
  static const GenerateEndpoint instance;
  return instance;
}

}  // namespace troupe::providers::sagemaker
