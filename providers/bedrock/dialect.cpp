#include "providers/bedrock/dialect.hpp"

#include "providers/bedrock/decode.hpp"
#include "providers/bedrock/encode.hpp"
#include "providers/bedrock/errors.hpp"
#include "providers/bedrock/stream.hpp"

namespace troupe::providers::bedrock {
namespace {

class ConverseDialect final : public Dialect {
 public:
  std::string_view name() const override { return "bedrock"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto path = converse_path(target.model, request.stream);
    if (!path) return std::unexpected(path.error());
    auto body = write_converse_request(request, target.model);
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + *path;
    out.headers = {{"host", target.host}, {"content-type", "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_converse(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<ConverseStreamDecoder>();
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }
};

}  // namespace

const Dialect& dialect() {
  static const ConverseDialect instance;
  return instance;
}

}  // namespace troupe::providers::bedrock
