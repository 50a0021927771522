#include "providers/vertex/gemini.hpp"

#include "providers/vertex/gemini_decode.hpp"
#include "providers/vertex/gemini_encode.hpp"
#include "providers/vertex/gemini_path.hpp"
#include "providers/vertex/gemini_stream.hpp"
#include "providers/vertex/google_error.hpp"

namespace troupe::providers::vertex {
namespace {

class GeminiDialect final : public Dialect {
 public:
  std::string_view name() const override { return "vertex_gemini"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto path = gemini_path(target, request.stream);
    if (!path) return std::unexpected(path.error());
    auto body = write_gemini_request(request);
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + *path;
    out.headers = {{"host", target.host}, {"content-type", "application/json"}};
    put_request_type(out.headers, target);
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_gemini_answer(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<GeminiStreamDecoder>();
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_google(response, wall);
  }

  void put_api_key(http::Request& request, std::string_view key) const override {
    http::set_header(request.headers, "x-goog-api-key", std::string(key));
  }
};

}  // namespace

const Dialect& gemini_dialect() {
  static const GeminiDialect instance;
  return instance;
}

}  // namespace troupe::providers::vertex
